"""Runs as they become known: what sources see, compared with the store; only what changed is
written.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError
from autoctrl.model.actor import Actor
from autoctrl.model.names import RUNS_LEASE
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.succession import following
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.ports import Clock, Lease, Seen, Source, Store

LEASE_S = 60.0
SEEN = "seen"


class Arrivals(NamedTuple):
    """What one discovery found.

    new       runs written for the first time
    changed   runs of which something new was learned
    problems  sentences about what could not be read
    """

    new: tuple[int, ...]
    changed: tuple[int, ...]
    problems: tuple[str, ...]


def discover(store: Store, sources: Sequence[Source], clock: Clock) -> Arrivals:
    """Ask every source, and write down what is new; a source that fails is a problem, not the end
    of the others.

    Raises ``LeaseHeld`` while another process does the same.
    """
    if not sources:
        return Arrivals((), (), ())
    problems: list[str] = []
    seen: list[tuple[str, Seen]] = []
    for source in sources:
        try:
            seen += [(source.name, run) for run in source.discover()]
        except AutoctrlError as error:
            problems.append(f"source {source.name}: {error}")
        problems += source.problems
    digest = hashlib.sha256(repr(seen).encode()).hexdigest()
    if not seen or _known_digest(store)[0] == digest:  # then no run is read at all
        return Arrivals((), (), tuple(problems))
    lease = store.lease(RUNS_LEASE, this_process(), LEASE_S)
    try:
        records = _write_new(store, seen, digest, lease, clock.now())
    finally:
        store.lease(RUNS_LEASE, this_process(), 0)
    new = tuple(sorted(record.number for record in records if record.sequence == 1))
    changed = tuple(sorted(record.number for record in records if record.sequence > 1))
    return Arrivals(new, changed, tuple(problems))


def _known_digest(store: Store) -> tuple[str, MarkRecord | None]:
    """Return the digest of what the sources said when it was last written, and the mark that holds
    it.
    """
    mark = next(iter(store.marks(SEEN, "")), None)
    return (mark.values.get("digest", "") if mark is not None else ""), mark


def _write_new(
    store: Store, seen: Sequence[tuple[str, Seen]], digest: str, lease: Lease, now: datetime
) -> list[RunRecord]:
    """Write what is new, unless somebody else has written the same meanwhile."""
    known, mark = _known_digest(store)
    if known == digest:
        return []
    records = merge_runs({run.number: run for run in store.runs().records}, seen, now)
    fresh = MarkRecord(SEEN, "", "", {"digest": digest}, now)
    store.append([*records, following(mark, fresh)], lease)
    return records


def merge_runs(
    known: Mapping[int, RunRecord], seen: Iterable[tuple[str, Seen]], now: datetime
) -> list[RunRecord]:
    """Return a record for each run of which something new was learned.

    Attributes are added to what is known; a later source wins over an earlier one. A run that was
    closed stays closed.
    """
    gathered: dict[int, tuple[str, dict[str, object], bool]] = {}
    for source, run in seen:
        _, attributes, is_closed = gathered.get(run.number, (source, {}, False))
        gathered[run.number] = (
            source,
            {**attributes, **run.attributes},
            is_closed or run.is_closed,
        )
    records: list[RunRecord] = []
    for number, (source, attributes, is_closed) in sorted(gathered.items()):
        before = known.get(number)
        merged = {**(before.attributes if before else {}), **attributes}
        closed = is_closed or (before is not None and before.is_closed)
        if before is not None and merged == before.attributes and closed == before.is_closed:
            continue
        learned = RunRecord(number, merged, closed, now, Actor(source, "source"))  # type: ignore[arg-type]
        records.append(following(before, learned))
    return records
