"""Which runs a page of the overview shows: newest first, fifty at a time, filtered by number and
status.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign, find_lineage
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.views import read_overview
from autoctrl.views.columns import find_columns
from autoctrl.views.runs import select_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from autoctrl.ports import Store
    from autoctrl.views import Overview, RunRow
    from autoctrl.views.columns import Column

PAGE = 50
LONGEST_STEP = 1600
# The statuses that a task of a run of this status may have; a done run has none that is open or
# failed.
SIGNS = {
    TaskStatus.FAILED: (TaskStatus.FAILED,),
    TaskStatus.PROCESSING: (TaskStatus.NEW, TaskStatus.PROCESSING),
    TaskStatus.NEW: (TaskStatus.NEW,),
}


class Filter(NamedTuple):
    """What a reader of the overview chose.

    runs    a selection such as ``4500-4510,4521``, empty for all
    status  only runs of this status, None for all
    before  only runs older than this one: the next page
    after   only runs newer than this one: the page before
    """

    runs: str = ""
    status: TaskStatus | None = None
    before: int | None = None
    after: int | None = None


class Page(NamedTuple):
    """One page of the overview.

    seen      the overview of the runs shown
    rows      the same rows, newest first
    total     runs that the selection means, whatever their status
    has_newer, has_older  there may be more on either side
    """

    seen: Overview
    rows: tuple[RunRow, ...]
    total: int
    has_newer: bool
    has_older: bool


def page_of(store: Store, campaign: str, known: Sequence[int], chosen: Filter) -> Page:
    """Return the page of the overview that was chosen.

    Raises ``UsageError`` for an unknown campaign.
    """
    mine = find_campaign(store, campaign)
    wanted = None if mine.follow else mine.wanted()
    numbers = select_runs(known, chosen.runs)
    if wanted is not None:
        numbers = [number for number in numbers if number in wanted]
    possible = _runs_that_can_be(chosen.status, store, campaign)
    if possible is None:
        walk = _walk(numbers, chosen)
    else:
        walk = _walk([number for number in numbers if number in possible], chosen)
    found = _take(store, campaign, walk.numbers, chosen.status)
    rows = tuple(sorted(found.seen.runs, key=lambda row: row.run, reverse=True))
    if walk.is_upwards:
        return Page(found.seen, rows, len(numbers), found.has_more, walk.is_cut)
    return Page(found.seen, rows, len(numbers), walk.is_cut, found.has_more)


class _Walk(NamedTuple):
    """The runs that a page may show, the first of them first.

    numbers     of the runs
    is_upwards  from older to newer ones
    is_cut      there are more where the walk begins
    """

    numbers: Sequence[int]
    is_upwards: bool
    is_cut: bool


class _Found(NamedTuple):
    """The overview of a page's runs, and whether there are more of them."""

    seen: Overview
    has_more: bool


def _walk(candidates: Sequence[int], chosen: Filter) -> _Walk:
    """Return the candidates from where the page begins: older ones backwards, newer ones up."""
    if chosen.after is not None and chosen.before is None:
        begin = bisect_right(candidates, chosen.after)
        return _Walk(candidates[begin:], is_upwards=True, is_cut=begin > 0)
    end = len(candidates)
    if chosen.before is not None:
        end = bisect_left(candidates, chosen.before)
    return _Walk(candidates[:end][::-1], is_upwards=False, is_cut=end < len(candidates))


def _take(store: Store, campaign: str, walk: Sequence[int], status: TaskStatus | None) -> _Found:
    """Return the overview of the first page of runs of a status, in the order of the walk."""
    if status is None:
        return _Found(read_overview(store, campaign, walk[:PAGE]), len(walk) > PAGE)
    rows: list[RunRow] = []
    begin, step = 0, PAGE
    while True:
        asked = walk[begin : begin + step]
        seen = read_overview(store, campaign, asked)
        rows_of = {row.run: row for row in seen.runs if row.status == status}
        rows += [rows_of[number] for number in asked if number in rows_of]
        begin, step = begin + step, min(2 * step, LONGEST_STEP)
        if len(rows) > PAGE or begin >= len(walk):
            return _Found(seen._replace(runs=tuple(rows[:PAGE])), len(rows) > PAGE)


def _runs_that_can_be(
    status: TaskStatus | None, store: Store, campaign: str
) -> Collection[int] | None:
    """Return the only runs that can be of a status, None if any run can."""
    if status not in SIGNS:
        return None
    columns = find_columns(store, find_lineage(store, campaign))
    if status is TaskStatus.NEW and not _have_looked(store, campaign, columns):
        return None  # a run that no workflow has looked at is new, and has no task
    if any(column.group_by and column.state.late is None for column in columns):
        return None  # it is not known yet which runs came too late for their group
    found: set[int] = set()
    for column in columns:
        selection = Selection(column.campaign, (column.workflow,), None, SIGNS[status])
        for task in store.tasks(selection):
            found.update(task.members, column.state.late_runs(task.key.unit))
    return found


def _have_looked(store: Store, campaign: str, columns: Sequence[Column]) -> bool:
    """Say whether every workflow of the campaign's own has looked at the newest run."""
    position = store.runs(numbers=()).position
    own = [column for column in columns if column.campaign == campaign]
    return bool(columns) and all(column.has_looked_at(position) for column in own)
