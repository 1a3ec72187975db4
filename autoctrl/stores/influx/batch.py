"""One batch into the store, within a turn: what must be looked up, the sequence check, the
points.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.job import JobRecord
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Selection
from autoctrl.stores.influx.cache import identity, newest_of
from autoctrl.stores.influx.journal import EVER, Journal
from autoctrl.stores.influx.points import Body, carried_line, encode_body, field_text, line, lines
from autoctrl.stores.json_values import Encoder
from autoctrl.stores.ordering import by_kind, conflict, spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.ports import Record
    from autoctrl.stores.influx.cache import Newest, Place
    from autoctrl.stores.influx.points import Placed
    from autoctrl.stores.ordering import Sequenced, Span

CHAINED = (TaskRecord, JobRecord, RunRecord, MarkRecord)
FEWEST_CARRIED = 500
PART_OPEN = 4


class Batch(NamedTuple):
    """Records on their way in.

    bodies  ready to be written, in the order of their positions
    spans   what each identity goes through
    """

    bodies: list[Body]
    spans: dict[object, Span]


def prepare(records: Sequence[Record]) -> Batch:
    """Return the batch. Raises ``Conflict`` for gaps within it, ``StoreError`` for what no store
    keeps.
    """
    kinds = by_kind(records)
    found: dict[object, Span] = {}
    for kind in CHAINED:
        chained: Any = kinds.get(kind, ())
        found.update(spans(chained, identity))
    encode = Encoder()
    # Tasks go before what belongs to them, as in ``Store.records``.
    order = [RunRecord, MarkRecord, TaskRecord, *kinds]
    sorted_kinds = {kind: kinds[kind] for kind in dict.fromkeys(order) if kind in kinds}
    return Batch(
        [encode_body(record, encode) for kind in sorted_kinds.values() for record in kind], found
    )


def streams(journal: Journal, batch: Batch, newest: Newest, upto: int) -> str:
    """Return the streams that tell what is there of the identities that are not known."""
    units: dict[Place, set[str]] = defaultdict(set)
    numbers: set[int] = set()
    marks: dict[str, set[str]] = defaultdict(set)
    for span in batch.spans.values():
        record = span.last
        if newest.known(record) is not None or newest.has_all_of(record):
            continue
        if isinstance(record, RunRecord):
            numbers.add(record.number)
        elif isinstance(record, MarkRecord):
            marks[record.kind].add(record.name)
        else:
            key = record.key if isinstance(record, TaskRecord) else record.key.task
            units[key[:2]].add(key.unit)
    asked = [
        journal.selected(
            f"units {number}", ("task", "job"), Selection(*_wanted(place, units[place])), upto
        )
        for number, place in enumerate(units)
    ]
    asked += [
        journal.marks(f"marks {number}", kind, marks[kind], upto)
        for number, kind in enumerate(marks)
    ]
    if numbers:
        asked.append(journal.of_runs("runs", (EVER, upto), numbers))
    return "".join(asked)


def _wanted(place: Place, units: set[str]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return place[0], (place[1],), tuple(sorted(units))


def check(batch: Batch, newest: Newest, looked_up: Iterable[Placed]) -> dict[object, Sequenced]:
    """Raise ``Conflict`` unless every identity goes on where it is; return what was looked up."""
    found = newest_of(one.record for one in looked_up)
    for key, span in batch.spans.items():
        there = newest.known(span.last) or found.get(key)
        if span.first != (there.sequence if there else 0) + 1:
            raise conflict(span.first, span.last, there)
    return found


class Content(NamedTuple):
    """What a turn writes.

    lines   points
    size    how many positions they take
    placed  the records with their positions
    taken   the records to remember, in order, the carried ones with them
    """

    lines: list[str]
    size: int
    placed: list[tuple[int, Record]]
    taken: list[Record]


def compose(batch: Batch, first: int, newest: Newest, found: dict[object, Sequenced]) -> Content:
    """Return the points of a batch, with the jobs of tasks that it opens again."""
    placed = [(first + number, body.record) for number, body in enumerate(batch.bodies)]
    written = [
        point for number, body in enumerate(batch.bodies) for point in lines(body, first + number)
    ]
    taken: list[Record] = [body.record for body in batch.bodies]
    carried = _jobs_of_reopened(batch, newest, found)
    encode = Encoder()
    for number, job in enumerate(carried, start=first + len(batch.bodies)):
        written.append(carried_line(encode_body(job, encode), number))
    return Content(written, len(batch.bodies) + len(carried), placed, [*taken, *carried])


def _jobs_of_reopened(
    batch: Batch, newest: Newest, found: dict[object, Sequenced]
) -> list[JobRecord]:
    """Return the newest jobs of tasks that become open again in the version that they had."""
    closed = {
        body.record.key
        for body in batch.bodies
        if isinstance(body.record, TaskRecord) and not body.record.is_open
    }
    reopened = {
        span.last.key: span.last.version
        for key, span in batch.spans.items()
        if isinstance(span.last, TaskRecord)
        and span.last.is_open
        and (key in closed or _was_closed(found.get(key)))
    }
    jobs = {key: record for key, record in found.items() if isinstance(record, JobRecord)}
    for owner in reopened:
        jobs.update({record.key: record for record in newest.jobs.get(owner, {}).values()})
    return [
        job
        for key, job in jobs.items()
        if reopened.get(job.key.task) == job.key.version and key not in batch.spans
    ]


def _was_closed(record: Sequenced | None) -> bool:
    return isinstance(record, TaskRecord) and not record.is_open


def carry(newest: Newest, place: Place, first: int) -> tuple[list[str], int]:
    """Return the points that repeat all that is open in a place, so that reading may begin there,
    and their number.
    """
    encode = Encoder()
    records: list[Record] = []
    for one in newest.open_tasks(place):
        records += [one.task, *one.jobs]
    written = [
        carried_line(encode_body(record, encode), first + number)
        for number, record in enumerate(records)
    ]
    tags = {"campaign": place[0], "workflow": place[1]}
    written.append(line("water", tags, [("word", field_text(str(first)))], first * 1000))
    return written, max(1, len(records))


def is_due(newest: Newest, place: Place) -> bool:
    """Say whether a place has so many records since its mark that the mark should move."""
    count = newest.read_count.get(place, 0)
    if count <= FEWEST_CARRIED:
        return False
    return count > PART_OPEN * sum(1 + len(one.jobs) for one in newest.open_tasks(place))
