"""A scatter plot as plain geometry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.views.plot import Plot, Point, plot

FINITE = st.floats(-1e300, 1e300, allow_nan=False)


def drawn(*pairs: tuple[float, float]) -> Plot:
    """Return the plot of these points."""
    found = plot([Point(x, y, f"{x}: {y}") for x, y in pairs])
    assert found is not None
    return found


def test_points_lie_where_their_numbers_say() -> None:
    """The smallest is at the lower left corner of the frame, the largest at the upper right."""
    found = drawn((10, 0.5), (20, 1.0), (30, 1.5))
    assert [(dot.x, dot.y) for dot in found.dots] == [
        (found.left, found.bottom),
        ((found.left + found.right) / 2, (found.top + found.bottom) / 2),
        (found.right, found.top),
    ]
    assert found.dots[0].text == "10: 0.5"


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 10, ["0", "5", "10"]),
        (0.5, 1.5, ["0.5", "1.0", "1.5"]),
        (-1, 1, ["-1.0", "-0.5", "0", "0.5", "1.0"]),
        (0, 4e-6, ["0", "1e-06", "2e-06", "3e-06", "4e-06"]),
        (1e9, 5e9, ["1e+09", "2e+09", "3e+09", "4e+09", "5e+09"]),
        (7, 7, ["4", "6", "8", "10"]),
        (0, 0, ["-1.0", "-0.5", "0", "0.5", "1.0"]),
    ],
)
def test_an_axis_has_round_numbers(low: float, high: float, texts: list[str]) -> None:
    """A few of them, each told from the next."""
    assert [tick.text for tick in drawn((1, low), (2, high)).y_ticks] == texts


def test_runs_are_counted_in_whole_numbers() -> None:
    """Between neighbouring runs there is nothing, and one run alone stands in the middle."""
    assert [tick.text for tick in drawn((4521, 1), (4522, 2)).x_ticks] == ["4521", "4522"]
    assert [tick.text for tick in drawn((4521, 1)).x_ticks] == ["4520", "4521", "4522"]


def test_what_is_not_a_number_is_not_drawn() -> None:
    """Infinite numbers and NaN are left out; without any other there is no plot."""
    assert len(drawn((1, 1), (2, float("nan")), (3, float("inf"))).dots) == 1
    assert plot([Point(1, float("nan"), "")]) is None
    assert plot([]) is None


@given(st.lists(st.tuples(st.integers(0, 10**9), FINITE), min_size=1, max_size=20))
def test_whatever_the_numbers_all_lies_in_the_frame(pairs: list[tuple[int, float]]) -> None:
    """Each point and tick, and there are at most a dozen ticks."""
    found = drawn(*pairs)
    for dot in found.dots:
        assert found.left <= dot.x <= found.right
        assert found.top <= dot.y <= found.bottom
    assert 1 <= len(found.y_ticks) <= 12
    assert 1 <= len(found.x_ticks) <= 12
    assert all(found.top <= tick.at <= found.bottom for tick in found.y_ticks)
