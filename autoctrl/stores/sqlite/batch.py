"""Writes one batch into the SQLite tables: the sequence check, then the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.job import JobRecord
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.stores import rows
from autoctrl.stores.json_values import Encoder
from autoctrl.stores.ordering import conflict, mark_key, spans
from autoctrl.stores.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.ports import Record
    from autoctrl.stores.ordering import Sequenced, Span
    from autoctrl.stores.rows import Row


class Chain(NamedTuple):
    """How records with a sequence are kept.

    name      how the names of the statements end
    identity  columns of a record's identity
    extras    columns that the newest_ table repeats beside the sequence
    row       row of a record
    record    record of a row
    """

    name: str
    identity: Callable[[Any], Row]
    extras: Callable[[Any], Row]
    row: Callable[[Any, Encoder], Row]
    record: Callable[[Row], Sequenced]


def _nothing(_: object) -> Row:
    return ()


def _task_state(record: TaskRecord) -> Row:
    return str(record.status.value), record.version


def _job_identity(record: JobRecord) -> Row:
    key = record.key
    return (*key.task, key.version, key.index)


CHAINS: Mapping[type, Chain] = {
    TaskRecord: Chain(
        "task", lambda record: record.key, _task_state, rows.task_row, rows.task_record
    ),
    JobRecord: Chain("job", _job_identity, _nothing, rows.job_row, rows.job_record),
    RunRecord: Chain(
        "run", lambda record: (record.number,), _nothing, rows.run_row, rows.run_record
    ),
    MarkRecord: Chain("mark", mark_key, _nothing, rows.mark_row, rows.mark_record),
}
SINGLES: Mapping[type, tuple[str, Callable[[Any, Encoder], Row]]] = {
    OutputRecord: ("write_output", rows.output_row),
    FieldsRecord: ("write_fields", rows.fields_row),
}


def write_batch(connection: sqlite3.Connection, kinds: Mapping[type, Sequence[Record]]) -> None:
    """Write all records of the batch, sorted by kind.

    Raises ``Conflict``; the transaction must be rolled back then.
    """
    encode = Encoder()
    for kind, records in kinds.items():
        if kind in CHAINS:
            chain = CHAINS[kind]
            _advance(connection, chain, records)
            name, row = f"write_{chain.name}", chain.row
        else:
            name, row = SINGLES[kind]
        connection.executemany(SQL[name], [row(record, encode) for record in records])


def _advance(connection: sqlite3.Connection, chain: Chain, records: Iterable[Any]) -> None:
    """Make the last record of each identity the newest one, if the first follows what is there."""
    found = spans(records, chain.identity)
    new: list[Row] = []
    following: list[Row] = []
    for key, (first, last) in found.items():
        state = (*key, last.sequence, *chain.extras(last))
        if first == 1:
            new.append(state)
        else:
            following.append((*state, first - 1))
    for states, statement in ((new, "begin"), (following, "follow")):
        if states:
            changed = connection.executemany(SQL[f"{statement}_{chain.name}"], states).rowcount
            if changed != len(states):
                raise _conflict(connection, chain, found)


def _conflict(connection: sqlite3.Connection, chain: Chain, found: Mapping[Row, Span]) -> Exception:
    # What this batch has written so far must not be read back as the newest, so it is undone first.
    connection.execute("ROLLBACK")
    span, newest = next(iter(found.values())), None
    for key, span in found.items():
        row = connection.execute(SQL[f"newest_{chain.name}"], key).fetchone()
        newest = chain.record(row) if row else None
        if span.first != (newest.sequence if newest else 0) + 1:
            break
    return conflict(span.first, span.last, newest)
