"""Totals over everything: how many runs and tasks stand where, whatever a table shows of them.

What they cost depends on what is not done; what is done is counted only where that is little, or
where somebody has counted it already.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.freshness import find_stale
from autoctrl.incidents import list_incidents
from autoctrl.model.quality import ALARM, quality_of
from autoctrl.model.status import TaskStatus
from autoctrl.views.as_json import to_plain
from autoctrl.views.columns import find_columns
from autoctrl.views.conditions import list_conditions
from autoctrl.views.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column
    from autoctrl.views.filter import FilterText

UNFINISHED = tuple(status for status in TaskStatus if status is not TaskStatus.DONE)
COUNTED_WHOLE = 2000  # cells of a table
NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


class DoneTasks(NamedTuple):
    """What is known of the done tasks of one workflow.

    number  how many there are
    alarms  those whose data raise an alarm
    stale   those that are stale
    """

    number: int
    alarms: int
    stale: int


class FailedTask(NamedTuple):
    """One task that has failed: which, and since when."""

    unit: str
    workflow: str
    since: datetime


class Totals(NamedTuple):
    """How everything of a campaign stands.

    runs            number of runs by status
    tasks           number of tasks by workflow and status; None of done ones that nobody counted
    oldest_failure  the failed task that failed first, None if there is none
    newest_failure  the one that failed last
    alarms          done tasks whose data raise an alarm
    stale           done tasks that are stale, None if nobody counted them
    incidents       open incidents
    conditions      what cannot be done now, or may not
    """

    runs: Mapping[TaskStatus, int]
    tasks: Mapping[str, Mapping[TaskStatus, int | None]]
    oldest_failure: FailedTask | None
    newest_failure: FailedTask | None
    alarms: int
    stale: int | None
    incidents: int
    conditions: int

    @property
    def all_runs(self) -> int:
        """How many runs there are."""
        return sum(self.runs.values())

    def tasks_of(self, status: TaskStatus) -> int:
        """Return the number of tasks of a status in all workflows; of done ones only if known."""
        return sum(numbers[status] or 0 for numbers in self.tasks.values())

    def values(self) -> dict[str, Any]:
        """Return the totals as plain values for JSON."""
        values: dict[str, Any] = to_plain(self)
        return values


class Everything(NamedTuple):
    """The totals of a campaign, and the tasks that ask for a person.

    totals  how everything stands
    urgent  all tasks that are failed, or processing, or raise an alarm
    """

    totals: Totals
    urgent: tuple[TaskRecord, ...]


def read_everything(
    store: Store,
    campaign: str,
    numbers: Sequence[int],
    *,
    silent_before: datetime | None = None,
    known_done: Mapping[tuple[str, str], DoneTasks] | None = None,
) -> Everything:
    """Return how everything of a campaign stands that has the runs ``numbers``.

    ``silent_before`` as for ``list_conditions``; ``known_done`` says what was counted of done
    tasks, by campaign and workflow. Raises ``UsageError`` for an unknown campaign.
    """
    chain = find_lineage(store, campaign)
    columns = find_columns(store, chain)
    scope = Scope(store, chain[0].name, columns, frozenset(numbers))
    seen = _look(scope, known_done)
    return Everything(_total(scope, seen, silent_before), _urgent(seen))


def _urgent(seen: _Seen) -> tuple[TaskRecord, ...]:
    """Return the tasks that ask for a person, of failures the newest first."""
    processing = _of_status(seen.unfinished, PROCESSING)
    return (*reversed(_failed(seen)), *seen.alarms, *processing)


def _failed(seen: _Seen) -> list[TaskRecord]:
    return sorted(_of_status(seen.unfinished, FAILED), key=_failed_at)


def _total(scope: Scope, seen: _Seen, silent_before: datetime | None) -> Totals:
    failed = _failed(seen)
    return Totals(
        runs=scope.count_runs([*seen.unfinished, *seen.done], is_whole=seen.is_whole),
        tasks=_count_tasks(scope.columns, seen.unfinished, seen.counted),
        oldest_failure=_failure(failed[:1]),
        newest_failure=_failure(failed[-1:]),
        alarms=len(seen.alarms),
        stale=_sum_stale(scope.columns, seen.counted),
        incidents=len(list_incidents(scope.store, scope.campaign)),
        conditions=len(list_conditions(scope.store, scope.campaign, silent_before)),
    )


class _Seen(NamedTuple):
    """The tasks of a scope: all, or in a large one those that are not done or raise an alarm."""

    unfinished: Sequence[TaskRecord]
    done: Sequence[TaskRecord]
    alarms: Sequence[TaskRecord]
    counted: Mapping[tuple[str, str], DoneTasks] | None
    is_whole: bool


def _look(scope: Scope, known_done: Mapping[tuple[str, str], DoneTasks] | None) -> _Seen:
    unfinished = scope.tasks(UNFINISHED)
    if len(scope.numbers) * len(scope.columns) > COUNTED_WHOLE:
        alarms = [task for task in scope.alarmed() if _raises_alarm(task)]
        return _Seen(unfinished, [], alarms, known_done, is_whole=False)
    done = scope.tasks((DONE,))
    counted = count_done(done, find_stale(scope.store, [*done, *unfinished]))
    alarms = [task for task in done if _raises_alarm(task)]
    return _Seen(unfinished, done, alarms, counted, is_whole=True)


def _of_status(tasks: Iterable[TaskRecord], status: TaskStatus) -> list[TaskRecord]:
    return [task for task in tasks if task.status is status]


def urgent_for(
    everything: Everything, runs: frozenset[int] | None, text: FilterText
) -> list[TaskRecord]:
    """Return the urgent tasks of which a reader who filters wants to know: all without a filter,
    else those of the chosen runs, workflow and status. Where attributes or ages are asked for, what
    is shown of the runs says enough.
    """
    if text.where or text.stale or text.since:
        return []
    return [task for task in everything.urgent if _is_asked_for(task, runs, text)]


def _is_asked_for(task: TaskRecord, runs: frozenset[int] | None, text: FilterText) -> bool:
    if runs is not None and runs.isdisjoint(task.members):
        return False
    is_of_status = text.status in {"", str(task.status)}
    is_of_workflow = text.workflow in {"", task.key.workflow}
    return is_of_status and is_of_workflow and (_raises_alarm(task) or not text.alarm)


def count_done(
    tasks: Iterable[TaskRecord], stale: Collection[object] = ()
) -> dict[tuple[str, str], DoneTasks]:
    """Return what there is of done tasks, by campaign and workflow; ``stale`` are keys of those
    that are.
    """
    found: dict[tuple[str, str], DoneTasks] = {}
    for task in tasks:
        place = task.key.campaign, task.key.workflow
        number, alarms, old = found.get(place, (0, 0, 0))
        found[place] = DoneTasks(
            number + 1, alarms + _raises_alarm(task), old + (task.key in stale)
        )
    return found


def _raises_alarm(task: TaskRecord) -> bool:
    return task.status is DONE and quality_of(task.reason) == ALARM


def _failed_at(task: TaskRecord) -> datetime:
    return task.since or task.time


def _failure(tasks: Sequence[TaskRecord]) -> FailedTask | None:
    """Return the only task that is given, if one is."""
    return next((FailedTask(t.key.unit, t.key.workflow, _failed_at(t)) for t in tasks), None)


def _count_tasks(
    columns: Iterable[Column],
    unfinished: Iterable[TaskRecord],
    counted: Mapping[tuple[str, str], DoneTasks] | None,
) -> dict[str, dict[TaskStatus, int | None]]:
    found = Counter((task.key.workflow, task.status) for task in unfinished)
    tasks: dict[str, dict[TaskStatus, int | None]] = {}
    for column in columns:
        name, place = column.workflow, (column.campaign, column.workflow)
        none = DoneTasks(0, 0, 0)
        done = None if counted is None else counted.get(place, none).number
        numbers: dict[TaskStatus, int | None] = {s: found[name, s] for s in UNFINISHED}
        tasks[name] = {**numbers, DONE: done}
    return tasks


def _sum_stale(
    columns: Iterable[Column], counted: Mapping[tuple[str, str], DoneTasks] | None
) -> int | None:
    if counted is None:
        return None
    places = [(column.campaign, column.workflow) for column in columns]
    return sum(counted[place].stale for place in places if place in counted)
