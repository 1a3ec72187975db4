"""Copying a history: what arrives, what is gone on with, what is refused, what is noticed."""

from __future__ import annotations

from datetime import timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import LeaseHeld, LeaseLost, StoreError, UsageError
from autoctrl.model.actor import Actor
from autoctrl.model.campaign import PROMPT
from autoctrl.model.names import COPY_LEASE
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.stores.leases import Ticks
from autoctrl.stores.memory import MemoryStore
from autoctrl.testing import FakeClock
from autoctrl.verbs import Request
from autoctrl.verbs.copy import (
    BATCH,
    Copied,
    Names,
    copy_history,
    describe_live,
    line_of,
    live_jobs,
)
from tests.contract.samples import ALICE, NOW, SPEC, job, mark, output, run, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autoctrl.ports import Lease, Record, Store

NAMES = Names("sqlite:old", "sqlite:new")
FIRST = task("9")
GOING = FIRST.moved(TaskStatus.PROCESSING, NOW)
DONE = GOING.moved(TaskStatus.DONE, NOW)
PART = job(GOING, 0, asked=NOW, handle="h0")
FILES = [output(DONE, "tracks"), output(DONE, "plots")]
HITS = FieldsRecord(DONE.key, 1, {"hits": 3.0}, NOW)
HISTORY: list[Record] = [
    run(9),
    run(4),
    run(9, 2, fill=7),
    mark("reco"),
    mark("reco", sequence=2),
    mark("reco", "again"),
]
HISTORY += [
    FIRST,
    GOING,
    DONE,
    task("10"),
    PART,
    PART.moved(JobStatus.DONE, NOW),
    job(GOING, -1),
    *FILES,
    HITS,
]
COUNTS = {"runs": 3, "marks": 3, "tasks": 4, "jobs": 3, "outputs": 2, "fields": 1}


def holding(*records: Record) -> MemoryStore:
    made = MemoryStore()
    made.append(records)
    return made


def request(target: Store, clock: FakeClock | None = None) -> Request:
    return Request(target, clock or FakeClock(), ALICE, wait_s=0, lease_s=60)


def copied(
    source: Store, target: Store, *, tell: Callable[[str, int], None] | None = None
) -> Copied:
    return copy_history(request(target), source, NAMES, tell)


def test_every_record_arrives() -> None:
    """The new store holds what the old one holds, in the same order, under an id of its own."""
    source, target = holding(*HISTORY), MemoryStore()
    answer = copied(source, target)
    assert list(target.records()) == list(source.records())
    assert (answer.counts, answer.present, answer.written) == (COUNTS, 0, len(HISTORY))
    assert source.store_id != target.store_id


@pytest.mark.parametrize("number", range(1, len(HISTORY) + 1))
def test_a_copy_that_was_cut_goes_on(number: int) -> None:
    """However much an earlier call has written, only the rest is written now, and the digest is the
    same.
    """
    source = holding(*HISTORY)
    records = list(source.records())
    target = holding(*records[:number])
    answer = copied(source, target)
    assert list(target.records()) == records
    assert (answer.counts, answer.present, answer.written) == (
        COUNTS,
        number,
        len(HISTORY) - number,
    )
    assert answer.digest == copied(source, MemoryStore()).digest


def test_a_source_that_went_on_is_caught_up_with() -> None:
    """What was written into the old store since the last copy is added to the new one, wherever its
    place is.
    """
    source, target = holding(*HISTORY), MemoryStore()
    before = copied(source, target)
    again = DONE.moved(TaskStatus.NEW, NOW)
    source.append(
        [
            run(3),
            mark("reco", sequence=3),
            mark("alpha"),
            again,
            task("1"),
            output(DONE, "tracks", "file:/b"),
        ]
    )
    answer = copied(source, target)
    assert list(target.records()) == list(source.records())
    assert (answer.present, answer.written) == (len(HISTORY), 6)
    assert answer.digest != before.digest


OTHER: dict[str, tuple[list[Record], str]] = {
    "a run": ([run(5)], "sqlite:new holds record 1 of run 5, which sqlite:old does not."),
    "another attribute": (
        [run(9, fill=8)],
        "record 1 of run 9, which sqlite:old does not hold so: they differ in attributes.",
    ),
    "runs in another order": (
        [run(4), run(9)],
        "holds record 1 of run 4, which sqlite:old does not.",
    ),
    "a mark": ([mark("zeta")], "holds record 1 of the workflow mark of prompt/zeta, which"),
    "a longer chain": (
        [mark("reco", sequence=n) for n in (1, 2, 3)],
        "holds record 3 of the workflow mark of prompt/reco",
    ),
    "a task": (
        [task("11")],
        "holds record 1 of run 11 / reco in campaign prompt, which sqlite:old does not.",
    ),
    "a task that took another way": (
        [FIRST, GOING, GOING.moved(TaskStatus.FAILED, NOW)],
        (
            "record 3 of run 9 / reco in campaign prompt, which sqlite:old does not hold so: "
            "they differ in status."
        ),
    ),
    "a job": (
        [job(GOING, 7)],
        "record 1 of run 9 / reco v1 job 7 in campaign prompt, which sqlite:old does not.",
    ),
    "another job": (
        [job(GOING, 0, host="n")],
        "record 1 of run 9 / reco v1 job 0 in campaign prompt, which sqlite:old",
    ),
    "an output": (
        [*FILES, output(DONE, "more")],
        "the output more at file:/a of run 9 / reco v1 in campaign prompt, which",
    ),
    "another size": ([FILES[0]._replace(bytes=8)], "hold so: they differ in bytes."),
    "fields": (
        [HITS, HITS],
        "holds the fields of run 9 / reco v1 in campaign prompt, which sqlite:old does not.",
    ),
}


@pytest.mark.parametrize("other", OTHER)
def test_a_store_that_holds_other_things_is_left_alone(other: str) -> None:
    """The first record that is not the source's is named, with what differs; nothing is written."""
    records, text = OTHER[other]
    source, target = holding(*HISTORY), holding(*records)
    before = list(target.records())
    with pytest.raises(StoreError) as caught:
        copied(source, target)
    assert text in caught.value.message
    assert caught.value.hint.startswith("Nothing was written.")
    assert list(target.records()) == before
    assert target.lease(COPY_LEASE, "somebody", 1).epoch == 1


def test_a_store_is_not_copied_onto_itself() -> None:
    """Two names of one store are noticed."""
    with pytest.raises(UsageError, match="sqlite:old and sqlite:new are one store"):
        copied(store := holding(*HISTORY), store)


def test_nothing_is_not_copied() -> None:
    """A source without records is more likely a mistyped one."""
    with pytest.raises(UsageError, match="sqlite:old holds no record"):
        copied(MemoryStore(), MemoryStore())


class TestTheCampaignThatEveryStoreHas:
    """Whoever has looked at the new store before the copy has made the campaign prompt in it."""

    MADE = MarkRecord("campaign", PROMPT, PROMPT, {"follow": True}, NOW)
    LATER = MADE._replace(time=NOW + timedelta(days=9))

    def test_made_by_itself(self) -> None:
        """When it was made by itself does not matter; everything else is copied and found to be the
        same.
        """
        edited = self.MADE._replace(sequence=2, values={"follow": False}, actor=ALICE)
        source, target = holding(self.MADE, edited, *HISTORY), holding(self.LATER)
        answer = copied(source, target)
        assert (answer.present, answer.written) == (1, len(HISTORY) + 1)
        assert target.marks("campaign") == [edited]
        assert answer.digest == copied(source, MemoryStore()).digest

    @pytest.mark.parametrize(
        "there",
        [
            [LATER._replace(values={"follow": False})],
            [LATER._replace(actor=ALICE)],
            [LATER._replace(campaign="again", name="again")],
            [MADE, LATER._replace(sequence=2)],
        ],
    )
    def test_made_by_somebody(self, there: list[Record]) -> None:
        """One that is different, that a person made, or that was changed, is a record like any
        other.
        """
        source = holding(
            self.MADE,
            self.MADE._replace(sequence=2),
            self.MADE._replace(campaign="again", name="again"),
        )
        with pytest.raises(StoreError, match="Nothing was written"):
            copied(source, holding(*there))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (HITS, HITS._replace(values={"hits": 3}), True),
        (HITS, HITS._replace(values={"hits": 3.5}), False),
        (
            HITS._replace(values={"a": 1.0, "b": 2.0}),
            HITS._replace(values={"b": 2.0, "a": 1.0}),
            True,
        ),
        (
            HITS._replace(values={"a": float("nan")}),
            HITS._replace(values={"a": float("nan")}),
            True,
        ),
        (run(1, since=NOW), run(1, since=NOW.astimezone(timezone(timedelta(hours=1)))), True),
        (run(1, beam=True), run(1, beam=1), False),
        (run(1, beam=0), run(1), False),
        (mark(runs=(1, 2.0)), mark(runs=[1, 2]), True),
        (mark(late={"7": [1.0]}), mark(late={"7": [1]}), True),
        (PART._replace(wall_s=1), PART._replace(wall_s=1.0), True),
        (PART, PART._replace(spec=SPEC._replace(environment={"A": "1"})), False),
        (PART._replace(fields={"rate": 2.0}), PART._replace(fields={"rate": 2}), True),
        (PART, PART._replace(spec=SPEC._replace(environment=MappingProxyType({}))), True),
        (FIRST, FIRST._replace(until=NOW), False),
    ],
)
def test_records_that_say_the_same_are_the_same(
    one: Record, other: Record, *, is_same: bool
) -> None:
    """Numbers count by their value, mappings by what they hold, whatever a store makes of them;
    nothing else does.
    """
    assert (line_of(one) == line_of(other)) is is_same


class Faulty(MemoryStore):
    """A store that makes something else of what it is given or asked for."""

    def __init__(
        self, change: Callable[[list[Record]], list[Record]], *, is_read: bool = False
    ) -> None:
        super().__init__()
        self.change, self.is_read = change, is_read

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        super().append(list(records) if self.is_read else self.change(list(records)), lease)

    def records(self) -> Iterator[Record]:
        found = list(super().records())
        return iter(self.change(found) if self.is_read else found)


def without_outputs(records: list[Record]) -> list[Record]:
    return [record for record in records if not isinstance(record, OutputRecord)]


def smaller(records: list[Record]) -> list[Record]:
    return [
        record._replace(bytes=6) if isinstance(record, OutputRecord) else record
        for record in records
    ]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            without_outputs,
            (
                "sqlite:new lacks the output tracks at file:/a of run 9 / reco v1 in campaign "
                "prompt, which"
            ),
        ),
        (
            smaller,
            (
                "which sqlite:old does not hold so: they differ in bytes. Somebody else writes "
                "into the target"
            ),
        ),
    ],
)
def test_what_did_not_arrive_is_noticed(
    change: Callable[[list[Record]], list[Record]], text: str
) -> None:
    """A store that loses or changes a record without saying so is found out at the end, by that
    record.
    """
    with pytest.raises(StoreError, match=text.replace(".", r"\.")):
        copied(holding(*HISTORY), Faulty(change))


def test_a_source_that_goes_on_meanwhile_is_noticed() -> None:
    """Records written into the old store while it is copied are missed in the end, and the next
    call adds them.
    """
    source, target = holding(*HISTORY), MemoryStore()

    def go_on(what: str, _: int) -> None:
        if what == "written":
            source.append([run(77)])

    with pytest.raises(
        StoreError, match="sqlite:new lacks record 1 of run 77, which sqlite:old holds now"
    ):
        copied(source, target, tell=go_on)
    assert copied(source, target).written == 1


def test_somebody_who_writes_into_the_target_is_noticed() -> None:
    """A record that comes into the new store while it is filled is named in the end."""
    target = MemoryStore()

    def intrude(what: str, _: int) -> None:
        if what == "written":
            target.append([task("12", "intruder")])

    with pytest.raises(
        StoreError,
        match=r"holds record 1 of run 12 / intruder .* Somebody else writes into the target",
    ):
        copied(holding(*HISTORY), target, tell=intrude)


def test_a_store_that_keeps_no_order_is_noticed() -> None:
    """Reading side by side needs the order, so it is checked."""
    backwards = Faulty(lambda records: records[::-1], is_read=True)
    backwards.append(HISTORY)
    with pytest.raises(StoreError, match=r"yields the output plots at .* out of order.*defect"):
        copied(backwards, MemoryStore())


MANY = [run(number) for number in range(1, 3 * BATCH + 2)]


def test_progress_is_told() -> None:
    """Whoever listens hears of each thousand that is found, written and compared."""
    heard: list[tuple[str, int]] = []
    target = holding(*MANY[:BATCH])
    copied(holding(*MANY), target, tell=lambda what, number: heard.append((what, number)))
    written = [("written", number) for number in (BATCH, 2 * BATCH, 2 * BATCH + 1)]
    assert heard == [
        ("read", BATCH),
        *written,
        *(("compared", number * BATCH) for number in (1, 2, 3)),
    ]


class TestLease:
    """Two copies into one store do not mix."""

    def test_held(self) -> None:
        """While another copy goes on, this one writes nothing and says who is at it."""
        target = MemoryStore()
        target.lease(COPY_LEASE, "bert on host:x", 60)
        with pytest.raises(LeaseHeld, match="bert"):
            copied(holding(*HISTORY), target)
        assert list(target.records()) == []

    def test_given_up(self) -> None:
        """Afterwards the lease is free, whether the copy came to its end or not."""
        target = MemoryStore()
        copied(holding(*HISTORY), target)
        assert target.lease(COPY_LEASE, "bert", 60).epoch == 2

    @staticmethod
    def slow_copy(interfere: Callable[[MemoryStore], Any]) -> MemoryStore:
        """Copy many runs, each batch taking 30 s by all clocks; ``interfere`` comes after each."""
        clock, ticks = FakeClock(), [0]
        target = MemoryStore(ticks=lambda: Ticks("boot", ticks[0]))

        def wait(what: str, _: int) -> None:
            if what == "written":
                clock.advance(30)
                ticks[0] += 30_000_000
                interfere(target)

        copy_history(request(target, clock), holding(*MANY), NAMES, wait)
        return target

    def test_renewed(self) -> None:
        """A copy that takes longer than its lease renews it."""
        assert len(list(self.slow_copy(lambda _: None).records())) == len(MANY)

    def test_lost(self) -> None:
        """A copy that was stopped for so long that another one has begun and ended writes nothing
        more.
        """

        def overtake(target: MemoryStore) -> None:
            later = Ticks("boot", 10**9)
            target._ticks = lambda: later
            target.lease(COPY_LEASE, "bert", 60)
            target.lease(COPY_LEASE, "bert", 0)

        with pytest.raises(LeaseLost, match="The lease of this copy ran out"):
            self.slow_copy(overtake)


class TestLiveJobs:
    """What the new store will not recognise."""

    def test_under_way(self) -> None:
        """Jobs that an executor has, or may have been given, are under way; finished ones and plain
        intents are not.
        """
        again = task("1", campaign="again").moved(TaskStatus.PROCESSING, NOW)
        jobs = [
            job(again, 0, asked=NOW),
            job(again, 1, handle="h1").moved(JobStatus.RUNNING, NOW),
            job(again, 2),
            job(again, 3, handle="h3").moved(JobStatus.LOST, NOW),
        ]
        source = holding(
            mark("again", "again")._replace(kind="campaign"), task("1", campaign="again"), again
        )
        for one in jobs:
            source.append([one] if one.sequence == 1 else [one._replace(sequence=1), one])
        assert [one.key.index for one in live_jobs(source)] == [0, 1]

    def test_of_a_task_that_is_new_again(self) -> None:
        """A task that is not processing has none."""
        source = holding(FIRST, job(FIRST, 0, asked=NOW))
        assert live_jobs(source) == []
        source.append([GOING])
        assert [str(one) for one in live_jobs(source)] == ["run 9 / reco v1 job 0.1"]

    def test_named(self) -> None:
        """The first few are named."""
        jobs = [job(GOING, index) for index in range(5)]
        assert "job 0.1. They carry" in describe_live(jobs[:1], "sqlite:old")
        assert "job 1.1, run 9 / reco v1 job 2.1 and 2 more." in describe_live(jobs, "sqlite:old")


def test_people_are_not_in_the_way() -> None:
    """Whoever wrote a record, the copy says the same: it is not written anew."""
    source = holding(run(1)._replace(actor=Actor("bert", "web")))
    target = MemoryStore()
    copied(source, target)
    assert next(target.records()).actor == Actor("bert", "web")  # type: ignore[union-attr]
