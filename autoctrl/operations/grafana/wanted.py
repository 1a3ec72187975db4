"""What the files for Grafana depend on, said in a few words; pure."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

FLUX, INFLUXQL = "flux", "influxql"
LANGUAGES = (FLUX, INFLUXQL)
NO_ORGANIZATION = "-"


class Wanted(NamedTuple):
    """What is to be shown, and where it lies.

    language    ``flux`` or ``influxql``
    server      address of the InfluxDB, as Grafana reaches it
    org         organization, ``-`` for a server 1.8
    bucket      bucket; ``database/retention-policy`` on a server 1.8
    uid         of the data source
    page_url    address of our page
    campaign    that dashboards begin with, and that alerts watch
    folder      in Grafana
    files       folder in which Grafana finds the dashboards
    title       of the project, empty if it has none
    """

    language: str
    server: str
    org: str
    bucket: str
    uid: str
    page_url: str
    campaign: str
    folder: str
    files: str
    title: str = ""

    @property
    def is_v1(self) -> bool:
        """Whether the server is a 1.8."""
        return self.org == NO_ORGANIZATION

    @property
    def database(self) -> str:
        """What InfluxQL calls the bucket."""
        return self.bucket.partition("/")[0] if self.is_v1 else self.bucket

    def link(self, *pieces: str) -> str:
        """Return an address on our page; a piece that begins with ``$`` is Grafana's to fill in."""
        spelled = (piece if piece.startswith("$") else quote(piece, safe="") for piece in pieces)
        return "/".join((self.page_url.rstrip("/"), *spelled))

    def run_link(self) -> str:
        """Return the address of a row's run."""
        return self.link("campaigns", "${campaign:percentencode}", "runs", "${__data.fields.run}")

    def cell_link(self) -> str:
        """Return the address of a cell's task: the workflow is the name of its column."""
        return self.link(
            "campaigns",
            "${campaign:percentencode}",
            "tasks",
            "${__field.name}",
            "${__data.fields.run}",
        )

    def task_link(self) -> str:
        """Return the address of a row's task, whose workflow and unit stand in the row."""
        return self.link(
            "campaigns",
            "${campaign:percentencode}",
            "tasks",
            "${__data.fields.workflow}",
            "${__data.fields.unit}",
        )

    def log_link(self) -> str:
        """Return the address of the log of a row's task, that of its newest attempt."""
        return self.link(
            "campaigns",
            "${campaign:percentencode}",
            "read",
            "${__data.fields.workflow}",
            "${__data.fields.unit}",
        )

    def attempt_link(self) -> str:
        """Return the address of the log of a row's attempt, of the task that variables name."""
        chosen = ("${workflow:percentencode}", "${unit:percentencode}")
        page = self.link("campaigns", "${campaign:percentencode}", "read", *chosen)
        which = ("version", "job", "attempt")
        return f"{page}?{'&'.join(f'{name}=${{__data.fields.{name}}}' for name in which)}"

    def chosen_link(self) -> str:
        """Return the address of the task that a dashboard's variables name."""
        return self.link(
            "campaigns",
            "${campaign:percentencode}",
            "tasks",
            "${workflow:percentencode}",
            "${unit:percentencode}",
        )
