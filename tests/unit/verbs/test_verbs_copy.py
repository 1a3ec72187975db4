"""Copying a history: what arrives, what is gone on with, what is refused, what is noticed."""

from __future__ import annotations

from datetime import timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError, UsageError
from autoctrl.model.campaign import PROMPT
from autoctrl.model.names import COPY_LEASE
from autoctrl.model.output import MarkRecord, OutputRecord
from autoctrl.model.status import TaskStatus
from autoctrl.stores.memory import MemoryStore
from autoctrl.verbs.copy import (
    line_of,
)
from tests.contract.samples import ALICE, NOW, SPEC, job, mark, output, run, task
from tests.unit.verbs.copying import (
    COUNTS,
    DONE,
    FILES,
    FIRST,
    GOING,
    HISTORY,
    HITS,
    PART,
    copied,
    holding,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autoctrl.ports import Lease, Record


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
        "record 1 of run 9, which sqlite:old holds too, but the two differ in attributes.",
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
            "record 3 of run 9 / reco in campaign prompt, which sqlite:old holds too, but the two "
            "differ in status."
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
    "another size": ([FILES[0]._replace(bytes=8)], "holds too, but the two differ in bytes."),
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
    with pytest.raises(UsageError, match="sqlite:old and sqlite:new are the same store"):
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
                "which sqlite:old holds too, but the two differ in bytes. Somebody else is writing "
                "to the target"
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
        match=r"holds record 1 of run 12 / intruder .* Somebody else is writing to the target",
    ):
        copied(holding(*HISTORY), target, tell=intrude)


def test_a_store_that_keeps_no_order_is_noticed() -> None:
    """Reading side by side needs the order, so it is checked."""
    backwards = Faulty(lambda records: records[::-1], is_read=True)
    backwards.append(HISTORY)
    with pytest.raises(StoreError, match=r"yields the output plots at .* out of order.*defect"):
        copied(backwards, MemoryStore())
