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
from autoctrl.stores.influx.points import NS_PER_S, NS_PER_US, line, readable_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from autoctrl.stores.influx.board import RunSpan
    from autoctrl.stores.influx.board_keeper import BoardKeeper
    from autoctrl.stores.influx.points import Entry
    from autoctrl.stores.influx.server import Server

FIRST_MONDAY_NS = 4 * 86_400 * NS_PER_S
WEEK_NS = 7 * 86_400 * NS_PER_S
# The server reserves ``time``; the others are ours.
OURS = frozenset({"time", "version", "run_number", "run_start_s", "run_end_s"})
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


def _custom(record: FieldsRecord) -> Iterator[tuple[str, str]]:
    yield "version", f"{record.version}i"
    plain: dict[str, object] = {}
    for name, value in record.values.items():
        key = _ODD_IN_KEY.sub("_", name)
        if key in OURS:
            key = f"{key}_"
        plain[key] = value if isinstance(value, str) else float(value)
    yield from readable_fields(plain)


def write_derived(
    server: Server, entries: Sequence[Entry], upto: int, board: BoardKeeper
) -> Iterator[str]:
    """Write what people read of new records, committed up to a position.

    Yields a sentence for each failure. Nothing is lost by one: the records are written already.
    """
    records = [entry.record for entry in entries]
    tasks = [record for record in records if isinstance(record, TaskRecord)]
    try:
        yield from board.follow(records, upto, overview_lines(tasks))
    except StoreError as error:
        yield f"The board for Grafana may be out of date: {error}"
    members = {task.key: task.members for task in tasks}
    for entry in entries:
        if isinstance(entry.record, FieldsRecord) and entry.record.values:
            unit = entry.record.task.unit
            runs = members.get(entry.record.task) or runs_of_unit(unit)
            yield from _write_fields(server, entry, partial(board.span_of, runs, upto))


def _write_fields(server: Server, entry: Entry, find_span: Callable[[], RunSpan]) -> Iterator[str]:
    try:
        server.write([fields_line(entry.record, entry.position * NS_PER_US, find_span())])
    except StoreError as error:
        task = entry.record.task
        yield f"Custom fields of {task} are kept, but not shown in Grafana: {error}"


__all__ = ["fields_line", "overview_line", "overview_lines", "overview_time", "write_derived"]
