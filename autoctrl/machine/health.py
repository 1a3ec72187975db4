"""Numbers about the cycles that people follow over time, from what a round did; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from autoctrl.model.status import JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.machine.summary import Summary

SHOWN = (JobStatus.IDLE, JobStatus.RUNNING, JobStatus.HELD)


def measure_health(
    summaries: Iterable[Summary], round_s: float, free_mb: float | None, slots: int = 0
) -> dict[str, float]:
    """Return the numbers of one round by name; the last two are left out if they are unknown.

    tasks_new, tasks_processing       open tasks
    jobs_idle, jobs_running, jobs_held  jobs of open tasks
    nodes                             hosts on which jobs are running
    round_s                           how long the round took
    free_mb                           room on the disk of the outputs
    slots                             jobs that this machine's executors may run at once
    """
    listed = list(summaries)
    jobs: Counter[str] = Counter()
    for summary in listed:
        jobs.update(summary.jobs)
    values = {
        "tasks_new": sum(summary.open[0] for summary in listed),
        "tasks_processing": sum(summary.open[1] for summary in listed),
        **{f"jobs_{status}": jobs[status] for status in SHOWN},
        "nodes": len({host for summary in listed for host in summary.hosts}),
        "round_s": round_s,
    }
    if free_mb is not None:
        values["free_mb"] = free_mb
    if slots:
        values["slots"] = slots
    return {name: float(value) for name, value in values.items()}
