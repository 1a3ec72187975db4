"""The verb that copies a whole history into another store, and proves that it has arrived.

All stores yield their records in one order, so what one lacks is found by reading two of them side
by side, however long they are. A copy that was cut short holds fewer of the same records; the next
call adds the rest in the same way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import LeaseLost, StoreError, UsageError
from autoctrl.model.actor import CYCLE
from autoctrl.model.campaign import PROMPT
from autoctrl.model.job import JobRecord, index_text
from autoctrl.model.names import COPY_LEASE
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.verbs.request import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autoctrl.ports import Lease, Record, Store
    from autoctrl.verbs.request import Request

    Tell = Callable[[str, int], None]

BATCH = 1000
MOST_NAMED = 3
KINDS: Mapping[type, tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    RunRecord: ("runs", lambda _: ()),
    MarkRecord: ("marks", lambda record: record[:3]),
    TaskRecord: ("tasks", lambda record: record.key),
    JobRecord: ("jobs", lambda record: (*record.key.task, record.key.version, record.key.index)),
    OutputRecord: ("outputs", lambda record: record.task),
    FieldsRecord: ("fields", lambda record: record.task),
}
RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
END = (len(KINDS),)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
REFUSED = (
    "Nothing was written. The target must be empty, or hold an earlier state of the source: "
    "name another target."
)
SPOILT = "Somebody else is writing to the target: find out who, then copy to a new one."


class Names(NamedTuple):
    """The two stores, as the person called them."""

    source: str
    target: str


class Copied(NamedTuple):
    """What came of a copy.

    counts   records in either store, by kind
    present  records that were in the target before
    written  records that were written now
    digest   SHA-256 over the records of either store, in their order
    """

    counts: Mapping[str, int]
    present: int
    written: int
    digest: str


class Reader:
    """Reads a store's records, looking one ahead; counts and digests those that it has passed.

    record    the record ahead, None at the end
    position  where its identity stands in the order of all records
    line      the record as text, the same for records that say the same
    """

    def __init__(
        self, store: Store, name: str, tell: Callable[[int], None] = lambda _: None
    ) -> None:
        """Look at the first record; ``tell`` is called with the number passed, every thousand."""
        self._records, self._name, self._tell = store.records(), name, tell
        self._hash = hashlib.sha256()
        self.counts = {name: 0 for name, _ in KINDS.values()}
        self.passed = 0
        self._look()

    def _look(self) -> None:
        self.record: Record | None = next(self._records, None)
        self.position: tuple[Any, ...] = END
        self.line = ""
        if self.record is not None:
            kind = type(self.record)
            self.position = (RANKS[kind], *KINDS[kind][1](self.record))
            self.line = line_of(self.record)

    def step(self) -> None:
        """Pass the record ahead. Raises ``StoreError`` if the store does not keep the order."""
        before = self.position
        self._hash.update(f"{self.line}\n".encode())
        self.counts[KINDS[type(self.record)][0]] += 1
        self.passed += 1
        if self.passed % BATCH == 0:
            self._tell(self.passed)
        self._look()
        if self.position < before and self.record is not None:
            message = f"{self._name} yields {describe(self.record)} out of order."
            raise StoreError(message, hint="This is a defect: report it with this text.")

    def rest(self) -> Iterator[Record]:
        """Yield what is ahead, to the end."""
        while self.record is not None:
            yield self.record
            self.step()

    @property
    def digest(self) -> str:
        """SHA-256 over the lines of what was passed."""
        return self._hash.hexdigest()


def copy_history(request: Request, source: Store, names: Names, tell: Tell | None = None) -> Copied:
    """Append to ``request.store`` every record of ``source`` that it lacks, then compare them
    record by record.

    The source is only read. ``tell`` hears what is being done and with how many records so far.
    Raises ``UsageError`` if there is nothing to copy or both are one store, ``StoreError`` if the
    target holds anything but an earlier state of the source (nothing is written then), or does not
    hold the same in the end.
    """
    target = request.store
    tell = tell or (lambda *_: None)
    if source.store_id == target.store_id:
        message = f"{names.source} and {names.target} are the same store."
        raise UsageError(message, hint="Name another one to copy to.")
    ours, theirs = (
        Reader(source, names.source),
        Reader(target, names.target, lambda number: tell("read", number)),
    )
    if ours.record is None:
        message = f"{names.source} holds no record, so there is nothing to copy."
        raise UsageError(message, hint="Check that it is the store that you mean.")
    for _ in missing(ours, theirs, names, REFUSED):
        pass
    with hold(request, COPY_LEASE) as lease:
        written = _write(
            request,
            lease,
            _find_missing(source, target, names),
            lambda number: tell("written", number),
        )
    compared = _compare(source, target, names, lambda number: tell("compared", number))
    total = sum(compared.counts.values())
    return Copied(compared.counts, total - written, written, compared.digest)


def _find_missing(source: Store, target: Store, names: Names) -> Iterator[Record]:
    ours, theirs = Reader(source, names.source), Reader(target, names.target)
    return chain(missing(ours, theirs, names, SPOILT), ours.rest())


def missing(source: Reader, target: Reader, names: Names, hint: str) -> Iterator[Record]:
    """Yield what the target lacks of the source, as far as the target goes.

    Raises ``StoreError`` with ``hint`` at the first record of the target that is not the source's.
    """
    while target.record is not None:
        ours = source.record
        if ours is not None and source.position < target.position:
            yield ours
        elif source.line != target.line:
            raise StoreError(_difference(ours, target.record, names), hint=hint)
        else:
            target.step()
        source.step()


def _difference(ours: Record | None, theirs: Record, names: Names) -> str:
    text = f"{names.target} holds {describe(theirs)}, which {names.source}"
    if ours is None or describe(ours) != describe(theirs):
        return f"{text} does not."
    pairs = zip(theirs._fields, ours, theirs, strict=True)
    differing = [
        name
        for name, mine, other in pairs
        if _ENCODE(normalise_numbers(mine)) != _ENCODE(normalise_numbers(other))
    ]
    return f"{text} holds too, but the two differ in {', '.join(differing)}."


def _write(
    request: Request, lease: Lease | None, records: Iterator[Record], tell: Callable[[int], None]
) -> int:
    written, renewed = 0, request.clock.now()
    while batch := list(islice(records, BATCH)):
        if lease is not None and request.clock.now() - renewed > timedelta(
            seconds=request.lease_s / 3
        ):
            lease, renewed = _renew(request, lease), request.clock.now()
        request.store.append(batch, lease)
        written += len(batch)
        tell(written)
    return written


def _renew(request: Request, lease: Lease) -> Lease:
    held = request.store.lease(lease.name, lease.owner, request.lease_s)
    if held.epoch != lease.epoch:
        message = "The lease of this copy ran out, and somebody else may have continued it."
        raise LeaseLost(message, hint="Run the same command again: it picks up where it left off.")
    return held


def _compare(source: Store, target: Store, names: Names, tell: Callable[[int], None]) -> Reader:
    ours, theirs = Reader(source, names.source, tell), Reader(target, names.target)
    lost = next(chain(missing(ours, theirs, names, SPOILT), ours.rest()), None)
    if lost is not None:
        message = f"{names.target} lacks {describe(lost)}, which {names.source} holds now."
        hint = (
            "The source was written to meanwhile: stop its cycles and run the same command again; "
            "it picks up where it left off. If this persists, a write was lost."
        )
        raise StoreError(message, hint=hint)
    return ours


def describe(record: Record) -> str:
    """Name a record as people read it: what it is about, and its number there."""
    if isinstance(record, RunRecord):
        return f"record {record.sequence} of run {record.number}"
    if isinstance(record, MarkRecord):
        about = "/".join(filter(None, (record.campaign, record.name)))
        return f"record {record.sequence} of the {record.kind} mark of {about}"
    if isinstance(record, TaskRecord):
        return f"record {record.sequence} of {record.key} in campaign {record.key.campaign}"
    if isinstance(record, JobRecord):
        task, version, index = record.key
        return (
            f"record {record.sequence} of {task} v{version} job {index_text(index)} in "
            f"campaign {task.campaign}"
        )
    about = f"{record.task} v{record.version} in campaign {record.task.campaign}"
    if isinstance(record, OutputRecord):
        return f"the output {record.name} at {record.url} of {about}"
    return f"the fields of {about}"


def line_of(record: Record) -> str:
    """Return a record as one line of text, the same for all records that say the same.

    Numbers are compared by value, mappings by content. The time at which the campaign ``prompt``
    was created automatically is left out: opening a project on the new store before the copy
    creates it there too.
    """
    if isinstance(record, RunRecord):
        record = record._replace(attributes=normalise_numbers(record.attributes))
    elif isinstance(record, MarkRecord):
        record = record._replace(
            values=normalise_numbers(record.values),
            time=NEVER if _is_automatic(record) else record.time,
        )
    elif isinstance(record, FieldsRecord):
        record = record._replace(values=normalise_numbers(record.values))
    elif isinstance(record, JobRecord):
        measured = {
            name: normalise_numbers(getattr(record, name))
            for name in ("fields", "wall_s", "cpu_s", "peak_memory_mb")
        }
        record = record._replace(**measured)
    return f"{KINDS[type(record)][0]} {_ENCODE(record)}"


def _is_automatic(mark: MarkRecord) -> bool:
    return mark[:3] == ("campaign", PROMPT, PROMPT) and mark.sequence == 1 and mark.actor == CYCLE


def normalise_numbers(value: Any) -> Any:  # noqa: ANN401 - a record's values are of every type
    """Return a value with each float that is a whole number as an int: stores keep either."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: normalise_numbers(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [normalise_numbers(item) for item in value]
    return value


def _plain(value: Any) -> object:  # noqa: ANN401 - a time, or a mapping that is not a dict
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else dict(value)


_ENCODE = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=_plain).encode


def live_jobs(source: Store) -> list[JobRecord]:
    """Return all jobs, as last known, that an executor was asked to run and that have not ended."""
    campaigns = sorted({PROMPT, *(mark.name for mark in source.marks("campaign"))})
    found = (task for campaign in campaigns for task in source.open_tasks(campaign))
    processing = (task for task in found if task.task.status is TaskStatus.PROCESSING)
    return [job for task in processing for job in task.jobs if _is_live(job)]


def _is_live(job: JobRecord) -> bool:
    return not job.is_final and (job.asked is not None or bool(job.handle))


def describe_live(jobs: Sequence[JobRecord], name: str) -> str:
    """Say which jobs are under way in the store ``name``, and what becomes of them in a copy."""
    named = ", ".join(str(job) for job in jobs[:MOST_NAMED])
    more = f" and {len(jobs) - MOST_NAMED} more" if len(jobs) > MOST_NAMED else ""
    return (
        f"{name} has jobs under way: {named}{more}. They carry its id and report to it alone; "
        "the new store gives them up as lost and runs them again."
    )
