"""Whatever events there are and whatever a module leaves out, a friend is aligned or it is not
there.
"""

from __future__ import annotations

import math
from typing import Any

import awkward as ak
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.science.friends import FILLER
from autoctrl.science.friends.columns import friend_columns
from tests.unit.science.friends.modules import EVENTS, LIGHT, Giving, make_chunk

# None stands for what a module does not say
SAID = st.one_of(LIGHT, st.none(), st.just(math.nan), st.just(math.inf))
MANY = settings(max_examples=150, deadline=None)


def expected(lights: list[list[float]], answers: list[list[float | None] | None]) -> list[float]:
    """Return the column that answers give: fillers where nothing finite is said."""
    column: list[float] = []
    for light, answer in zip(lights, answers, strict=True):
        values = [None] * len(light) if answer is None else answer
        column += [
            FILLER if value is None or not math.isfinite(value) else value for value in values
        ]
    return column


@MANY
@given(st.data(), EVENTS)
def test_every_cluster_has_its_own_value(data: st.DataObject, lights: list[list[float]]) -> None:
    """Values stand where they were given, fillers where an event, a cluster or a number was left
    out.
    """
    answers = [
        data.draw(st.one_of(st.none(), st.lists(SAID, min_size=len(light), max_size=len(light))))
        for light in lights
    ]
    columns = friend_columns(make_chunk(lights), [Giving(lambda _: ak.Array(answers))])
    assert columns["sc_given"].tolist() == expected(lights, answers)
    assert columns["nSc"].tolist() == [len(light) for light in lights]


@MANY
@given(st.data(), EVENTS)
def test_a_shift_is_never_accepted(data: st.DataObject, lights: list[list[float]]) -> None:
    """One event or one cluster more or less than there are is refused, naming an event, whichever
    it is.
    """
    given_lists = [list(light) for light in lights]
    place = data.draw(st.integers(0, len(lights) - 1))
    change = data.draw(st.sampled_from(["drop event", "add event", "drop cluster", "add cluster"]))
    if change == "drop event":
        del given_lists[place]
    elif change == "add event":
        given_lists.insert(place, [1.0])
    elif change == "drop cluster" and given_lists[place]:
        given_lists[place].pop()
    else:
        given_lists[place].append(1.0)
    with pytest.raises(DataError, match=r"friend module giving .* run 7 event"):
        friend_columns(make_chunk(lights), [Giving(lambda _: ak.Array(given_lists))])


@MANY
@given(EVENTS, st.sets(st.integers(0, 11), min_size=1))
def test_the_failing_event_is_named(lights: list[list[float]], broken: set[int]) -> None:
    """Whichever events a module fails on, the first of them is named."""

    def fail(events: Any) -> Any:
        if broken & set(events["event"].tolist()):
            raise ArithmeticError
        return events["sc_integral"]

    failing = sorted(broken & set(range(len(lights))))
    if not failing:
        assert len(friend_columns(make_chunk(lights), [Giving(fail)])["run"]) == len(lights)
        return
    with pytest.raises(DataError, match=f"ArithmeticError: : run 7 event {failing[0]},"):
        friend_columns(make_chunk(lights), [Giving(fail)])
