"""Whatever events there are and whatever a module leaves out, a friend is aligned or it is not there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.friends import FILLER, write_friends
from autoctrl.friends.columns import friend_columns
from autoctrl.rootio import check_alignment, merge, open_file
from tests.unit.friends.modules import Giving, Inverse, make_chunk, write_events

if TYPE_CHECKING:
    from pathlib import Path

# an event without clusters may be empty or a discharge; None stands for what a module does not say
LIGHT = st.sampled_from([1.0, 2.5, -3.0, 40.0])
EVENTS = st.lists(st.lists(LIGHT, max_size=4), min_size=1, max_size=12)
SAID = st.one_of(LIGHT, st.none(), st.just(math.nan), st.just(math.inf))
MANY = settings(max_examples=150, deadline=None)
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def expected(lights: list[list[float]], answers: list[list[float | None] | None]) -> list[float]:
    """Return the column that answers give: fillers where nothing finite is said."""
    column: list[float] = []
    for light, answer in zip(lights, answers, strict=True):
        values = [None] * len(light) if answer is None else answer
        column += [FILLER if value is None or not math.isfinite(value) else value for value in values]
    return column


@MANY
@given(st.data(), EVENTS)
def test_every_cluster_has_its_own_value(data: st.DataObject, lights: list[list[float]]) -> None:
    """Values stand where they were given, fillers where an event, a cluster or a number was left out."""
    answers = [
        data.draw(st.one_of(st.none(), st.lists(SAID, min_size=len(light), max_size=len(light)))) for light in lights
    ]
    columns = friend_columns(make_chunk(lights), [Giving(lambda _: ak.Array(answers))])
    assert columns["sc_given"].tolist() == expected(lights, answers)
    assert columns["nSc"].tolist() == [len(light) for light in lights]


@MANY
@given(st.data(), EVENTS)
def test_a_shift_is_never_accepted(data: st.DataObject, lights: list[list[float]]) -> None:
    """One event or one cluster more or less than there are is refused, naming an event, whichever it is."""
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


@FEW
@given(EVENTS, st.data())
def test_files_are_aligned_in_whatever_pieces_they_are_made(
    tmp_path: Path, lights: list[list[float]], data: st.DataObject
) -> None:
    """Chunks of any size, runs that change anywhere, and parts that are merged give the same friend tree."""
    first_of_second = data.draw(st.integers(0, len(lights)))
    runs = [7] * first_of_second + [8] * (len(lights) - first_of_second)
    events = write_events(tmp_path / "reco.root", lights, runs)
    write_friends(events, tmp_path / "whole.root", [Inverse()])
    write_friends(events, tmp_path / "steps.root", [Inverse()], step=data.draw(st.integers(1, 5)))
    cut = data.draw(st.integers(0, len(lights)))
    write_friends(events, tmp_path / "0.root", [Inverse()], span=(0, cut))
    write_friends(events, tmp_path / "1.root", [Inverse()], span=(cut, None))
    merge([tmp_path / "0.root", tmp_path / "1.root"], tmp_path / "merged.root", entries=len(lights))
    found = []
    for name in ("whole", "steps", "merged"):
        assert check_alignment(events, tmp_path / f"{name}.root") == len(lights)
        with open_file(tmp_path / f"{name}.root") as file:
            found.append(file["Friends"].arrays().tolist())
    assert found[0] == found[1] == found[2]
    for entry, light in zip(found[0], lights, strict=True):
        wanted = [1 / value if value > 0 else FILLER for value in light]
        assert entry["sc_inverse"] == np.array(wanted, np.float32).tolist()
