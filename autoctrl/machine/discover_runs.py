"""Discovery of runs: what sources see is compared with the store, and changes are written."""

from __future__ import annotations

import hashlib
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import AutoctrlError, LeaseHeld
from autoctrl.model.actor import Actor
from autoctrl.model.names import RUNS_LEASE
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.succession import following
from autoctrl.model.unit import NO_RUN
from autoctrl.ports import Inbox
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.run import Value
    from autoctrl.ports import Clock, Lease, Seen, Source, Store

LEASE_S = 60.0
SEEN = "seen"
LOOKS, PAUSE_S = 20, 0.05


class DiscoveredRuns(NamedTuple):
    """What one discovery found.

    new         runs written for the first time
    changed     runs of which something new was learned
    problems    sentences about what could not be read
    by_source   those sentences by the name of each source that was asked
    unreadable  sources that had problems and showed no run at all
    """

    new: tuple[int, ...]
    changed: tuple[int, ...]
    problems: tuple[str, ...]
    by_source: Mapping[str, tuple[str, ...]] = {}
    unreadable: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return what was found as plain values for JSON."""
        return {"new": self.new, "changed": self.changed, "problems": self.problems}


class SeenBy(NamedTuple):
    """A run as one source saw it, and the name of that source."""

    source: str
    run: Seen


class _Answers(NamedTuple):
    """What all sources said: the runs that they saw, and what each could not read."""

    seen: list[SeenBy]
    problems: dict[str, tuple[str, ...]]

    @property
    def digest(self) -> str:
        """A text that changes when what they said does."""
        return hashlib.sha256(repr([tuple(one) for one in self.seen]).encode()).hexdigest()

    @property
    def has_deliveries(self) -> bool:
        """Whether some of it is shown only until it is acknowledged."""
        return any(one.run.delivery for one in self.seen)

    def found(self, records: Sequence[RunRecord] = ()) -> DiscoveredRuns:
        """Return what was found, given what was written of it."""
        new = sorted(record.number for record in records if record.sequence == 1)
        changed = sorted(record.number for record in records if record.sequence > 1)
        return DiscoveredRuns(
            new=tuple(new),
            changed=tuple(changed),
            problems=tuple(chain.from_iterable(self.problems.values())),
            by_source=self.problems,
            unreadable=self._unreadable(),
        )

    def _unreadable(self) -> tuple[str, ...]:
        seers = {one.source for one in self.seen}
        problems = self.problems.items()
        return tuple(name for name, texts in problems if texts and name not in seers)


def discover(store: Store, sources: Sequence[Source], clock: Clock) -> DiscoveredRuns:
    """Ask every source and write down what is new; a source that fails is a problem, not an error.

    What was delivered is acknowledged once it is in the store. Raises ``LeaseHeld`` while another
    process does the same.
    """
    before = _last_mark(store) if sources else None
    answers = _ask_sources(sources)
    records: list[RunRecord] = []
    if answers.seen and _digest_of(before) != answers.digest:  # else no run is read at all
        lease = store.lease(RUNS_LEASE, this_process(), LEASE_S)
        try:
            if answers.has_deliveries and _last_mark(store) != before:
                # Somebody else has written, perhaps what was delivered after what we have seen.
                answers = _ask_sources(sources)
            records = _write_news(store, answers, lease, clock.now())
        finally:
            store.lease(RUNS_LEASE, this_process(), 0)
    if answers.has_deliveries:
        _acknowledge(sources, answers.problems)
    return answers.found(records)


def discover_or_wait(
    store: Store,
    sources: Sequence[Source],
    clock: Clock,
    pause: Callable[[float], None] = time.sleep,
) -> DiscoveredRuns:
    """Do what ``discover`` does, once another process that does the same has written.

    So what both have seen is there for what follows. A process that takes longer than a second is
    not waited for; then nothing is found here.
    """
    for _ in range(LOOKS):
        try:
            return discover(store, sources, clock)
        except LeaseHeld:
            pause(PAUSE_S)
    return DiscoveredRuns((), (), ())


def _ask_sources(sources: Iterable[Source]) -> _Answers:
    seen: list[SeenBy] = []
    problems: dict[str, tuple[str, ...]] = {}
    for source in sources:
        errors = []
        try:
            for run in source.discover():
                if run.number < NO_RUN:
                    seen.append(SeenBy(source.name, run))
                else:
                    errors.append(f"source {source.name}: no run has the number {run.number}")
        except AutoctrlError as error:
            errors.append(f"source {source.name}: {error}")
        problems[source.name] = (*errors, *source.problems)
    return _Answers(seen, problems)


def _acknowledge(sources: Iterable[Source], problems: dict[str, tuple[str, ...]]) -> None:
    """Let sources forget what they were told; what they have against it is added to problems."""
    for source in sources:
        try:
            if isinstance(source, Inbox):
                source.acknowledge()
        except AutoctrlError as error:
            problems[source.name] += (f"source {source.name}: {error}",)


def _last_mark(store: Store) -> MarkRecord | None:
    """Return the mark with the digest of what the sources said when it was last written."""
    return next(iter(store.marks(SEEN, "")), None)


def _digest_of(mark: MarkRecord | None) -> str:
    return "" if mark is None else str(mark.values.get("digest", ""))


def _write_news(store: Store, answers: _Answers, lease: Lease, now: datetime) -> list[RunRecord]:
    """Write what is new, unless somebody else has written the same meanwhile."""
    mark = _last_mark(store)
    if _digest_of(mark) == answers.digest:
        return []
    known = {run.number: run for run in store.runs().records}
    records = merge_runs(known, answers.seen, now)
    fresh = MarkRecord(SEEN, "", "", {"digest": answers.digest}, now)
    store.append([*records, following(mark, fresh)], lease)
    return records


def merge_runs(
    known: Mapping[int, RunRecord], seen: Iterable[tuple[str, Seen]], now: datetime
) -> list[RunRecord]:
    """Return a record for each run of which something new was learned.

    Attributes are added to what is known; a later source wins over an earlier one. A run that was
    closed stays closed.
    """
    learned: dict[int, RunRecord] = {}
    for source, run in seen:
        learned[run.number] = _learn(learned.get(run.number), source, run, now)
    merged = (_merge(known.get(number), record) for number, record in sorted(learned.items()))
    return [record for record in merged if record is not None]


def _learn(before: RunRecord | None, source: str, run: Seen, now: datetime) -> RunRecord:
    """Add what one source says of a run to what earlier ones have said."""
    attributes = {**(before.attributes if before else {}), **run.attributes}
    is_closed = run.is_closed or (before is not None and before.is_closed)
    return RunRecord(run.number, attributes, is_closed, now, Actor(source, "source"))


def _merge(before: RunRecord | None, learned: RunRecord) -> RunRecord | None:
    """Return the record that follows ``before``, None if it would say nothing new."""
    if before is None:
        return learned
    attributes: dict[str, Value] = {**before.attributes, **learned.attributes}
    is_closed = before.is_closed or learned.is_closed
    if (attributes, is_closed) == (dict(before.attributes), before.is_closed):
        return None
    return following(before, learned._replace(attributes=attributes, is_closed=is_closed))
