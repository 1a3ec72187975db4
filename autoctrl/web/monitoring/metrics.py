"""Numbers for Prometheus, in its text format."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl import __version__
from autoctrl.model.quota import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from autoctrl.model.condition import Condition
    from autoctrl.ports import Heartbeat
    from autoctrl.views.quotas import QuotaLine
    from autoctrl.web.site.activity import TaskCounts, WorkflowKey

AMOUNTS = {
    "used_bytes": "Bytes that are used, by the last answer.",
    "limit_bytes": "Bytes that are allowed.",
    "used_files": "Files that are there.",
    "limit_files": "Files that are allowed.",
}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """One metric with its samples.

    name     name without the program's
    meaning  one sentence for whoever reads it in Prometheus
    samples  labels and number of each sample
    kind     ``gauge`` or ``counter``
    """

    name: str
    meaning: str
    samples: list[tuple[dict[str, str], float]]
    kind: str = "gauge"


def render(metrics: Iterable[Metric]) -> str:
    """Return all metrics as text."""
    return "".join(line for metric in metrics for line in _lines(metric))


def describe_installation(environment: str, runs: int) -> Iterator[Metric]:
    """Yield what is served, and how many runs it has."""
    labels = {"version": __version__, "environment": environment}
    yield Metric("info", "Version and environment.", [(labels, 1)])
    yield Metric("runs", "Registered runs.", [({}, runs)])


def describe_tasks(counts: TaskCounts, now: datetime) -> Iterator[Metric]:
    """Yield how many tasks stand where, and how long the oldest has stood there."""
    yield Metric(
        "tasks",
        "Tasks by campaign, workflow and status; done ones are counted once a minute or more "
        "rarely.",
        [
            ({**_labels_of(workflow), "status": status}, number)
            for (workflow, status), number in sorted(counts.tasks.items())
        ],
    )
    yield Metric(
        "oldest_open_task_seconds",
        "How long the oldest new or processing task has had its status.",
        [
            (_labels_of(workflow), (now - since).total_seconds())
            for workflow, since in sorted(counts.oldest.items())
        ],
    )
    workflows = sorted({workflow for workflow, _ in counts.tasks})
    yield Metric(
        "workflow_paused",
        "1 if a person paused the workflow.",
        [(_labels_of(workflow), float(workflow in counts.paused)) for workflow in workflows],
    )


def describe_conditions(conditions: Mapping[str, Iterable[Condition]]) -> Iterator[Metric]:
    """Yield what cannot be done now, by campaign."""
    labels: list[dict[str, str]] = [
        {"campaign": campaign, "kind": str(one.kind), "about": one.about}
        for campaign, found in conditions.items()
        for one in found
    ]
    meaning = "1 for each thing that cannot be done now, or may not."
    yield Metric("condition", meaning, [(label, 1.0) for label in labels])


def describe_quotas(quotas: Mapping[str, Iterable[QuotaLine]]) -> Iterator[Metric]:
    """Yield how full the quotas are, by campaign; what is not known has no sample."""
    lines = [
        ({"campaign": campaign, "quota": line.name}, line)
        for campaign, found in quotas.items()
        for line in found
    ]
    for name, meaning in AMOUNTS.items():
        amounts = ((labels, getattr(line.usage, name, None)) for labels, line in lines)
        samples = [(labels, float(amount)) for labels, amount in amounts if amount is not None]
        yield Metric(f"quota_{name}", meaning, samples)
    held = [(labels, float(line.level == Level.HOLD)) for labels, line in lines]
    yield Metric("quota_held", "1 if new jobs wait because it is full.", held)
    silent = [(labels, float(bool(line.problem))) for labels, line in lines]
    yield Metric("quota_silent", "1 if it did not answer the last question.", silent)


def describe_leases(epochs: Mapping[str, int]) -> Iterator[Metric]:
    """Yield how often each lease was taken."""
    yield Metric(
        "leases_taken_total",
        "Cycles and verbs that have worked on a workflow.",
        [({"lease": name}, float(epoch)) for name, epoch in sorted(epochs.items())],
        "counter",
    )


def describe_heartbeats(heartbeats: Iterable[Heartbeat], now: datetime) -> Iterator[Metric]:
    """Yield how long ago the last cycle of each campaign was."""
    yield Metric(
        "heartbeat_age_seconds",
        "Time since the last cycle, also when nothing moved; up to a minute too much.",
        [({"campaign": one.campaign}, age_of(one, now)) for one in heartbeats],
    )


def age_of(heartbeat: Heartbeat, now: datetime) -> float:
    """Return how old a heartbeat is, seconds; 0 for one of a clock that is ahead."""
    return max(0.0, (now - heartbeat.time).total_seconds())


def _lines(metric: Metric) -> Iterator[str]:
    name = f"autoctrl_{metric.name}"
    yield f"# HELP {name} {metric.meaning}\n# TYPE {name} {metric.kind}\n"
    for labels, number in metric.samples:
        yield f"{name}{_braced(labels)} {number:.15g}\n"


def _braced(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _labels_of(workflow: WorkflowKey) -> dict[str, str]:
    return workflow._asdict()
