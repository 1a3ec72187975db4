"""Which units follow from a list of changed runs."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import WorkflowError
from autoctrl.machine.births import Birth, Choice, advance, withdraw
from autoctrl.model.actor import CYCLE
from autoctrl.model.run import RunRecord, Where
from autoctrl.model.status import TaskStatus
from autoctrl.model.workflow import Cursor
from tests.unit.given import NOW, run, task

if TYPE_CHECKING:
    from collections.abc import Container

    from autoctrl.model.run import Value

PHYSICS = Where(kind="physics")


def walk(
    batches: list[list[RunRecord]],
    *,
    where: Where = PHYSICS,
    group_by: str | None = None,
    wanted: Container[int] | None = None,
) -> tuple[list[Birth], Cursor]:
    """Advance batch by batch; return all births, each unit only the first time, and the last
    cursor.
    """
    cursor, born = Cursor(), dict[str, Birth]()
    for position, batch in enumerate(batches, start=1):
        births, cursor = advance(cursor, batch, position, Choice(where, group_by, wanted))
        for birth in births:
            born.setdefault(birth.unit, birth)
    return list(born.values()), cursor


def test_a_run_is_born_when_the_filter_admits_it() -> None:
    """Admitted runs become units, others do not, and the cursor moves past all of them."""
    births, cursor = walk([[run(1, kind="physics"), run(2, kind="pedestal"), run(3)]])
    assert births == [Birth("1", (1,))]
    assert cursor == Cursor(position=1)


def test_a_filter_that_raises_names_the_run() -> None:
    """An error in an author's condition says which run it could not judge."""
    with pytest.raises(WorkflowError, match=r"raised TypeError on run 2: "):
        walk([[run(1, hv=500)], [run(2, hv="off")]], where=Where(hv=lambda volts: volts > 400))


def test_a_run_is_born_when_its_attribute_arrives() -> None:
    """What was not yet decided is looked at again when the run changes."""
    births, _ = walk([[run(3)], [run(3, kind="physics")]])
    assert births == [Birth("3", (3,))]


def test_a_fixed_list_of_runs_narrows_the_births() -> None:
    """A campaign with chosen runs takes no others."""
    births, _ = walk([[run(n, kind="physics") for n in (1, 2, 3)]], wanted={2})
    assert births == [Birth("2", (2,))]


def test_a_group_is_born_when_a_later_one_has_begun() -> None:
    """Its admitted members are frozen then; a member that was refused is no member, nor is one
    without a group.
    """
    first = [
        run(1, fill=5, kind="physics"),
        run(2, fill=5, kind="pedestal"),
        run(3, fill=5, kind="physics"),
        run(4),
    ]
    births, cursor = walk([first], group_by="fill")
    assert births == []
    assert cursor.pending == {"5": (1, 3)}
    births, cursor = walk([first, [run(9, fill=6)]], group_by="fill")
    assert births == [Birth("fill:5", (1, 3))]
    assert cursor == Cursor(2, "", {}, 6)


def test_a_group_is_born_when_its_end_is_known() -> None:
    """No later group is needed, and it does not matter which of its runs brought the end, nor in
    which order.
    """
    members = [run(1, fill=5, kind="physics"), run(2, fill=5, fill_end=1, kind="pedestal")]
    for batches in ([members], [members[:1], members[1:]], [members[1:], members[:1]]):
        assert walk(batches, group_by="fill")[0] == [Birth("fill:5", (1,))]


def test_a_group_of_a_fixed_list_is_closed_by_a_run_outside_it() -> None:
    """The project has gone on to the next fill, whether or not a campaign wants runs of that."""
    first = [run(1, fill=5, kind="physics"), run(2, fill=5, kind="physics")]
    births, cursor = walk([first, [run(3, fill=6, kind="physics")]], group_by="fill", wanted={1})
    assert births == [Birth("fill:5", (1,))]
    assert cursor == Cursor(2, "", {}, 6)
    births, _ = walk([[*first, run(3, fill=5, fill_end=1)]], group_by="fill", wanted={2})
    assert births == [Birth("fill:5", (2,))]


def test_a_late_run_of_a_closed_group_is_not_a_second_birth() -> None:
    """The unit is named again with the late run alone; who was born before keeps its members."""
    births, _ = walk(
        [
            [run(1, fill=5, kind="physics")],
            [run(2, fill=6, kind="physics")],
            [run(3, fill=5, kind="physics")],
        ],
        group_by="fill",
    )
    assert births == [Birth("fill:5", (1,))]


def test_a_run_that_changes_its_group_moves() -> None:
    """A corrected attribute takes the run out of one open group and into the other."""
    _, cursor = walk(
        [[run(1, fill=5, kind="physics")], [run(1, fill=6, kind="physics")]], group_by="fill"
    )
    assert cursor.pending == {"6": (1,)}


def test_groups_are_ordered_by_value_not_by_text() -> None:
    """Fill 10 comes after fill 9, and names in the order of the alphabet."""
    assert walk(
        [[run(1, fill=10, kind="physics"), run(2, fill=9, kind="physics")]], group_by="fill"
    )[0] == [Birth("fill:9", (2,))]
    births, _ = walk(
        [[run(1, week="a", kind="physics"), run(2, week="b", kind="physics")]], group_by="week"
    )
    assert births == [Birth("week:a", (1,))]


@pytest.mark.parametrize(
    ("first", "second", "unit"),
    [
        (False, True, "of:False"),
        (
            datetime(2026, 3, 1, tzinfo=UTC),
            datetime(2026, 3, 2, tzinfo=UTC),
            "of:2026-03-01 00:00:00+00:00",
        ),
        (1.5, 10.25, "of:1.5"),
    ],
)
def test_groups_are_ordered_whatever_type_their_attribute_has(
    first: Value, second: Value, unit: str
) -> None:
    """A group of a truth value, a time or a number is closed by a run of a later one."""
    arrivals = [[run(1, of=first, kind="physics")], [run(2, of=second, kind="physics")]]
    births, cursor = walk(arrivals, group_by="of")
    assert births == [Birth(unit, (1,))]
    assert cursor.pending == {str(second): (2,)}


kinds: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"kind": "physics"}, {"kind": "pedestal"}, {}]
)
changes = st.lists(st.lists(st.tuples(st.integers(1, 6), kinds), max_size=4), max_size=6)


@settings(max_examples=50, deadline=None)
@given(changes)
def test_single_runs_agree_with_looking_at_everything(
    history: list[list[tuple[int, dict[str, Any]]]],
) -> None:
    """Looking only at what changed bears the runs that a look at all runs after every change would
    bear.
    """
    batches = [[run(number, **attributes) for number, attributes in batch] for batch in history]
    expected, known = set(), {}
    for batch in batches:
        for one in batch:
            known[one.number] = one
            expected |= {str(n) for n, record in known.items() if PHYSICS.admits(record.attributes)}
    assert {birth.unit for birth in walk(batches)[0]} == expected


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_groups_agree_with_looking_at_everything(seed: int) -> None:
    """Group by group, birth and members are those that a look at all runs after every batch would
    give.
    """
    dice = Random(seed)
    fill_of = {number: dice.randint(1, 4) for number in range(1, 9)}
    batches = []
    for _ in range(dice.randint(1, 6)):
        ends = {fill for fill in range(1, 5) if dice.random() < 0.2}
        batches.append(
            [
                some_run(number, fill_of[number], ends, dice)
                for number in dice.sample(range(1, 9), 3)
            ]
        )
    births, _ = walk(batches, group_by="fill")
    assert sorted(births) == sorted(naive(batches))


def some_run(number: int, fill: int, ends: set[int], dice: Random) -> RunRecord:
    kind: dict[str, Any] = dice.choice([{"kind": "physics"}, {"kind": "pedestal"}, {}])
    end: dict[str, Any] = {"fill_end": 1} if fill in ends else {}
    return run(number, fill=fill, **kind, **end)


def naive(batches: list[list[RunRecord]]) -> list[Birth]:
    """Look at all runs after every batch; once an end is known it stays known."""
    known: dict[int, RunRecord] = {}
    ended: set[int] = set()
    born: dict[str, Birth] = {}
    for batch in batches:
        known.update({one.number: one for one in batch})
        ended |= {int(str(one.attributes["fill"])) for one in batch if "fill_end" in one.attributes}
        newest = max((int(str(one.attributes["fill"])) for one in known.values()), default=0)
        members: dict[int, list[int]] = {}
        for number in sorted(known):
            attributes = known[number].attributes
            if PHYSICS.admits(attributes):
                members.setdefault(int(str(attributes["fill"])), []).append(number)
        fresh = {fill: mine for fill, mine in members.items() if fill < newest or fill in ended}
        for fill in sorted(fresh):
            born.setdefault(f"fill:{fill}", Birth(f"fill:{fill}", tuple(fresh[fill])))
    return list(born.values())


def test_what_was_taken_back_is_neither_taken_back_again_nor_kept() -> None:
    """A withdrawn task whose run is refused once more stays as it is, and nobody need be told."""
    gone = task(TaskStatus.SKIPPED, actor=CYCLE)
    assert withdraw([gone], {gone.key.unit: {4521}}, NOW) == ([], [])
