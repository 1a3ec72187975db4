"""The runs that fit a filter, found without reading what cannot fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.quality import ALARM, quality_of
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.views.columns import find_columns, have_looked
from autoctrl.views.filter import Vocabulary, read_filter
from autoctrl.views.overview import read_overview
from autoctrl.views.sorting import NEWEST, Sort, in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column
    from autoctrl.views.filter import Filter, FilterText
    from autoctrl.views.overview import Overview, RunRow

WHOLE = slice(0, None)
FIRST_STEP = 50
LONGEST_STEP = 1600
# The statuses that a task of a run of this status may have; a done run has none that is open or
# failed.
SIGNS = {
    TaskStatus.FAILED: (TaskStatus.FAILED,),
    TaskStatus.PROCESSING: (TaskStatus.NEW, TaskStatus.PROCESSING),
    TaskStatus.NEW: (TaskStatus.NEW,),
    TaskStatus.SKIPPED: (TaskStatus.SKIPPED,),
}


class FoundRuns(NamedTuple):
    """The rows of the first runs that fit, and whether there are more.

    seen      their overview; rows by run number, or as they are sorted
    has_more  others fit as well
    """

    seen: Overview
    has_more: bool


class Reading(NamedTuple):
    """What a filter is read with: the types of run attributes, the time and the time zone."""

    types: Mapping[str, str]
    now: datetime
    zone: tzinfo


def understand(store: Store, campaign: str, text: FilterText, reading: Reading) -> Filter:
    """Return what a filter means in a campaign. Raises ``UsageError`` as ``read_filter`` does."""
    columns = find_columns(store, find_lineage(store, campaign))
    workflows = tuple(column.workflow for column in columns)
    return read_filter(text, Vocabulary(workflows, *reading))


def find_runs(
    store: Store, campaign: str, walk: Sequence[int], chosen: Filter, limit: int | None = None
) -> FoundRuns:
    """Return the first ``limit`` runs of a walk through run numbers that fit, all without one.

    What this costs depends on how many runs must be looked at until enough have been found.
    Raises ``UsageError`` for an unknown campaign.
    """
    end = len(walk) if limit is None else limit
    if chosen.is_empty:
        return FoundRuns(read_overview(store, campaign, walk[:end]), len(walk) > end)
    seen, rows = _collect(store, campaign, walk, chosen, end)
    shown = tuple(sorted(rows[:end], key=_number))
    names = (chosen.workflow,) if chosen.workflow else seen.workflows
    return FoundRuns(seen._replace(runs=shown, workflows=names), len(rows) > end)


def find_sorted(
    store: Store, campaign: str, walk: Sequence[int], chosen: Filter, *, part: slice = WHOLE
) -> FoundRuns:
    """Return a ``part`` of the runs that fit, in order; ``walk`` has the newest first.

    Unless they are sorted by number, this looks at all of them; it holds what it sorts them by.
    Raises ``UsageError`` for an unknown campaign.
    """
    numbers = _numbers_in_order(store, campaign, walk, chosen, part.stop)
    shown = numbers[part]
    seen = read_overview(store, campaign, shown)
    known = {row.run: chosen.narrow(row) for row in seen.runs}
    names = (chosen.workflow,) if chosen.workflow else seen.workflows
    rows = tuple(known[number] for number in shown)
    has_more = part.stop is not None and len(numbers) > part.stop
    return FoundRuns(seen._replace(runs=rows, workflows=names), has_more)


def _numbers_in_order(
    store: Store, campaign: str, walk: Sequence[int], chosen: Filter, end: int | None
) -> list[int]:
    """Return the runs that fit in order; of those that their numbers sort, perhaps not more than
    one beyond ``end``.
    """
    sort = chosen.sort or Sort(NEWEST)
    if sort.is_by_run:
        in_turn = walk if sort.word == NEWEST else walk[::-1]
        return [row.run for row in _fitting(store, campaign, in_turn, chosen, end)]
    rows = _fitting(store, campaign, walk, chosen)
    return in_order([(sort.rank(row), row.run) for row in rows], sort)


def _fitting(
    store: Store, campaign: str, walk: Sequence[int], chosen: Filter, end: int | None = None
) -> Iterator[RunRow]:
    """Yield the rows of a walk that fit, at least one more than ``end`` if there are so many."""
    found = 0
    for begin in range(0, len(walk), LONGEST_STEP):
        asked = walk[begin : begin + LONGEST_STEP]
        rows = {row.run: row for row in read_overview(store, campaign, asked).runs}
        fitting = [
            rows[number] for number in asked if number in rows and chosen.takes(rows[number])
        ]
        yield from fitting
        found += len(fitting)
        if end is not None and found > end:
            return


def _number(row: RunRow) -> int:
    return row.run


def _collect(
    store: Store, campaign: str, walk: Sequence[int], chosen: Filter, end: int
) -> tuple[Overview, list[RunRow]]:
    """Return an overview and the rows that fit, until there is one more than ``end``."""
    rows: list[RunRow] = []
    begin, step = 0, FIRST_STEP
    while True:
        asked = walk[begin : begin + step]
        seen = read_overview(store, campaign, asked)
        fitting = {row.run: chosen.narrow(row) for row in seen.runs if chosen.takes(row)}
        rows += [fitting[number] for number in asked if number in fitting]
        begin, step = begin + step, min(2 * step, LONGEST_STEP)
        if len(rows) > end or begin >= len(walk):
            return seen, rows


def possible_runs(store: Store, campaign: str, chosen: Filter) -> Collection[int] | None:
    """Return the only runs that can fit, None if any run can."""
    columns = find_columns(store, find_lineage(store, campaign))
    of_tasks = _runs_of_tasks(store, columns, campaign, chosen)
    if chosen.where is None:
        return of_tasks
    records = store.runs(numbers=None if of_tasks is None else sorted(of_tasks)).records
    return {record.number for record in records if chosen.takes_run(record.attributes)}


def _runs_of_tasks(
    store: Store, columns: Sequence[Column], campaign: str, chosen: Filter
) -> Collection[int] | None:
    signs = _signs_of(chosen)
    asked = [column for column in columns if chosen.workflow in {"", column.workflow}]
    if signs is None or _is_unsure(store, columns, campaign, chosen) or not _knows_late(asked):
        return None
    found: set[int] = set()
    for column in asked:
        for task in _tasks_in(store, column, signs, is_alarm=chosen.is_alarm):
            found.update(task.members, column.state.late_runs(task.key.unit))
    return found


def _signs_of(chosen: Filter) -> tuple[TaskStatus, ...] | None:
    if chosen.is_alarm:
        return (TaskStatus.DONE,)
    return None if chosen.status is None else SIGNS.get(chosen.status)


def _is_unsure(store: Store, columns: Sequence[Column], campaign: str, chosen: Filter) -> bool:
    """Say whether a run without any task may fit: it is new while no workflow has looked at it."""
    if chosen.status is not TaskStatus.NEW or chosen.is_alarm:
        return False
    return not have_looked(columns, campaign, store.runs(numbers=()).position)


def _knows_late(columns: Sequence[Column]) -> bool:
    """Say whether it is known which runs came too late for their groups."""
    return not any(column.group_by and column.state.late is None for column in columns)


def _tasks_in(
    store: Store, column: Column, signs: tuple[TaskStatus, ...], *, is_alarm: bool
) -> Iterator[TaskRecord]:
    for task in store.tasks(Selection(column.campaign, (column.workflow,), None, signs)):
        if not is_alarm or quality_of(task.reason) == ALARM:
            yield task
