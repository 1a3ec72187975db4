"""Runs as they become known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError, LeaseHeld, StoreError
from autoctrl.machine.discover_runs import DiscoveredRuns, discover, discover_or_wait, merge_runs
from autoctrl.model.actor import Actor
from autoctrl.ports import Seen
from autoctrl.stores import open_store
from autoctrl.stores.memory import MemoryStore
from autoctrl.testing import FakeClock
from tests.unit.given import NOW, later, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.model.run import RunRecord
    from autoctrl.ports import Lease
    from autoctrl.ports.store import Record


def seen(number: int, *, is_closed: bool = False, **attributes: Any) -> Seen:
    return Seen(number, attributes, is_closed)


class Listed:
    """A source that sees what it is told."""

    def __init__(
        self, name: str, *runs: Seen, error: str = "", problems: tuple[str, ...] = ()
    ) -> None:
        self.name, self.runs, self.error, self.problems = name, runs, error, problems

    def discover(self) -> Iterable[Seen]:
        if self.error:
            raise DataError(self.error)
        return self.runs


def test_a_run_is_written_with_who_saw_it() -> None:
    """Its first record has sequence 1, the source as actor, and what is known."""
    (record,) = merge_runs({}, [("files", seen(7, kind="physics"))], NOW)
    assert (record.number, record.attributes, record.is_closed) == (7, {"kind": "physics"}, False)
    assert (record.time, record.actor, record.sequence) == (NOW, Actor("files", "source"), 1)


@pytest.mark.parametrize(
    ("now_seen", "attributes", "is_closed"),
    [
        (seen(7, is_closed=True, a=1), None, None),
        (seen(7), None, None),
        (seen(7, a=2), {"a": 2}, True),
        (seen(7, b=1), {"a": 1, "b": 1}, True),
    ],
)
def test_only_what_is_new_is_written(
    now_seen: Seen, attributes: dict[str, Any] | None, is_closed: object
) -> None:
    """Attributes are added and corrected, never dropped, and a run that was closed stays closed."""
    records = merge_runs({7: run(7, a=1)}, [("files", now_seen)], NOW)
    if attributes is None:
        assert records == []
    else:
        assert [(r.attributes, r.is_closed, r.sequence) for r in records] == [
            (attributes, is_closed, 2)
        ]


def test_a_run_that_closes_is_written() -> None:
    """The end of a run is news by itself."""
    (record,) = merge_runs(
        {7: run(7, is_closed=False)}, [("files", seen(7, is_closed=True))], later(-99)
    )
    assert record.is_closed
    assert record.time > NOW


def test_sources_are_taken_together() -> None:
    """A later source adds to an earlier one and wins over it; one that says closed is enough."""
    sights = [
        ("files", seen(7, a=1, b=1)),
        ("table", seen(7, is_closed=True, b=2)),
        ("files", seen(3)),
    ]
    first, second = merge_runs({}, sights, NOW)
    assert (first.number, first.actor.name) == (3, "files")
    assert (second.attributes, second.is_closed, second.actor.name) == (
        {"a": 1, "b": 2},
        True,
        "table",
    )


sights = st.lists(
    st.builds(
        Seen,
        st.integers(1, 3),
        st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
        st.booleans(),
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(sights, sights)
def test_seeing_the_same_again_writes_nothing(before: list[Seen], after: list[Seen]) -> None:
    """Merging is idempotent, and sequences follow one another."""
    known: dict[int, RunRecord] = {}
    for sight in (before, after):
        for record in merge_runs(known, [("s", one) for one in sight], NOW):
            assert (
                record.sequence
                == (known[record.number].sequence if record.number in known else 0) + 1
            )
            known[record.number] = record
        assert merge_runs(known, [("s", one) for one in sight], NOW) == []


WELL: dict[str, tuple[str, ...]] = {"files": ()}


def test_discovery_writes_what_the_sources_see() -> None:
    """New and changed runs are told apart, and a source that fails does not end the others."""
    store, clock = open_store("memory:"), FakeClock()
    good = Listed("files", seen(1), seen(2), problems=("run 3 cannot be read",))
    bad = Listed("table", error="the table is gone")
    first = discover(store, [bad, good], clock)
    said = ("source table: the table is gone", "run 3 cannot be read")
    assert first == DiscoveredRuns(
        (1, 2), (), said, {"table": said[:1], "files": said[1:]}, ("table",)
    )
    second = discover(store, [Listed("files", seen(1, is_closed=True), seen(2), seen(9))], clock)
    assert second == DiscoveredRuns((9,), (1,), (), WELL)
    assert discover(store, [Listed("files", seen(2))], clock) == DiscoveredRuns((), (), (), WELL)
    assert [record.number for record in store.runs()[0]] == [1, 2, 9]


class Counted:
    """A store that counts how often runs are read."""

    def __init__(self) -> None:
        self.store, self.reads = open_store("memory:"), 0

    def runs(self, *arguments: Any) -> Any:
        self.reads += 1
        return self.store.runs(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def test_a_number_that_no_run_has_is_a_problem() -> None:
    """No verb could name such a run; the others of its source are found."""
    store = MemoryStore()
    found = discover(store, [Listed("files", seen(10**15 - 1), seen(10**15))], FakeClock(NOW))
    assert found.new == (10**15 - 1,)
    assert found.by_source["files"] == (f"source files: no run has the number {10**15}",)


def test_what_was_said_before_costs_no_look_at_the_runs() -> None:
    """While the sources say the same, no run is read; what a person corrected in the meantime
    stays.
    """
    store: Any = Counted()
    clock = FakeClock()
    discover(store, [Listed("files", seen(1, kind="cosmics"))], clock)
    corrected = run(1, kind="physics")._replace(sequence=2, time=later(3600))
    store.append([corrected])
    reads = store.reads
    assert discover(store, [Listed("files", seen(1, kind="cosmics"))], clock) == DiscoveredRuns(
        (), (), (), WELL
    )
    assert store.reads == reads
    assert store.runs()[0][0].attributes == {"kind": "physics"}
    assert discover(store, [Listed("files", seen(1, kind="cosmics"), seen(2))], clock).new == (2,)


class Overtaken(MemoryStore):
    """A store in which another process discovers the same just before the lease is claimed."""

    source: Listed | None = Listed("files", seen(1))

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        other, self.source = self.source, None
        if other is not None:
            discover(self, [other], FakeClock())
        return super().lease(name, owner, seconds)


def test_what_somebody_else_has_written_meanwhile_is_not_written_again() -> None:
    """Of two that ask the sources at the same time, the second finds it done."""
    store = Overtaken()
    found = discover(store, [Listed("files", seen(1))], FakeClock())
    assert found == DiscoveredRuns((), (), (), WELL)
    assert [record.sequence for record in store.runs().records] == [1]


class Told(Listed):
    """A source that shows what was delivered until that is acknowledged."""

    secret_file = Path("key")

    def __init__(self, *deliveries: Seen, error: str = "") -> None:
        super().__init__("daq")
        self.deliveries, self.complaint = [*deliveries], error

    def discover(self) -> Iterable[Seen]:
        self.runs = tuple(self.deliveries)
        return self.runs

    def read(self, body: bytes) -> Sequence[Seen]:
        raise NotImplementedError

    def keep(self, key: str, body: bytes) -> None:
        raise NotImplementedError

    def acknowledge(self) -> None:
        if self.complaint:
            raise DataError(self.complaint)
        self.deliveries = [one for one in self.deliveries if one not in self.runs]


def delivered(number: int, delivery: str, **attributes: Any) -> Seen:
    return Seen(number, attributes, is_closed=True, delivery=delivery)


def test_what_was_delivered_is_shown_until_it_is_in_the_store() -> None:
    """It is acknowledged after it was written, and what is said once more writes no record."""
    store, told = open_store("memory:"), Told(delivered(7, "a", kind="physics"))
    assert discover(store, [told], FakeClock()).new == (7,)
    assert told.deliveries == []
    told.deliveries = [delivered(7, "b", kind="physics")]
    again = discover(store, [told], FakeClock())
    assert (again.new, again.changed, told.deliveries) == ((), (), [])


class Failing(MemoryStore):
    """A store that dies while runs are written: before that, or after it."""

    def __init__(self, killed: str) -> None:
        super().__init__()
        self.name = self.killed = killed

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        if self.killed == "after":
            super().append(records, lease)
        if self.killed:
            self.killed = ""
            raise StoreError(self.name)
        super().append(records, lease)


@pytest.mark.parametrize("killed", ["before", "after"])
def test_what_was_delivered_outlives_a_kill(killed: str) -> None:
    """Killed before or after the runs are written, the next discovery has them once."""
    store, told = Failing(killed), Told(delivered(7, "a", kind="physics"))
    with pytest.raises(StoreError):
        discover(store, [told], FakeClock())
    assert len(told.deliveries) == 1
    discover(store, [told], FakeClock())
    assert told.deliveries == []
    assert [(run.number, run.sequence) for run in store.runs().records] == [(7, 1)]


def test_a_delivery_that_cannot_be_forgotten_is_a_problem() -> None:
    """It is shown again, which changes nothing, and the source says why."""
    store, told = open_store("memory:"), Told(delivered(7, "a"), error="no rights")
    for _ in range(2):
        found = discover(store, [told, Listed("files")], FakeClock())
        assert found.by_source == {"daq": ("source daq: no rights",), "files": ()}
    assert [run.sequence for run in store.runs().records] == [1]


class Overtaking(MemoryStore):
    """A store in which another process takes a newer delivery just before the lease is claimed."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told: Told | None = told

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        told, self.told = self.told, None
        if told is not None:
            told.deliveries.append(delivered(7, "b", events=2))
            discover(self, [told], FakeClock())
        return super().lease(name, owner, seconds)


def test_an_old_delivery_does_not_win_over_a_newer_one() -> None:
    """Whoever has seen the old one alone looks again before it writes."""
    told = Told(delivered(7, "a", events=1))
    store = Overtaking(told)
    discover(store, [told], FakeClock())
    assert [run.attributes for run in store.runs().records] == [{"events": 2}]


def test_without_sources_nothing_is_asked() -> None:
    """Not even the lease."""
    store = open_store("memory:")
    store.lease("runs", "somebody", 60)
    assert discover(store, [], FakeClock()) == DiscoveredRuns((), (), ())


def test_discovery_is_one_at_a_time() -> None:
    """While another process discovers, this one says so; its own lease is given up, whatever
    happens.
    """
    store = open_store("memory:")
    store.lease("runs", "somebody", 60)
    with pytest.raises(LeaseHeld, match="somebody"):
        discover(store, [Listed("files", seen(1))], FakeClock())
    store.lease("runs", "somebody", 0)
    discover(store, [Listed("files", seen(1))], FakeClock())
    store.lease("runs", "another", 60)


def test_another_discovery_is_waited_for() -> None:
    """What it writes is there for whoever waits, who writes what it has not seen; one that takes
    long is not waited for.
    """
    store, clock = open_store("memory:"), FakeClock()
    source, other = Listed("files", seen(1), seen(2)), Listed("files", seen(1))
    store.lease("runs", "another", 60)
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 2:
            store.lease("runs", "another", 0)
            discover(store, [other], clock)

    assert discover_or_wait(store, [source], clock, pause).new == (2,)
    assert [run.number for run in store.runs().records] == [1, 2]
    store.lease("runs", "another", 60)
    source.runs = (*source.runs, seen(3))
    assert discover_or_wait(store, [source], clock, paused.append).new == ()
    assert len(paused) > 2


def test_what_was_found_is_plain_in_json() -> None:
    """New and changed runs and the sentences; what the machine itself needs is left out."""
    found = DiscoveredRuns((1,), (2,), ("gone",), {"table": ("gone",)}, ("table",))
    assert found.values() == {"new": (1,), "changed": (2,), "problems": ("gone",)}
