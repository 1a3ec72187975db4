"""What people and Grafana read at a glance, derived from the records.

The store never reads it, and it can be made anew when it is lost.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.errors import StoreError
from autoctrl.model.output import FieldsRecord
from autoctrl.model.task import TaskRecord
from autoctrl.stores.influx.board import UNKNOWN_SPAN, runs_of_unit
from autoctrl.stores.influx.board_keeper import span_of_runs
from autoctrl.stores.influx.occasions import occasion_lines
from autoctrl.stores.influx.points import NS_PER_S, NS_PER_US, line, readable_fields
from autoctrl.stores.influx.stages import ends_stage, latency_lines
from autoctrl.stores.rows import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.run import RunRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.stores.influx.board import RunSpan
    from autoctrl.stores.influx.board_keeper import BoardKeeper
    from autoctrl.stores.influx.points import Entry
    from autoctrl.stores.influx.server import Server

FIRST_MONDAY_NS = 4 * 86_400 * NS_PER_S
WEEK_NS = 7 * 86_400 * NS_PER_S
# The server reserves ``time``; the others are ours.
OURS = frozenset({"time", "version", "run_number", "run_start_s", "run_end_s", "taken_s"})
_ODD_IN_KEY = re.compile(r"[^A-Za-z0-9_]")


def overview_time(unit: str) -> int:
    """Return the time of a unit's point in the overview, ns since 1970.

    Each unit has its own, all within one week, so that one shard holds them.
    """
    digest = hashlib.blake2b(unit.encode(), digest_size=8).digest()
    return FIRST_MONDAY_NS + int.from_bytes(digest, "big") % WEEK_NS


def overview_line(task: TaskRecord) -> str:
    """Return the one point of a task, which replaces the one before."""
    fields = {
        "unit": task.key.unit,
        "status": task.status.value,
        "version": task.version,
        "reason": task.reason,
        "since": task.since.isoformat() if task.since else "",
        "log": task.log,
    }
    tags = {"campaign": task.key.campaign, "workflow": task.key.workflow}
    return line("overview", tags, readable_fields(fields), overview_time(task.key.unit))


def overview_lines(tasks: Iterable[TaskRecord]) -> list[str]:
    """Return a point for the last record of each task."""
    newest = {task.key: task for task in tasks}
    return [overview_line(task) for task in newest.values()]


def fields_line(record: FieldsRecord, time_ns: int, span: RunSpan = UNKNOWN_SPAN) -> str:
    """Return the point of custom fields: numbers always float, in a measurement of the workflow.

    ``span`` says when the data were taken, so that panels can show them over that time.
    """
    name = "fields_" + _ODD_IN_KEY.sub("_", record.task.workflow)
    tags = {"campaign": record.task.campaign, "unit": record.task.unit}
    return line(name, tags, [*_custom(record), *span.fields()], time_ns)


def taken_line(record: FieldsRecord, time_ns: int, span: RunSpan = UNKNOWN_SPAN) -> str:
    """Return the point of the numbers among custom fields, at the middle of the time when the data
    were taken; at ``time_ns`` if that is unknown.

    A later version replaces it. ``taken_s`` says how long that time was, so that a mean can give
    each run its weight; a second if nobody knows.
    """
    name = "taken_" + _ODD_IN_KEY.sub("_", record.task.workflow)
    tags = {"campaign": record.task.campaign, "unit": record.task.unit}
    numbers = {key: value for key, value in _plain(record) if not isinstance(value, str)}
    version = ("version", f"{record.version}i")
    run = (field for field in span.fields() if field[0] == "run_number")
    taken_s, middle_ns = _place(span, time_ns)
    return line(
        name,
        tags,
        [version, *readable_fields(numbers), *run, ("taken_s", repr(taken_s))],
        middle_ns,
    )


def all_fields_lines(
    entries: Iterable[Entry], span_of: Callable[[Sequence[int]], RunSpan]
) -> Iterator[str]:
    """Yield the points of all custom fields among the records of some tasks, oldest first."""
    members: dict[TaskKey, tuple[int, ...]] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, TaskRecord):
            members[record.key] = record.members
        elif isinstance(record, FieldsRecord) and record.values:
            span = span_of(members.get(record.task) or runs_of_unit(record.task.unit))
            for make in (fields_line, taken_line):
                yield make(record, entry.position * NS_PER_US, span)


def _place(span: RunSpan, time_ns: int) -> tuple[float, int]:
    """Return how long data were taken, s, and the middle of that time, ns since 1970."""
    known = [moment for moment in (span.start, span.end) if moment is not None]
    if not known:
        return 1.0, time_ns
    begin, end = min(known), max(known)
    length_s = (end - begin).total_seconds()
    return length_s or 1.0, (micros(begin) + micros(end)) // 2 * NS_PER_US


def _custom(record: FieldsRecord) -> Iterator[tuple[str, str]]:
    yield "version", f"{record.version}i"
    yield from readable_fields(dict(_plain(record)))


def _plain(record: FieldsRecord) -> Iterator[tuple[str, float | str]]:
    """Yield custom fields by the names of their columns, numbers as float."""
    for name, value in record.values.items():
        key = _ODD_IN_KEY.sub("_", name)
        if key in OURS:
            key = f"{key}_"
        yield key, value if isinstance(value, str) else float(value)


def write_derived(
    server: Server, entries: Sequence[Entry], upto: int, board: BoardKeeper
) -> Iterator[str]:
    """Write what people read of new records, committed up to a position.

    Yields a sentence for each failure. Nothing is lost by one: the records are written already.
    """
    records = [entry.record for entry in entries]
    tasks = [record for record in records if isinstance(record, TaskRecord)]
    beside = [*overview_lines(tasks), *occasion_lines(entries)]
    try:
        beside += _stages_of(entries, tasks, partial(board.find_runs, upto=upto))
    except StoreError as error:
        yield f"The latencies for Grafana are out of date: {error}"
    try:
        yield from board.follow(records, upto, beside)
    except StoreError as error:
        yield f"The board for Grafana may be out of date: {error}"
    members = {task.key: task.members for task in tasks}
    for entry in filter(_has_values, entries):
        key = entry.record.task
        runs = members.get(key) or runs_of_unit(key.unit)
        yield from _write_fields(server, entry, partial(board.span_of, runs, upto))


def _has_values(entry: Entry) -> bool:
    return isinstance(entry.record, FieldsRecord) and bool(entry.record.values)


def _stages_of(
    entries: Sequence[Entry],
    tasks: Iterable[TaskRecord],
    find_runs: Callable[[Sequence[int]], Mapping[int, RunRecord]],
) -> Iterator[str]:
    """Yield the points of stages that are over; all runs that this needs are read at once."""
    numbers = {number for task in tasks if ends_stage(task) for number in task.members}
    runs = find_runs(sorted(numbers)) if numbers else {}
    yield from latency_lines(entries, lambda members: span_of_runs(members, runs).end)


def _write_fields(server: Server, entry: Entry, find_span: Callable[[], RunSpan]) -> Iterator[str]:
    try:
        span, time_ns = find_span(), entry.position * NS_PER_US
        server.write([make(entry.record, time_ns, span) for make in (fields_line, taken_line)])
    except StoreError as error:
        task = entry.record.task
        yield f"Custom fields of {task} are kept, but not shown in Grafana: {error}"


__all__ = [
    "all_fields_lines",
    "fields_line",
    "overview_line",
    "overview_lines",
    "overview_time",
    "taken_line",
    "write_derived",
]
