"""Keeps the board as the records have it: what a batch changes, read from what is committed.

Each row is made anew from the truth and written after the commit, so whoever writes a run's row
next also puts right what somebody left out who was killed. Two who write one row at once: each
looks again after it has written, so the last of them has seen what both have committed.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.model.unit import TaskKey, run_unit
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.board import (
    BOARD,
    RUN_TIMES,
    Cell,
    Row,
    RunSpan,
    ask_rows,
    ask_statuses,
    blank_line,
    board_lines,
    cell_name,
    has_place,
    is_cell,
    rows_of,
    run_at,
    runs_of_unit,
    units_of,
)
from autoctrl.stores.influx.cache import newest_of
from autoctrl.stores.influx.flux import Positions
from autoctrl.stores.influx.journal import EVER, read_entries
from autoctrl.stores.influx.points import tag_value
from autoctrl.stores.influx.server import of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from autoctrl.model.run import Value
    from autoctrl.ports import Record
    from autoctrl.stores.influx.cache import Cache
    from autoctrl.stores.influx.journal import Journal
    from autoctrl.stores.influx.server import FluxRow, Server
    from autoctrl.stores.influx.view import View

AT_ONCE = 100
MOST_KNOWN = 20_000
MOST_LOOKS = 20


class Change(NamedTuple):
    """What a batch changes on the board.

    rows   runs by campaign, of which tasks have moved
    runs   runs whose attributes have changed, in every campaign
    units  the units that moved, with the runs that they hold
    """

    rows: Mapping[str, set[int]]
    runs: frozenset[int]
    units: Mapping[str, tuple[int, ...]]

    @property
    def numbers(self) -> list[int]:
        """Every run of which a row may change, sorted."""
        return sorted(self.runs.union(*self.rows.values()))

    @property
    def campaigns(self) -> list[str] | None:
        """The campaigns whose rows may change, None for all."""
        return None if self.runs else sorted(self.rows)

    def touches(self, row: Row) -> bool:
        """Whether a row may change."""
        return row.run in self.runs or row.run in self.rows.get(row.campaign, ())

    def within(self, other: Change) -> Change:
        """Return what both change."""
        rows = {
            name: {run for run in runs if other.touches(Row(name, run))}
            for name, runs in self.rows.items()
        }
        shared = self.runs & set(other.numbers)
        return Change({name: runs for name, runs in rows.items() if runs}, shared, self.units)


def change_of(records: Iterable[Record]) -> Change:
    """Return what records change; a run that is new stands on no board yet."""
    listed = list(records)
    runs = (one for one in listed if isinstance(one, RunRecord) and one.sequence > 1)
    tasks = (one for one in listed if isinstance(one, TaskRecord))
    return Change(
        rows_of(listed),
        frozenset(filter(has_place, (run.number for run in runs))),
        {task.key.unit: task.members for task in tasks},
    )


class BoardKeeper:
    """Writes the rows of the board that a batch changes."""

    def __init__(self, server: Server, view: View, journal: Journal, cache: Cache) -> None:
        self._server = server
        self._view = view
        self._journal = journal
        # It is followed with each turn, so a run that is known there is known as it is.
        self._cache = cache

    def follow(
        self, records: Sequence[Record], upto: int, beside: Sequence[str] = ()
    ) -> Iterator[str]:
        """Write the rows that a batch changes, committed up to a position, and points ``beside``.

        Yields a sentence for what cannot be read or written. Raises ``StoreError`` if it cannot be
        seen whether others have written meanwhile.
        """
        change, position, points = change_of(records), upto, [*beside]
        for _ in range(MOST_LOOKS):
            yield from self._write(change, position, points)
            if not change.numbers:
                return
            state, rows = self._view.look(partial(self._ask_tail, position))
            entries = read_entries(of_stream(rows, "tail"), self._view.counts)
            later = [entry.record for entry in entries if entry.position > position]
            for run in later:
                if isinstance(run, RunRecord):
                    self._cache.take(run)
            change, position, points = change_of(later).within(change), state.committed.last, []

    def _ask_tail(self, since: int, upto: int) -> str:
        return self._journal.tail(since, upto) if since < upto else ""

    def _write(self, change: Change, upto: int, points: list[str]) -> Iterator[str]:
        """Write points, and the rows as they are at a position."""
        numbers = iter(change.numbers)
        while chunk := list(islice(numbers, AT_ONCE)):
            try:
                points += self._read(chunk, change, upto).lines(change)
            except StoreError as error:
                yield f"The board for Grafana is out of date: {error}"
            yield from self._put(points)
            points = []
        yield from self._put(points)

    def _put(self, points: list[str]) -> Iterator[str]:
        try:
            self._server.write(points)
        except StoreError as error:
            yield f"The tables for Grafana are out of date: {error}"

    def span_of(self, members: Iterable[int], upto: int) -> RunSpan:
        """Return when the first of these runs began and the last of them ended.

        Raises ``StoreError``.
        """
        listed = sorted(members)
        return span_of_runs(listed, self.find_runs(listed, upto))

    def rebuild(
        self, campaign: str, tasks: Sequence[TaskRecord], runs: Mapping[int, RunRecord]
    ) -> int:
        """Write a campaign's rows anew from the newest records; return how many there are.

        Raises ``StoreError``.
        """
        change = change_of(tasks)
        numbers = change.numbers
        standings = [Standing(task.key, task.status, task.members) for task in tasks]
        asked = ask_rows(self._journal.bucket, numbers, campaign) if numbers else ""
        before = self._server.query(asked)
        reading = BoardReading(frozenset(numbers), runs, standings, before)
        self._server.write(list(reading.lines(change)))
        return len(numbers)

    def _read(self, numbers: Sequence[int], change: Change, upto: int) -> BoardReading:
        """Read what the rows of these runs are made from, as of a committed position."""
        runs = self.find_runs(numbers, upto)
        units = all_units(numbers, runs.values(), change)
        asked = ask_statuses(self._journal.bucket, units, change.campaigns, upto)
        changed = change.runs.intersection(numbers)
        if changed:
            asked += ask_rows(self._journal.bucket, changed)
        rows = self._server.query(asked)
        statuses = of_stream(rows, "statuses")
        if all(self._view.counts(row.position) for row in statuses):
            tasks = self._read_statuses(statuses)
        else:
            tasks = self._read_tasks(units, change.campaigns, upto)
        return BoardReading(frozenset(numbers), runs, tasks, of_stream(rows, BOARD))

    def find_runs(self, numbers: Sequence[int], upto: int) -> dict[int, RunRecord]:
        """Return what is known of runs, read as far as this client has not seen them.

        Raises ``StoreError``.
        """
        known = self._cache.runs
        if len(known) > MOST_KNOWN:
            known.clear()
        unknown = [number for number in numbers if number not in known]
        if unknown:
            span = Positions(EVER, upto)
            rows = self._server.query(self._journal.of_runs("runs", span, unknown))
            entries = read_entries(rows, self._view.counts)
            found: Any = newest_of(entry.record for entry in entries)
            known.update(found)
        return {number: known[number] for number in numbers if number in known}

    def _read_statuses(self, rows: Iterable[FluxRow]) -> list[Standing]:
        listed = list(rows)
        members = {
            entry.record.key: entry.record.members
            for entry in read_entries(
                (row for row in listed if row.field != "status"), self._view.counts
            )
        }
        found = []
        for row in listed:
            if row.field == "status":
                key = TaskKey(*(tag_value(row.extra[name]) for name in TaskKey._fields))
                found.append(Standing(key, TaskStatus(row.value), members.get(key)))
        return found

    def _read_tasks(
        self, units: Iterable[str], campaigns: Sequence[str] | None, upto: int
    ) -> list[Standing]:
        """Read every record, since the last of some does not count."""
        conditions = [flux.measurement("task"), flux.BODIES, flux.one_of("unit", units)]
        if campaigns is not None:
            conditions.append(flux.one_of("campaign", campaigns))
        span = Positions(EVER, upto)
        asked = flux.select(self._journal.bucket, "found", conditions, span)
        entries = read_entries(self._server.query(asked), self._view.counts)
        newest: Any = newest_of(entry.record for entry in entries).values()
        return [Standing(task.key, task.status, task.members) for task in newest]


def all_units(
    numbers: Iterable[int], runs: Iterable[RunRecord], change: Change
) -> dict[str, list[int]]:
    """Return the units in which these runs may be, with those that a batch has moved."""
    units = units_of(runs)
    for number in numbers:
        units.setdefault(run_unit(number), [number])
    for unit, members in change.units.items():
        units.setdefault(unit, [*members])
    return units


def span_of_runs(members: Sequence[int], runs: Mapping[int, RunRecord]) -> RunSpan:
    """Return when the first of these runs, sorted, began and the last of them ended."""
    known = [runs[number].attributes for number in members if number in runs]
    starts, ends = (times_of(name, known) for name in RUN_TIMES)
    return RunSpan(members, min(starts, default=None), max(ends, default=None))


def times_of(name: str, attributes: Iterable[Mapping[str, Value]]) -> list[datetime]:
    """Return the values of an attribute that are times."""
    values = (each.get(name) for each in attributes)
    return [value for value in values if isinstance(value, datetime)]


class Standing(NamedTuple):
    """Where a task stands.

    key      of the task
    status   its newest
    members  the runs of its unit, None for a run's own
    """

    key: TaskKey
    status: TaskStatus
    members: tuple[int, ...] | None

    def runs(self) -> tuple[int, ...]:
        """Return the runs in whose rows it stands."""
        return runs_of_unit(self.key.unit) if self.members is None else self.members


class BoardReading(NamedTuple):
    """What the rows of some runs are made from.

    numbers  the runs
    runs     what is known of them
    tasks    the tasks in which they may be
    before   fields of rows as they were, of runs that have changed
    """

    numbers: frozenset[int]
    runs: Mapping[int, RunRecord]
    tasks: Sequence[Standing]
    before: Sequence[FluxRow]

    def lines(self, change: Change) -> Iterator[str]:
        """Yield the points of every row that may have changed."""
        rows: defaultdict[Row, list[Cell]] = defaultdict(list)
        units = {number: set(units_of([run])) for number, run in self.runs.items()}
        for task in self.tasks:
            for number in self.numbers.intersection(task.runs()):
                if number in units and task.key.unit not in units[number]:
                    continue  # it was a member, and is said to belong to another group now
                rows[Row(task.key.campaign, number)].append(Cell(task.key.workflow, task.status))
        for row, cells in rows.items():
            if change.touches(row):
                yield from board_lines(row, self.runs.get(row.run), cells)
        yield from blank_lines(rows, self.before)


def blank_lines(rows: Mapping[Row, Sequence[Cell]], before: Iterable[FluxRow]) -> Iterator[str]:
    """Yield points that empty the cells which rows had before and have no more."""
    gone: defaultdict[Row, set[str]] = defaultdict(set)
    for field in before:
        row = Row(tag_value(field.extra["campaign"]), run_at(field.time))
        names = {cell_name(cell.workflow) for cell in rows.get(row, ())}
        if row in rows and is_cell(field.field) and field.field not in names and field.value:
            gone[row].add(field.field)
    for row, names in gone.items():
        yield blank_line(row, names)
