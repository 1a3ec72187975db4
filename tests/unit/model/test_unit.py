"""Units, and selections of runs as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import UsageError
from autoctrl.model.unit import (
    TaskKey,
    format_runs,
    group_unit,
    is_group,
    parse_ranges,
    parse_runs,
    run_unit,
    spell_unit,
    unit_order,
)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("4521", [4521]),
        ("4500-4502,4521", [4500, 4501, 4502, 4521]),
        (" 7 , 5-6 ", [5, 6, 7]),
        ("3,3,2-3", [2, 3]),
        ("5-5", [5]),
    ],
)
def test_a_selection_gives_each_run_once_in_order(text: str, runs: list[int]) -> None:
    """Ranges and single runs may overlap, be out of order, and have spaces around them."""
    assert parse_runs(text) == runs


@pytest.mark.parametrize(
    "text", ["", "all", "45x", "4500-", "-3", "1,,2", "5-4", "1-99999999", "1-2-3", "1.5"]
)
def test_nonsense_is_refused_with_what_to_write(text: str) -> None:
    """Anything else is refused, quoting the selection, with an example."""
    with pytest.raises(UsageError, match=r"is not a run selection.*Write") as caught:
        parse_runs(text)
    assert f"'{text}'" in str(caught.value)


def test_a_number_that_no_run_has_is_refused() -> None:
    """Beyond fifteen digits no store keeps it."""
    assert parse_runs("9" * 15) == [int("9" * 15)]
    with pytest.raises(UsageError, match="its number is too long"):
        parse_runs(f"1-{'9' * 16}")


def test_ranges_may_be_longer_than_what_they_are_looked_up_in() -> None:
    """Whoever knows the runs needs no list of all that a range could mean."""
    assert parse_ranges("4, 1-99999999") == [range(4, 5), range(1, 100_000_000)]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 200), min_size=1))
def test_writing_and_reading_runs_are_inverse(runs: set[int]) -> None:
    """What format_runs writes, parse_runs reads back; and nothing shorter would name neighbouring
    ranges apart.
    """
    text = format_runs(list(runs))
    assert parse_runs(text) == sorted(runs)
    ends = [int(piece.rpartition("-")[2]) for piece in text.split(",")]
    assert all(end + 1 not in runs for end in ends)


def test_units_are_said_as_people_say_them() -> None:
    """A run is spell_unit of as run 4521, a group by its attribute; a task adds its workflow."""
    assert spell_unit(run_unit(4521)) == "run 4521"
    assert spell_unit(group_unit("fill", 8222)) == "fill 8222"
    assert str(TaskKey("prompt", "friends", "4521")) == "run 4521 / friends"
    assert is_group("fill:8222")
    assert not is_group("4521")


def test_units_sort_by_number_and_runs_before_groups() -> None:
    """Run 9 comes before run 10, both before any fill; a value that is no number sorts as text."""
    units = ["fill:10", "10", "kind:physics", "fill:9", "9", "kind:a:b", "kind:²"]
    ordered = ["9", "10", "fill:9", "fill:10", "kind:physics", "kind:²", "kind:a:b"]
    assert sorted(units, key=unit_order) == ordered
