"""One workflow of a campaign: how its tasks stand, how long they take, what they reported."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.job import JobRecord
from autoctrl.model.output import newest_fields
from autoctrl.model.status import OPEN_TASKS, JobStatus, TaskStatus
from autoctrl.pauses import find_pause
from autoctrl.ports import Selection
from autoctrl.views.latency import measure_tasks
from autoctrl.views.measured import numbers_in
from autoctrl.views.newest import Newest, by_unit
from autoctrl.views.reasons import shared_reasons
from autoctrl.views.task import locate_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.output import MarkRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Record, Store
    from autoctrl.views.columns import Column
    from autoctrl.views.latency import Latency
    from autoctrl.views.reasons import SharedReason

SAMPLE = 100
MOST_FAILED = 10_000


class WorkflowSummary(NamedTuple):
    """How a workflow stands.

    column       the workflow, and the campaign that keeps its tasks
    counts       number of tasks by status
    oldest_open  since when the task that has waited longest stands where it stands, None if no task
                 is open
    newest_done  when a task was done last, None if none was
    pause        the person's word by which it is paused, None if it is not
    failures     why tasks have failed, what most share first; of very many the newest
    """

    column: Column
    counts: Mapping[TaskStatus, int]
    oldest_open: datetime | None
    newest_done: datetime | None
    pause: MarkRecord | None
    failures: tuple[SharedReason, ...]

    @property
    def total(self) -> int:
        """The number of its tasks."""
        return sum(self.counts.values())


class Reported(NamedTuple):
    """What is known of one done version beside its status.

    run      first run of the unit
    unit     the unit
    version  the version
    wall_s   wall time of the jobs that were done, added up, seconds; None if there were none
    fields   numbers that it reported, by name
    """

    run: int
    unit: str
    version: int
    wall_s: float | None
    fields: Mapping[str, float]


class Sample(NamedTuple):
    """What the newest tasks that are done tell of a workflow.

    latency   how long each stage took
    reported  of each task, by run
    """

    latency: tuple[Latency, ...]
    reported: tuple[Reported, ...]

    @property
    def fields(self) -> list[str]:
        """Return the names of the numbers that were reported, sorted."""
        return sorted({name for one in self.reported for name in one.fields})


def summarize_workflow(store: Store, campaign: str, workflow: str) -> WorkflowSummary:
    """Return how a workflow stands. Raises ``UsageError`` for one that the campaign lacks."""
    column = locate_column(store, find_lineage(store, campaign), workflow)
    counted: Counter[TaskStatus] = Counter()
    oldest_open: datetime | None = None
    newest_done: datetime | None = None
    failed = Newest(MOST_FAILED)
    for task in _each_task(store, column):
        counted[task.status] += 1
        since = task.since or task.time
        if task.status in OPEN_TASKS:
            oldest_open = since if oldest_open is None else min(since, oldest_open)
        elif task.status is TaskStatus.DONE:
            newest_done = since if newest_done is None else max(since, newest_done)
        elif task.status is TaskStatus.FAILED:
            failed.add(task)
    return WorkflowSummary(
        column=column,
        counts={status: counted[status] for status in TaskStatus},
        oldest_open=oldest_open,
        newest_done=newest_done,
        pause=find_pause(store, column.campaign, column.workflow),
        failures=tuple(shared_reasons((), sorted(failed.in_order(), key=by_unit))),
    )


def sample_workflow(store: Store, column: Column, size: int = SAMPLE) -> Sample:
    """Return what the ``size`` newest units tell of which a version is done.

    What this costs depends on ``size`` alone, but for one look at the newest record of each task.
    """
    done = Newest(size, _by_run)
    for task in _each_task(store, column):
        if task.status is TaskStatus.DONE:
            done.add(task)
    newest = done.in_order()
    with store.moment():
        histories = [store.history(task.key) for task in newest]
        latency = measure_tasks(store, column.workflow, newest, histories)
    reported = [_report(*each) for each in zip(newest, histories, strict=True)]
    return Sample(tuple(latency), tuple(reported))


def _each_task(store: Store, column: Column) -> Iterator[TaskRecord]:
    return store.each_task(Selection(column.campaign, (column.workflow,)))


def _by_run(task: TaskRecord) -> tuple[int, object]:
    return max(task.members, default=0), by_unit(task)


def _report(task: TaskRecord, history: Sequence[Record]) -> Reported:
    return Reported(
        run=min(task.members, default=0),
        unit=task.key.unit,
        version=task.version,
        wall_s=_wall_s(task, history),
        fields=_numbers(task, history),
    )


def _wall_s(task: TaskRecord, history: Iterable[Record]) -> float | None:
    jobs = (record for record in history if isinstance(record, JobRecord))
    done = {
        job.key: job.wall_s
        for job in jobs
        if job.key.version == task.version and job.status is JobStatus.DONE
    }
    known = [wall_s for wall_s in done.values() if wall_s is not None]
    return sum(known) if known else None


def _numbers(task: TaskRecord, history: Iterable[Record]) -> dict[str, float]:
    """Return the numbers that a task's present version reported."""
    reported = newest_fields(history)
    if reported is None or reported.version != task.version:
        return {}
    return numbers_in(reported.values)
