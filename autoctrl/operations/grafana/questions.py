"""What the dashboards ask of an InfluxDB store, in Flux and in InfluxQL.

The texts lie in ``queries``, a file for each question and language, with Grafana's variables. No
name of a workflow or an attribute stands in them.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from json import dumps
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.status import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES = tuple(map(str, TaskStatus))


class Question(NamedTuple):
    """One question in both languages.

    name      of its files
    flux      in Flux
    influxql  in InfluxQL, which must ask some things apart
    """

    name: str
    flux: str
    influxql: tuple[str, ...]

    def texts(self, *, is_flux: bool) -> tuple[str, ...]:
        """Return the queries in one language."""
        return (self.flux,) if is_flux else self.influxql


@cache
def question(name: str) -> Question:
    """Return a question by the name of its files."""
    folder = files("autoctrl.operations.grafana") / "queries"
    flux = (folder / f"{name}.flux").read_text(encoding="utf-8").strip()
    influxql = (folder / f"{name}.influxql").read_text(encoding="utf-8")
    return Question(name, flux, tuple(one.strip() for one in influxql.split(";\n")))


_JSON = re.compile(r"\$\{(\w+):json\}")
_PLAIN = re.compile(r"\$\{(\w+)(?::\w+)?\}")
SHOWN = {"v.timeRangeStart": "-7d", "v.timeRangeStop": "now()", "v.windowPeriod": "1h"}
SHOWN_INFLUXQL = {"$timeFilter": "time > now() - 7d", "$__interval": "1h"}


def names_in(text: str) -> set[str]:
    """Return the names of the variables of a dashboard that a query needs."""
    return {match[1] for match in _PLAIN.finditer(text)}


def fill_in(text: str, values: Mapping[str, str], *, bucket: str) -> str:
    """Return a query as Grafana would send it, for the last seven days."""
    for name, meant in {**SHOWN, **SHOWN_INFLUXQL, "v.defaultBucket": dumps(bucket)}.items():
        text = text.replace(name, meant)
    text = _JSON.sub(lambda match: dumps(values[match[1]], ensure_ascii=False), text)
    return _PLAIN.sub(lambda match: values[match[1]], text)


# Every question, with the dashboards and panels that ask it. Those that fill variables come before
# those that need them.
SHOWN_BY: Mapping[str, str] = {
    "campaigns": "every dashboard: Campaign",
    "workflows": "Task: Workflow",
    "quantities": "Data quality: Workflow's fields",
    "fields": "Data quality: Field",
    "occasions": "every dashboard: what happened",
    "runs_by_status": "Runs: Runs by status",
    "runs": "Runs: Runs and workflows",
    "waiting": "Runs: What failed, waits or is under way",
    "timeline": "Task: Statuses",
    "records": "Task: What happened",
    "attempts": "Task: Attempts of its jobs",
    "tasks_by_status": "Flow: Tasks by status",
    "latency": "Flow: Mean latency by workflow",
    "latency_over_time": "Flow: Mean latency over time",
    "transitions": "Flow: Transitions",
    "tasks_now": "Flow and System: Open tasks",
    "oldest": "Flow: Oldest open tasks",
    "failures": "Flow: Failures",
    "jobs_by_host": "Flow: Jobs by host",
    "quality_over_time": "Data quality: Mean over time",
    "quality_by_run": "Data quality: By run",
    "conditions": "System: What cannot be done",
    "jobs_now": "System: Jobs and slots",
    "nodes_now": "System: Nodes with running jobs",
    "rounds_now": "System: Length of a round",
    "disks_now": "System: Free on the disk of outputs",
    "quotas": "System: Quotas",
    "quotas_over_time": "System: Quotas over time",
    "leases": "System: Leases",
    "silence": "the alert that nobody makes cycles",
}
ALL = tuple(SHOWN_BY)
# Fields beside the numbers of a workflow, in ``taken_WORKFLOW``.
OURS = ("run_number", "taken_s", "version")
# What the variables of the dashboards are at first.
VARIABLES = {
    "campaign": "prompt",
    "status": ".*",
    "first": "0",
    "last": "999999999999999",
    "newest": "200",
    "workflow": "none",
    "unit": "1",
    "quantities": "taken_none",
    "field": "none",
    "window": "1h",
}
