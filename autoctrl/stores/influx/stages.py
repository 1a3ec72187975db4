"""Where the time between the end of a run and the result goes, as points for Grafana; pure.

One point for each record that ends a stage of a task's first version, at the record's position, so
that a panel needs no join. They can be made anew from the records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.job import JobRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.stores.influx.points import NS_PER_US, field_text, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.stores.influx.points import Entry

    FindEnd = Callable[[Sequence[int]], datetime | None]

LATENCY = "latency"
FIRST_VERSION = 1
# What a task's record ends: the wait of its run until it began, and all of it.
STAGES = {TaskStatus.PROCESSING: "locks_s", TaskStatus.DONE: "total_s"}


class Stage(NamedTuple):
    """One stage that is over, and how long it took, seconds."""

    name: str
    took_s: float


def latency_lines(entries: Iterable[Entry], find_end: FindEnd) -> Iterator[str]:
    """Yield the points of records that end a stage.

    ``find_end`` says when the last of some runs ended, None if that is unknown.
    """
    for entry in entries:
        record = entry.record
        if isinstance(record, TaskRecord):
            key, stages = record.key, _stages_of_task(record, find_end)
        elif isinstance(record, JobRecord):
            key, stages = record.key.task, _stages_of_job(record)
        else:
            continue
        fields = [(stage.name, repr(max(0.0, stage.took_s))) for stage in stages]
        if fields:
            tags = {"campaign": key.campaign, "workflow": key.workflow}
            unit = ("unit", field_text(key.unit))
            yield line(LATENCY, tags, [unit, *fields], entry.position * NS_PER_US)


def ends_stage(record: object) -> bool:
    """Whether a record of a task ends a stage that counts from the end of its run."""
    if not isinstance(record, TaskRecord) or record.version != FIRST_VERSION:
        return False
    return record.status in STAGES and record.since == record.time


def _stages_of_task(task: TaskRecord, find_end: FindEnd) -> Iterator[Stage]:
    if not ends_stage(task):
        return
    end = find_end(task.members)
    if end is not None:
        yield Stage(STAGES[task.status], (task.time - end).total_seconds())


def _stages_of_job(job: JobRecord) -> Iterator[Stage]:
    """Yield the stages of a job that is done; one whose node said no beginning has not queued."""
    ran = job.ran
    if ran is None or job.status is not JobStatus.DONE or job.key.version != FIRST_VERSION:
        return
    yield Stage("running_s", (ran.end - ran.begin).total_seconds())
    if job.began is not None:
        yield Stage("collecting_s", (job.time - ran.end).total_seconds())
        if job.asked is not None:
            yield Stage("queue_s", (ran.begin - job.asked).total_seconds())
