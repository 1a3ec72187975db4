"""Which runs a page of the overview shows: newest first, fifty at a time, filtered by number and
status.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import parse_runs
from autoctrl.ports import Selection
from autoctrl.views import read_overview
from autoctrl.views.columns import find_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from autoctrl.model.campaign import Campaign
    from autoctrl.ports import Store
    from autoctrl.views import Overview, RunRow

PAGE = 50
LONGEST_STEP = 1600
LONGEST_SELECTION = 2000
PIECE = re.compile(r"\s*(\d{1,12})(?:-(\d{1,12}))?\s*")
# The statuses that a task of a run of this status may have; a done run has none that is open or
# failed.
SIGNS = {
    TaskStatus.FAILED: (TaskStatus.FAILED,),
    TaskStatus.PROCESSING: (TaskStatus.NEW, TaskStatus.PROCESSING),
    TaskStatus.NEW: (TaskStatus.NEW,),
}


class RunIndex:
    """The numbers of all runs, in order; asks the store only for what is new."""

    def __init__(self, store: Store) -> None:
        """Know nothing until it is asked."""
        self._store, self._lock = store, Lock()
        self._numbers: list[int] = []
        self._position = 0

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all runs that are registered now; the list is not to be changed."""
        with self._lock:
            records, position = self._store.runs(self._position)
            new = (
                {record.number for record in records}.difference(self._numbers)
                if records
                else set()
            )
            if new:
                self._numbers = sorted([*self._numbers, *new])
            self._position = position
            return self._numbers


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


def intervals(text: str) -> list[tuple[int, int]]:
    """Return the first and last run of each piece of a selection.

    Raises ``UsageError`` as ``parse_runs`` does.
    """
    found = []
    for piece in text.split(","):
        match = PIECE.fullmatch(piece)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            parse_runs(piece)  # says what is wrong with it
            message = f"'{piece.strip()}' is no run: its number is too long."
            raise UsageError(message)
        found.append((first, last))
    return found


def select(numbers: Sequence[int], text: str) -> list[int]:
    """Return those of the known ``numbers``, which are in order, that a selection means; all if it
    is empty.
    """
    if not text.strip():
        return list(numbers)
    chosen: set[int] = set()
    for first, last in intervals(text):
        chosen.update(numbers[bisect_left(numbers, first) : bisect_right(numbers, last)])
    return sorted(chosen)


def check_length(text: str) -> str:
    """Return a selection of runs and groups that a verb may take.

    Raises ``UsageError`` if it is longer than 2000.
    """
    runs = [piece for piece in text.split(",") if ":" not in piece]
    if (
        runs
        and sum(last - first + 1 for first, last in intervals(",".join(runs))) > LONGEST_SELECTION
    ):
        message = f"'{text}' means more than {LONGEST_SELECTION} runs."
        raise UsageError(message, hint="Take fewer at once, or say it on the command line.")
    return text


def page_of(store: Store, campaign: str, known: Sequence[int], chosen: Filter) -> Page:
    """Return the page of the overview that was chosen.

    Raises ``UsageError`` for an unknown campaign.
    """
    mine = find_lineage(store, campaign)[0]
    wanted = None if mine.follow else mine.wanted()
    numbers = [
        number for number in select(known, chosen.runs) if wanted is None or number in wanted
    ]
    signed = _with_signs(store, campaign, mine, chosen.status)
    candidates = numbers if signed is None else [number for number in numbers if number in signed]
    before, after = chosen.before, chosen.after
    is_upwards = after is not None and before is None
    if is_upwards and after is not None:
        walk = candidates[bisect_right(candidates, after) :]
        is_behind = len(walk) < len(candidates)
    else:
        walk = candidates[: len(candidates) if before is None else bisect_left(candidates, before)][
            ::-1
        ]
        is_behind = len(walk) < len(candidates)
    seen, rows, has_more = _take(store, campaign, walk, chosen.status)
    rows = sorted(rows, key=lambda row: row.run, reverse=True)
    has_newer, has_older = (has_more, is_behind) if is_upwards else (is_behind, has_more)
    return Page(seen, tuple(rows), len(numbers), has_newer, has_older)


def _take(
    store: Store, campaign: str, walk: Sequence[int], status: TaskStatus | None
) -> tuple[Overview, list[RunRow], bool]:
    """Return an overview, the first page of rows of this status, and whether there is more."""
    if status is None:
        seen = read_overview(store, campaign, walk[:PAGE])
        return seen, list(seen.runs), len(walk) > PAGE
    rows: list[RunRow] = []
    begin, step = 0, PAGE
    while True:
        asked = walk[begin : begin + step]
        seen = read_overview(store, campaign, asked)
        places = {number: place for place, number in enumerate(asked)}
        rows += sorted(
            (row for row in seen.runs if row.status == status), key=lambda row: places[row.run]
        )
        begin, step = begin + step, min(2 * step, LONGEST_STEP)
        if len(rows) > PAGE or begin >= len(walk):
            return seen._replace(runs=tuple(rows[:PAGE])), rows[:PAGE], len(rows) > PAGE


def _with_signs(
    store: Store, campaign: str, mine: Campaign, status: TaskStatus | None
) -> Collection[int] | None:
    """Return the only runs that can be of this status, None if any run can."""
    if status not in SIGNS:
        return None
    columns = find_columns(store, find_lineage(store, campaign))
    own = [column for column in columns if column.campaign == mine.name]
    position = store.runs(numbers=()).position
    has_looked = bool(columns) and all(column.has_looked_at(position) for column in own)
    if status is TaskStatus.NEW and not has_looked:
        return None  # a run at which nobody has looked is new, and has no task
    if any(column.group_by and column.state.late is None for column in columns):
        return None  # nobody has said yet which runs came too late for their group
    found: set[int] = set()
    for column in columns:
        for task in store.tasks(
            Selection(column.campaign, (column.workflow,), None, SIGNS[status])
        ):
            found.update(task.members, column.state.late_runs(task.key.unit))
    return found
