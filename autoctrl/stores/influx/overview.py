"""What people and Grafana read at a glance, derived from the records: never trusted, made anew when
it is lost.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from autoctrl.model.output import FieldsRecord
from autoctrl.model.task import TaskRecord
from autoctrl.stores.influx.points import line, readable_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autoctrl.ports import Record

FIRST_MONDAY_NS = 4 * 86_400 * 10**9
WEEK_NS = 7 * 86_400 * 10**9
_ODD_IN_KEY = re.compile(r"[^A-Za-z0-9_]")


def place_of(unit: str) -> int:
    """Return the time at which a unit stands in the overview: its own, within one week so that one
    shard holds all.
    """
    digest = hashlib.blake2b(unit.encode(), digest_size=8).digest()
    return FIRST_MONDAY_NS + int.from_bytes(digest, "big") % WEEK_NS


def overview_line(task: TaskRecord) -> str:
    """Return the one point of a task, which takes the place of the one before."""
    fields = {
        "unit": task.key.unit, "status": task.status.value, "version": task.version, "reason": task.reason,
        "since": task.since.isoformat() if task.since else "", "log": task.log,
    }  # fmt: skip
    tags = {"campaign": task.key.campaign, "workflow": task.key.workflow}
    return line("overview", tags, readable_fields(fields), place_of(task.key.unit))


def fields_line(record: FieldsRecord, time_ns: int) -> str:
    """Return the point of custom fields: numbers always float, in a measurement of the workflow."""
    name = "fields_" + _ODD_IN_KEY.sub("_", record.task.workflow)
    tags = {"campaign": record.task.campaign, "unit": record.task.unit}
    return line(name, tags, _custom(record), time_ns)


def _custom(record: FieldsRecord) -> Iterator[tuple[str, str]]:
    yield "version", f"{record.version}i"
    plain: dict[str, object] = {}
    for name, value in record.values.items():
        key = _ODD_IN_KEY.sub("_", name)
        # The server keeps "time" for itself, and "version" is ours.
        plain[f"{key}_" if key in {"time", "version"} else key] = (
            value if isinstance(value, str) else float(value)
        )
    yield from readable_fields(plain)


def derived(
    records: Iterable[tuple[int, Record]],
) -> tuple[list[str], list[tuple[FieldsRecord, str]]]:
    """Return the overview's points of placed records, and one for each record of custom fields."""
    newest: dict[object, TaskRecord] = {}
    custom = []
    for position, record in records:
        if isinstance(record, TaskRecord):
            newest[record.key] = record
        elif isinstance(record, FieldsRecord) and record.values:
            custom.append((record, fields_line(record, position * 1000)))
    return [overview_line(task) for task in newest.values()], custom


__all__ = ["derived", "fields_line", "overview_line", "place_of"]
