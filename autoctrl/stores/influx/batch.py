"""One batch on its way into the store: what must be looked up, the sequence check, the points."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.job import JobRecord
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Selection
from autoctrl.stores.influx.cache import identity, newest_of
from autoctrl.stores.influx.flux import Positions
from autoctrl.stores.influx.journal import EVER, WATER, Journal, workflow_of
from autoctrl.stores.influx.points import (
    NS_PER_US,
    Body,
    Entry,
    carried_line,
    encode_body,
    field_text,
    line,
    lines,
)
from autoctrl.stores.influx.turns import Payload
from autoctrl.stores.json_values import Encoder
from autoctrl.stores.ordering import by_kind, conflict, spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.stores.influx.cache import Cache
    from autoctrl.stores.influx.journal import WorkflowKey
    from autoctrl.stores.ordering import Sequenced, Span

CHAINED = (TaskRecord, JobRecord, RunRecord, MarkRecord)
# Runs and marks go first, and tasks before what belongs to them, as in ``Store.records``.
FIRST_KINDS = (RunRecord, MarkRecord, TaskRecord)


class PreparedBatch(NamedTuple):
    """Records on their way in.

    bodies  ready to be written, in the order of their positions
    spans   what each identity goes through
    """

    bodies: list[Body]
    spans: dict[object, Span]


class ComposedBatch(NamedTuple):
    """What a turn writes for a batch.

    payload   the points
    entries   the records with their positions
    to_cache  the records to remember, in order, with the jobs that are carried along
    """

    payload: Payload
    entries: list[Entry]
    to_cache: list[Record]


EMPTY = ComposedBatch(Payload([], 0), [], [])


def prepare(records: Sequence[Record]) -> PreparedBatch:
    """Return the batch, ready to be written.

    Raises ``Conflict`` for gaps within it, ``StoreError`` for what no store can hold.
    """
    kinds = by_kind(records)
    found: dict[object, Span] = {}
    for kind in CHAINED:
        chained: Any = kinds.get(kind, ())
        found.update(spans(chained, identity))
    encode = Encoder()
    order = dict.fromkeys([*FIRST_KINDS, *kinds])
    in_order = [record for kind in order for record in kinds.get(kind, ())]
    return PreparedBatch([encode_body(record, encode) for record in in_order], found)


class Unknown(NamedTuple):
    """The identities of a batch of which the store may hold records that are not known here."""

    units: dict[WorkflowKey, set[str]]
    runs: set[int]
    marks: dict[str, set[str]]


def find_unknown(batch: PreparedBatch, cache: Cache) -> Unknown:
    """Return the identities of the batch that must be looked up."""
    found = Unknown(defaultdict(set), set(), defaultdict(set))
    for span in batch.spans.values():
        record = span.last
        if cache.known(record) is not None or cache.is_complete_for(record):
            continue
        if isinstance(record, RunRecord):
            found.runs.add(record.number)
        elif isinstance(record, MarkRecord):
            found.marks[record.kind].add(record.name)
        else:
            key = record.key if isinstance(record, TaskRecord) else record.key.task
            found.units[workflow_of(key)].add(key.unit)
    return found


def look_up(journal: Journal, unknown: Unknown, upto: int) -> str:
    """Return the streams that ask for the newest records of unknown identities."""
    asked = []
    for number, (where, units) in enumerate(unknown.units.items()):
        selection = Selection(where.campaign, (where.workflow,), tuple(sorted(units)))
        asked.append(journal.selected(f"units {number}", ("task", "job"), selection, upto))
    for number, (kind, names) in enumerate(unknown.marks.items()):
        asked.append(journal.marks(f"marks {number}", kind, names, upto))
    if unknown.runs:
        asked.append(journal.of_runs("runs", Positions(EVER, upto), unknown.runs))
    return "".join(asked)


def check(
    batch: PreparedBatch, cache: Cache, looked_up: Iterable[Entry]
) -> dict[object, Sequenced]:
    """Return the newest records that were looked up, by identity.

    Raises ``Conflict`` unless the batch follows what is there of every identity.
    """
    found = newest_of(entry.record for entry in looked_up)
    for key, span in batch.spans.items():
        there = cache.known(span.last) or found.get(key)
        if span.first != (there.sequence if there else 0) + 1:
            raise conflict(span.first, span.last, there)
    return found


def compose(
    batch: PreparedBatch, first: int, cache: Cache, found: dict[object, Sequenced]
) -> ComposedBatch:
    """Return the points of a batch, with the jobs of tasks that it opens again."""
    entries = []
    written = []
    for position, body in enumerate(batch.bodies, start=first):
        entries.append(Entry(position, body.kind, body.record))
        written += lines(body, position)
    carried = _jobs_of_reopened(batch, cache, found)
    encode = Encoder()
    for position, job in enumerate(carried, start=first + len(entries)):
        written.append(carried_line(encode_body(job, encode), position))
    payload = Payload(written, len(entries) + len(carried))
    return ComposedBatch(payload, entries, [*(body.record for body in batch.bodies), *carried])


def _jobs_of_reopened(
    batch: PreparedBatch, cache: Cache, found: dict[object, Sequenced]
) -> list[JobRecord]:
    """Return the newest jobs of tasks that become open again in the version that they had."""
    reopened = _reopened_versions(batch, found)
    jobs = {key: record for key, record in found.items() if isinstance(record, JobRecord)}
    for task in reopened:
        jobs.update((job.key, job) for job in cache.jobs.get(task, {}).values())
    return [
        job
        for key, job in jobs.items()
        if reopened.get(job.key.task) == job.key.version and key not in batch.spans
    ]


def _reopened_versions(batch: PreparedBatch, found: dict[object, Sequenced]) -> dict[TaskKey, int]:
    """Return the version of every task that is open in the end and was closed before or within."""
    closed = {
        record.key
        for record in (*(body.record for body in batch.bodies), *found.values())
        if isinstance(record, TaskRecord) and not record.is_open
    }
    last = [span.last for span in batch.spans.values()]
    return {
        task.key: task.version
        for task in last
        if isinstance(task, TaskRecord) and task.is_open and task.key in closed
    }


def carry(cache: Cache, where: WorkflowKey, first: int) -> Payload:
    """Return points that repeat all that is open in a workflow, and the mark to read them from."""
    encode = Encoder()
    records: list[Record] = []
    for one in cache.open_tasks(where):
        records += [one.task, *one.jobs]
    written = [
        carried_line(encode_body(record, encode), position)
        for position, record in enumerate(records, start=first)
    ]
    mark = [("word", field_text(str(first)))]
    written.append(line(WATER, where._asdict(), mark, first * NS_PER_US))
    return Payload(written, max(1, len(records)))
