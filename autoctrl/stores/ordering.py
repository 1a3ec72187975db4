"""How records follow each other, pure: identities, sequences, conflicts, the order of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from autoctrl.errors import Conflict, StoreError
from autoctrl.model.job import JobRecord, index_text
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.model.unit import unit_order

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from datetime import datetime

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record

    Sequenced = TaskRecord | JobRecord | RunRecord | MarkRecord

KINDS = (TaskRecord, JobRecord, RunRecord, MarkRecord, OutputRecord, FieldsRecord)
ANY = TypeVar("ANY", bound="Sequenced")
KEY = TypeVar("KEY", bound="Hashable")


class Span(NamedTuple):
    """The records of one identity within one batch.

    first  sequence of the first
    last   the last of them
    """

    first: int
    last: Sequenced


def mark_key(record: MarkRecord) -> tuple[str, str, str]:
    """Return the identity of a mark."""
    return record[:3]


def by_kind(records: Iterable[Record]) -> dict[type, list[Record]]:
    """Sort a batch by kind of record, keeping the order.

    Raises ``StoreError`` for what is not a record.
    """
    kinds: dict[type, list[Record]] = {}
    for record in records:
        kinds.setdefault(type(record), []).append(record)
    for kind in kinds:
        if kind not in KINDS:
            message = f"A store does not keep values of type {kind.__name__}."
            known = ", ".join(known.__name__ for known in KINDS)
            raise StoreError(message, hint=f"It keeps {known}.")
    return kinds


def spans(records: Iterable[ANY], identity: Callable[[ANY], KEY]) -> dict[KEY, Span]:
    """Return the span of every identity in the batch; raises ``Conflict`` if one has a gap."""
    found: dict[KEY, Span] = {}
    for record in records:
        key = identity(record)
        span = found.get(key)
        if span is None:
            found[key] = Span(record.sequence, record)
        elif record.sequence == span.last.sequence + 1:
            found[key] = Span(span.first, record)
        else:
            raise conflict(record.sequence, record, span.last)
    return found


def spell_identity(record: Sequenced) -> str:
    """Name the identity of a record as people read it."""
    if isinstance(record, TaskRecord):
        return str(record.key)
    if isinstance(record, JobRecord):
        return f"{record.key.task} v{record.key.version} job {index_text(record.key.index)}"
    if isinstance(record, RunRecord):
        return f"run {record.number}"
    return f"the {record.kind} mark of {'/'.join(filter(None, (record.campaign, record.name)))}"


def conflict(sequence: int, refused: Sequenced, newest: Sequenced | None) -> Conflict:
    """Return the error for a ``sequence`` that does not follow the newest one of its identity."""
    if newest is None:
        there = "there is no record of it"
    else:
        status = f"{newest.status}, " if isinstance(newest, TaskRecord | JobRecord) else ""
        author = f"{newest.actor.name} ({newest.actor.via})"
        when = f"{newest.time:%Y-%m-%dT%H:%M:%S}Z"
        there = f"it is now {status}record {newest.sequence}, written by {author} at {when}"
    message = f"{spell_identity(refused)} cannot take record {sequence}: {there}."
    return Conflict(message, hint="Nothing was written. Read it again and decide anew.")


def task_order(key: TaskKey) -> tuple[str, str, tuple[str, int, str]]:
    """Sort key of tasks: campaign, workflow, unit."""
    return key.campaign, key.workflow, unit_order(key.unit)


def output_order(record: OutputRecord) -> tuple[object, ...]:
    """Sort key of outputs: task, version, name, address."""
    return task_order(record.task), record.version, record.name, record.url


def newest_copies(records: Iterable[OutputRecord]) -> list[OutputRecord]:
    """Return the newest record of every copy, by time; of equal times the one given later."""
    newest: dict[Hashable, OutputRecord] = {}
    for record in records:
        copy = record[:4]
        if copy not in newest or record.time >= newest[copy].time:
            newest[copy] = record
    return sorted(newest.values(), key=output_order)


def _rank(record: Record) -> int:
    # At equal times a task's opening comes first and its end last, with jobs and outputs between.
    if isinstance(record, TaskRecord):
        return 0 if record.is_open else 4
    return (JobRecord, OutputRecord, FieldsRecord).index(type(record)) + 1


def in_order(chains: Iterable[Sequence[Record]]) -> list[Record]:
    """Merge the records of several identities, oldest first.

    Within an identity the given order holds, even where a wrong clock wrote an earlier time;
    otherwise time decides.
    """
    ranked: list[tuple[datetime, int, Record]] = []
    for chain in chains:
        latest: datetime | None = None
        for record in chain:
            latest = record.time if latest is None else max(latest, record.time)
            ranked.append((latest, _rank(record), record))
    ranked.sort(key=lambda item: item[:2])
    return [record for _, _, record in ranked]
