"""The laboratory's project in its production form: an InfluxDB remembers, an HTCondor pool works.

``python -m tests.acceptance.production.pair SERVER FOLDER SECONDS`` kills a server that a test has
started, now or, without keeping anybody waiting, some time later.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tests.acceptance.exactly_once.laboratory import make_project
from tests.integration.jobs import until
from tests.services import ROOT, Influx2, Pool, Service, job_bin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.services import Influx

# What runs of kind ``good`` go through. A workflow that has nothing to do costs questions in every
# round all the same.
CHAIN = ("split", "follow", "call")
SHORT = {"submit_deadline_s": 4, "query_deadline_s": 5}
SETTINGS = """
{store}
[runs.attributes]
kind = "str"
[sources.table]
type = "table"
path = "runs.csv"
closed_column = "closed"
[notifiers.log]
type = "log"
path = "alerts.log"
[executors.local]
type = "htcondor"
config = "{config}"
schedd = "{schedd}"
mode = "{mode}"
python = "{bin}/python"
path = "{bin}:/usr/bin:/bin"
grace_s = 1
transfer_input = "{transfer_input}"
submit_deadline_s = {submit_deadline_s}
query_deadline_s = {query_deadline_s}
lost_after_s = {lost_after_s}
[cycle]
lease_s = {lease_s}
verb_wait_s = {verb_wait_s}
[defaults]
memory_mb = 64
attempts = 200
back_off_s = 0
[workflows.bad]
attempts = 2
"""


class Pair(NamedTuple):
    """Both servers."""

    influx: Influx
    pool: Pool

    def project(self, workflows: Iterable[str], mode: str = "spool", **chosen: object) -> Path:
        """Make a project with a bucket of its own, below a folder that jobs can write to;
        ``chosen`` are settings.
        """
        folder = self.pool.fresh_folder() / "project"
        settings = self.settings(self.influx.fresh_bucket(), mode, **chosen)
        make_project(folder, workflows, settings, str(job_bin() / "python"))
        self.give_token(folder)
        return folder

    def settings(self, bucket: str, mode: str = "spool", **chosen: object) -> str:
        """Return what stands in ``autoctrl.toml``; ``lost_after_s`` is longer than any outage in
        these tests.

        Deadlines are for slow machines; a test that silences the schedd gives `SHORT` ones.
        """
        usual = {
            "submit_deadline_s": 15,
            "query_deadline_s": 20,
            "lost_after_s": 60,
            "lease_s": 60,
            "verb_wait_s": 0,
        }
        given = {"schedd": self.pool.schedd, "transfer_input": ""} | usual | chosen
        return SETTINGS.format(
            store=self.store(bucket), config=self.pool.config, mode=mode, bin=job_bin(), **given
        )

    def store(self, bucket: str) -> str:
        """Return the settings of a store in this bucket."""
        place = f"{urlsplit(self.influx.url).netloc}/{self.influx.org}/{bucket}"
        return f'[store]\nurl = "influxdb://{place}"\ntoken_file = "token"'

    def give_token(self, folder: Path) -> None:
        """Put the token where the settings say, for us alone."""
        token = folder / "token"
        token.touch(0o600)
        token.write_text(self.influx.token)


def blow(server: Service, after_s: float = 0) -> tuple[str, ...]:
    """Return the command that kills an InfluxDB or the first schedd of a pool, and lets it start
    again.
    """
    return (
        sys.executable,
        "-m",
        "tests.acceptance.production.pair",
        server.name,
        str(server.folder),
        str(after_s),
    )


def strike(name: str, folder: str, after_s: str) -> None:
    """Kill; a pool's master starts anew what it misses, an InfluxDB is started from here."""
    server = {"influxdb2": Influx2, "htcondor": Pool}[name](Path(folder))
    server.start()  # it may be down from an earlier blow
    if isinstance(server, Pool):
        pid = process_of(server)
        if float(after_s):
            if os.fork():
                return
            time.sleep(float(after_s))
        os.kill(pid, signal.SIGKILL)
    else:
        # and wait for its end: one that is still dying would be taken for one that runs
        server.kill()
        command = [str(ROOT / "scripts/services"), "start", name, folder]
        none = subprocess.DEVNULL
        subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True)


def process_of(server: Service) -> int:
    """Return the process to hurt: an InfluxDB, or the first schedd of a pool as soon as its master
    has started it.
    """
    name = "SCHEDD" if isinstance(server, Pool) else "SERVER"
    return until(lambda: server.pids().get(name, 0), name)


if __name__ == "__main__":
    strike(*sys.argv[1:])
