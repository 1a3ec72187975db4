"""Plots of numbers over runs."""

from __future__ import annotations

import re
from math import isfinite
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as some

from autoctrl.web.pages.plots import (
    HEIGHT,
    HUGE,
    MOST_LINKS,
    Limit,
    Plot,
    Point,
    choose_scale,
    draw,
    near_limits,
    round_step,
    spell_number,
)

finite = some.floats(allow_nan=False, allow_infinity=False)
sane = some.floats(-1e30, 1e30).filter(lambda value: value == 0 or abs(value) > 1e-30)


def read(drawn: str) -> ET.Element:
    """Return a drawing, read as XML."""
    return ET.fromstring(drawn)  # noqa: S314 - we have just made it


def plot_of(*values: float | None, limits: tuple[Limit, ...] = ()) -> Plot:
    """Return a plot of values over runs from 1."""
    points = [Point(str(run), value, f"/runs/{run}") for run, value in enumerate(values, 1)]
    return Plot("gain", points, limits)


@given(some.lists(finite, min_size=1, max_size=20))
def test_every_value_lies_in_the_field(values: list[float]) -> None:
    """Whatever the numbers, the drawing is well-formed, and no point lies outside of it."""
    drawn = draw(plot_of(*values, 1.0))
    heights = [float(dot.attrib["cy"]) for dot in read(drawn).iter("circle")]
    assert len(heights) == 1 + sum(abs(value) <= HUGE for value in values)
    assert all(isfinite(height) and 0 <= height <= HEIGHT for height in heights)
    assert "nan" not in drawn


@given(sane, sane)
def test_lines_stand_at_round_numbers_within_the_scale(one: float, other: float) -> None:
    """Some lines are drawn, none outside, and a larger value lies higher."""
    scale = choose_scale([one, other], 2)
    assert scale.low < min(one, other)
    assert max(one, other) < scale.high
    assert scale.y(scale.high) < scale.y(scale.low)
    assert len(scale.ticks) <= 10


def test_a_missing_value_breaks_the_line() -> None:
    """Where a run has no value there is neither a point nor a line; without any value no plot."""
    drawn = draw(plot_of(1.0, 2.0, None, 3.0))
    assert (drawn.count("<circle"), len(re.findall(r"M[\d.]", drawn))) == (3, 2)
    assert draw(plot_of(None)) == ""


def test_a_point_says_its_run_and_value_and_leads_there() -> None:
    """Its title is shown on pointing at it; one beyond a limit says so, in more than its colour."""
    drawn = draw(Plot("gain", [Point("7", 2.5, "/runs/7", "alarm"), Point("8", 1.0)]))
    assert "<title>7 = 2.500: alarm</title>" in drawn
    assert '<a href="/runs/7" tabindex="-1"><circle class="point is-alarm"' in drawn
    assert drawn.count("<a ") == 1
    assert 'aria-label="gain, 7 to 8: 2 values from 1 to 2.500; 1 beyond a limit"' in drawn


def test_limits_are_drawn_where_they_do_not_flatten_the_points() -> None:
    """A limit far away from all values is left out."""
    near, far = Limit(3.0, "warning"), Limit(1e6, "alarm")
    assert near_limits([1.0, 2.0], [near, far]) == [near]
    assert near_limits([5.0, 5.0], [Limit(9.0, "alarm"), far]) == [Limit(9.0, "alarm")]
    drawn = draw(plot_of(1.0, 2.0, limits=(near, far)))
    assert drawn.count('class="limit is-warning"') == 1
    assert "is-alarm" not in drawn


def test_of_very_many_points_only_the_marked_are_drawn() -> None:
    """The line says the rest, so that a page of many plots stays small."""
    points = [
        Point(str(run), 1.0, "", "alarm" if run == 9 else "") for run in range(MOST_LINKS + 1)
    ]
    assert draw(Plot("gain", points)).count("<circle") == 1


def test_nothing_in_a_plot_is_markup() -> None:
    """Names come from jobs: they are shown letter by letter."""
    evil = "<script>'\"&"
    drawn = draw(Plot(evil, [Point(evil, 1.0, evil, evil)], [Limit(1.0, evil)]))
    assert "<script" not in drawn
    assert read(drawn).attrib["aria-label"].startswith(evil)


@pytest.mark.parametrize(
    ("value", "step", "spelled"),
    [
        (0.0, None, "0"),
        (8174.2309, None, "8174"),
        (-123456.0, None, "-123456"),
        (0.10619, None, "0.1062"),
        (1.5e9, None, "1.500e9"),
        (-2.5e-7, None, "-2.500e-7"),
        (1e120, 1e119, "1.0e120"),
        (98.9985, 0.0005, "98.9985"),
        (20.0, 5.0, "20"),
        (0.5, 0.5, "0.5"),
    ],
)
def test_numbers_have_the_digits_that_tell_them_apart(
    value: float, step: float | None, spelled: str
) -> None:
    """Neither more nor less; very large and small ones as powers of ten."""
    assert spell_number(value, step) == spelled


def test_steps_are_round() -> None:
    """One, two or five times a power of ten."""
    assert [round_step(rough) for rough in (0.7, 1.3, 3.0, 7.0, 200.0)] == [1, 2, 5, 10, 200]
