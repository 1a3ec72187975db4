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
from autoctrl.views.newest import Newest, by_failure, by_unit
from autoctrl.views.scope import Scope, joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column
    from autoctrl.views.filter import FilterText

UNFINISHED = tuple(status for status in TaskStatus if status is not TaskStatus.DONE)
COUNTED_WHOLE = 2000  # cells of a table
MOST_URGENT = 10_000  # tasks that failed or are processing, of which each is named
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
    urgent  the tasks that are failed, or processing, or raise an alarm; of very many that are
            failed or processing the newest
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
    return (*seen.failed[::-1], *seen.alarms, *seen.processing)


def _total(scope: Scope, seen: _Seen, silent_before: datetime | None) -> Totals:
    return Totals(
        runs=scope.count_runs(seen.statuses, is_whole=seen.is_whole),
        tasks=_count_tasks(scope.columns, seen.numbers, seen.counted),
        oldest_failure=seen.oldest_failure,
        newest_failure=_failure(seen.failed[-1]) if seen.failed else None,
        alarms=len(seen.alarms),
        stale=_sum_stale(scope.columns, seen.counted),
        incidents=len(list_incidents(scope.store, scope.campaign)),
        conditions=len(list_conditions(scope.store, scope.campaign, silent_before)),
    )


class _Seen(NamedTuple):
    """What was seen of the tasks of a scope: of all, or in a large one of those that are not done
    or raise an alarm.

    numbers     of the unfinished ones by workflow and status
    statuses    of the tasks that were seen, by run
    failed      the newest ones, the newest last
    oldest_failure  the one that failed first
    processing  by workflow and unit
    alarms      done ones that raise an alarm
    counted     what is known of done ones, None if nothing
    is_whole    all were seen
    """

    numbers: Mapping[tuple[str, TaskStatus], int]
    statuses: dict[int, frozenset[TaskStatus]]
    failed: Sequence[TaskRecord]
    oldest_failure: FailedTask | None
    processing: Sequence[TaskRecord]
    alarms: Sequence[TaskRecord]
    counted: Mapping[tuple[str, str], DoneTasks] | None
    is_whole: bool


class _Look:
    """Looks at tasks one after the other, and holds but those that a reader must see by name."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.numbers: Counter[tuple[str, TaskStatus]] = Counter()
        self.statuses: dict[int, frozenset[TaskStatus]] = {}
        self.failed = Newest(MOST_URGENT)
        self.processing = Newest(MOST_URGENT)
        self.oldest_failure: TaskRecord | None = None

    def take(self, task: TaskRecord) -> None:
        """Take note of a task."""
        self.take_status(task)
        self.numbers[task.key.workflow, task.status] += 1
        if task.status is PROCESSING:
            self.processing.add(task)
        if task.status is FAILED:
            self.failed.add(task)
            oldest = self.oldest_failure
            if oldest is None or by_failure(task) < by_failure(oldest):
                self.oldest_failure = task

    def take_status(self, task: TaskRecord) -> None:
        """Take note of a task as far as it says how its runs stand."""
        for run in self.scope.runs_of(task):
            self.statuses[run] = joined(self.statuses.get(run, frozenset()), task.status)

    def conclude(
        self,
        alarms: Sequence[TaskRecord],
        counted: Mapping[tuple[str, str], DoneTasks] | None,
        *,
        is_whole: bool,
    ) -> _Seen:
        """Return what was seen."""
        return _Seen(
            numbers=self.numbers,
            statuses=self.statuses,
            failed=self.failed.in_order(),
            oldest_failure=self.oldest_failure and _failure(self.oldest_failure),
            processing=sorted(self.processing.in_order(), key=by_unit),
            alarms=alarms,
            counted=counted,
            is_whole=is_whole,
        )


def _look(scope: Scope, known_done: Mapping[tuple[str, str], DoneTasks] | None) -> _Seen:
    look = _Look(scope)
    if len(scope.numbers) * len(scope.columns) > COUNTED_WHOLE:
        for task in scope.each(UNFINISHED):
            look.take(task)
        alarms = [task for task in scope.alarmed() if _raises_alarm(task)]
        return look.conclude(alarms, known_done, is_whole=False)
    unfinished, done = [*scope.each(UNFINISHED)], sorted(scope.each((DONE,)), key=by_unit)
    for task in unfinished:
        look.take(task)
    for task in done:
        look.take_status(task)
    counted = count_done(done, find_stale(scope.store, [*done, *unfinished]))
    alarms = [task for task in done if _raises_alarm(task)]
    return look.conclude(alarms, counted, is_whole=True)


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


def _failure(task: TaskRecord) -> FailedTask:
    return FailedTask(task.key.unit, task.key.workflow, task.since or task.time)


def _count_tasks(
    columns: Iterable[Column],
    found: Mapping[tuple[str, TaskStatus], int],
    counted: Mapping[tuple[str, str], DoneTasks] | None,
) -> dict[str, dict[TaskStatus, int | None]]:
    tasks: dict[str, dict[TaskStatus, int | None]] = {}
    for column in columns:
        name, place = column.workflow, (column.campaign, column.workflow)
        none = DoneTasks(0, 0, 0)
        done = None if counted is None else counted.get(place, none).number
        numbers: dict[TaskStatus, int | None] = {s: found.get((name, s), 0) for s in UNFINISHED}
        tasks[name] = {**numbers, DONE: done}
    return tasks


def _sum_stale(
    columns: Iterable[Column], counted: Mapping[tuple[str, str], DoneTasks] | None
) -> int | None:
    if counted is None:
        return None
    places = [(column.campaign, column.workflow) for column in columns]
    return sum(counted[place].stale for place in places if place in counted)
