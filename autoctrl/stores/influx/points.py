"""Record ⇄ line protocol, pure.

A record's complete body is the JSON list of its row (``rows``), split into fields ``body``,
``body1``, … because a string field holds at most 64 KB. It stands in the measurement ``journal``
and, with typed fields beside it that people and Grafana read, in a measurement of its kind.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from autoctrl.errors import StoreError
from autoctrl.model.condition import CONDITION, is_open
from autoctrl.model.job import JobRecord, index_text
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.quota import QUOTA, Usage, percent_used
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.stores import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.stores.json_values import Encoder

KINDS: Mapping[type, str] = {
    TaskRecord: "task",
    JobRecord: "job",
    OutputRecord: "output",
    FieldsRecord: "fields",
    RunRecord: "run",
    MarkRecord: "mark",
}
NS_PER_US = 1_000
NS_PER_S = 1_000_000_000
CARRIED = "carried-"
PIECE_BYTES = 60_000
READABLE = 2_000
LARGEST = 2**63
_ODD_IN_TAG = re.compile(r"[^A-Za-z0-9_.:/+-]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_DECODE = json.JSONDecoder().decode
_ROWS: Mapping[str, Callable[[Any, Encoder], rows.Row]] = {
    "task": rows.task_row,
    "job": rows.job_row,
    "output": rows.output_row,
    "fields": rows.fields_row,
    "run": rows.run_row,
    "mark": rows.mark_row,
}
_RECORDS: Mapping[str, Callable[[rows.Row], Record]] = {
    "task": rows.task_record,
    "job": rows.job_record,
    "output": lambda row: rows.output_record((0, *row)),
    "fields": lambda row: rows.fields_record((0, *row)),
    "run": lambda row: rows.run_record((0, *row)),
    "mark": rows.mark_record,
}


class Entry(NamedTuple):
    """A record as it stands in the journal.

    position  µs since 1970, unique in the store
    kind      ``task``, ``job``, ``output``, ``fields``, ``run``, ``mark``
    record    the record
    """

    position: int
    kind: str
    record: Any


class Body(NamedTuple):
    """A record on its way into the store.

    kind    of record
    record  the record
    text    its complete row as JSON
    """

    kind: str
    record: Record
    text: str


def tag_text(value: str) -> str:
    """Return a value as it stands in a tag, with unusual characters percent-encoded.

    Otherwise line breaks and backslashes at the end would be lost. An empty tag would vanish, so it
    is written as a percent sign alone.
    """
    return _ODD_IN_TAG.sub(_percent, value) or "%"


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def tag_value(text: str) -> str:
    """Return the value that ``tag_text`` wrote."""
    return "" if text == "%" else unquote(text)


def field_text(value: str) -> str:
    """Return a string field."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def encode_body(record: Record, encode: Encoder) -> Body:
    """Return a record ready to be written; raises ``StoreError`` for what no store can hold."""
    kind = KINDS[type(record)]
    row = _ROWS[kind](record, encode)
    # Whole numbers beyond 64 bits and halves of characters are refused alike by every store.
    too_large = [
        value for value in row if isinstance(value, int) and not -LARGEST <= value < LARGEST
    ]
    text = _ENCODE(row)
    if too_large or not _is_whole(text):
        message = f"A {kind} record cannot be stored: the store cannot hold a value in it."
        raise StoreError(
            message, hint="Whole numbers may have at most 64 bits, and texts must be valid Unicode."
        )
    return Body(kind, record, text)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def decode_body(kind: str, text: str) -> Any:  # noqa: ANN401 - the record that the kind says
    """Return the record of a body."""
    return _RECORDS[kind](tuple(_DECODE(text)))


def split(text: str) -> list[str]:
    """Return a text in pieces, each short enough for a string field."""
    if len(text) * 4 <= PIECE_BYTES or len(text.encode()) <= PIECE_BYTES:
        return [text]
    step = PIECE_BYTES // 4
    return [text[start : start + step] for start in range(0, len(text), step)]


def bodies(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the fields that hold a body."""
    for number, piece in enumerate(split(text)):
        yield (f"body{number}" if number else "body"), field_text(piece)


def line(
    measurement: str, tags: Mapping[str, str], fields: Iterable[tuple[str, str]], time_ns: int
) -> str:
    """Return one point; tags are encoded and, as the server prefers, sorted; fields are ready."""
    tagged = "".join(f",{name}={tag_text(tags[name])}" for name in sorted(tags))
    written = ",".join(f"{name}={value}" for name, value in fields)
    return f"{measurement}{tagged} {written} {time_ns}"


def lines(body: Body, position: int) -> list[str]:
    """Return the points of one record: one in the journal, one for people and reading by unit."""
    kind, record = body.kind, body.record
    pieces = list(bodies(body.text))
    time_ns = position * NS_PER_US
    return [
        line("journal", {"kind": kind, **_journal_tags(record)}, pieces, time_ns),
        line(kind, _tags(record), [*_readable(record), *pieces], time_ns),
    ]


def carried_line(body: Body, position: int) -> str:
    """Return the point of a record that the journal repeats, so that reading may begin later."""
    tags = {"kind": CARRIED + body.kind, **_journal_tags(body.record)}
    return line("journal", tags, bodies(body.text), position * NS_PER_US)


def _task_of(record: Any) -> TaskKey:  # noqa: ANN401 - any record of a task
    if isinstance(record, TaskRecord):
        return record.key
    if isinstance(record, JobRecord):
        return record.key.task
    found: TaskKey = record.task
    return found


def _journal_tags(record: Record) -> dict[str, str]:
    if isinstance(record, RunRecord):
        return {}
    if isinstance(record, MarkRecord):
        return {"campaign": record.campaign}
    key = _task_of(record)
    return {"campaign": key.campaign, "workflow": key.workflow}


def _tags(record: Record) -> dict[str, str]:
    if isinstance(record, RunRecord):
        return {"run": str(record.number)}
    if isinstance(record, MarkRecord):
        return {"kind": record.kind, "campaign": record.campaign, "name": record.name}
    return _task_of(record)._asdict()


def _task_fields(record: TaskRecord) -> dict[str, object]:
    return {
        "status": record.status.value,
        "version": record.version,
        "sequence": record.sequence,
        "epoch": record.epoch,
        "reason": record.reason,
        "actor": record.actor.name,
        "via": record.actor.via,
        "environment": record.environment,
        "since": record.since,
        "until": record.until,
        "log": record.log,
    }


def _job_fields(record: JobRecord) -> dict[str, object]:
    return {
        "status": record.status.value,
        "version": record.key.version,
        "index": record.key.index,
        "job": index_text(record.key.index),
        "attempt": record.attempt,
        "role": record.role.value,
        "sequence": record.sequence,
        "epoch": record.epoch,
        "reason": record.reason,
        "failure": record.failure.value if record.failure else "",
        "environment": record.environment,
        "host": record.host,
        "handle": record.handle,
        "exit_code": record.exit_code,
        "signal": record.signal,
        "wall_s": record.wall_s,
        "cpu_s": record.cpu_s,
        "peak_memory_mb": record.peak_memory_mb,
        "log": record.log,
    }


def _output_fields(record: OutputRecord) -> dict[str, object]:
    return {
        "version": record.version,
        "name": record.name,
        "url": record.url,
        "state": record.state.value,
        "bytes": record.bytes,
    }


def _custom_fields(record: FieldsRecord) -> dict[str, object]:
    return {"version": record.version}


def _author_fields(record: RunRecord | MarkRecord) -> dict[str, object]:
    return {"sequence": record.sequence, "actor": record.actor.name}


def _mark_fields(record: MarkRecord) -> dict[str, object]:
    """Return what people read of a mark: why, of a condition what and whether it is still so, and
    of a quota its numbers.
    """
    known = {**_author_fields(record), "reason": record.reason}
    if record.kind == CONDITION:
        values = record.values
        chosen = {name: str(values.get(name, "")) for name in ("about", "since", "workflow")}
        return {**known, **chosen, "standing": "open" if is_open(record) else "over"}
    if record.kind == QUOTA:
        return {**known, **_quota_fields(record)}
    return known


def _quota_fields(record: MarkRecord) -> dict[str, object]:
    values = {name: record.values.get(name) for name in Usage._fields}
    known = {name: n for name, n in values.items() if isinstance(n, int) and abs(n) < LARGEST}
    if "used_bytes" not in known:
        return {}
    return {
        "percent": percent_used(Usage(**known)),
        **{name: float(n) for name, n in known.items()},
    }


_FIELDS: Mapping[type, Callable[[Any], dict[str, object]]] = {
    TaskRecord: _task_fields,
    JobRecord: _job_fields,
    OutputRecord: _output_fields,
    FieldsRecord: _custom_fields,
    RunRecord: _author_fields,
    MarkRecord: _mark_fields,
}


def _readable(record: Record) -> Iterator[tuple[str, str]]:
    yield "written", field_text(record.time.isoformat())
    yield from readable_fields(_FIELDS[type(record)](record))


def readable_fields(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the fields for people, each name always with values of one type.

    Control characters and the ends of long texts are left out.
    """
    for name, value in values.items():
        text = _field(value)
        if text is not None:
            yield name, text


def _field(value: object) -> str | None:
    """Return a value as a field, None for what has none."""
    if value is None:
        return None
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, float):
        return repr(value) if isfinite(value) else None
    words = value.isoformat() if isinstance(value, datetime) else str(value)
    return field_text(_CONTROL.sub(" ", words)[:READABLE])
