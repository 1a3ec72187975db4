"""A scatter plot as plain geometry, which a face draws. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640.0, 180.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 12.0, 12.0, 26.0
TICKS = 4
STEPS = (1.0, 2.0, 5.0, 10.0)
SLACK = 1e-9
SMALL, LARGE = 1e-4, 1e7  # numbers beyond these are written with a power of ten


class Point(NamedTuple):
    """What is plotted: ``y`` over ``x``, and what a reader is told of it."""

    x: float
    y: float
    text: str
    address: str = ""


class Dot(NamedTuple):
    """A point where it is drawn, in the plot's own units from the upper left corner."""

    x: float
    y: float
    text: str
    address: str


class Tick(NamedTuple):
    """A mark of an axis: where it is, and the number beside it."""

    at: float
    text: str


class Plot(NamedTuple):
    """A plot as it is drawn, in units of which it is ``width`` wide and ``height`` high.

    left, right, top, bottom  the edges of the frame
    dots                      the points, in the order given
    x_ticks, y_ticks          marks of the axes
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def plot(points: Sequence[Point]) -> Plot | None:
    """Return a plot of the points whose numbers are finite, None if there are none."""
    shown = [point for point in points if math.isfinite(point.x) and math.isfinite(point.y)]
    if not shown:
        return None
    across = _Axis.over([p.x for p in shown], LEFT, WIDTH - RIGHT, is_whole=True)
    up = _Axis.over([p.y for p in shown], HEIGHT - BOTTOM, TOP, is_whole=False)
    dots = tuple(Dot(across.place(p.x), up.place(p.y), p.text, p.address) for p in shown)
    return Plot(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        dots=dots,
        x_ticks=across.ticks(),
        y_ticks=up.ticks(),
    )


class _Axis(NamedTuple):
    """Numbers from ``low`` to ``high`` on a line from ``begin`` to ``end``."""

    low: float
    high: float
    begin: float
    end: float
    is_whole: bool

    @classmethod
    def over(cls, numbers: Sequence[float], begin: float, end: float, *, is_whole: bool) -> _Axis:
        """Return the axis on which all the numbers have room."""
        low, high = min(numbers), max(numbers)
        if low == high:
            room = 1.0 if is_whole else abs(low) / 2 or 1.0
            low, high = low - room, high + room
        return cls(low, high, begin, end, is_whole)

    def place(self, number: float) -> float:
        """Return where a number is drawn."""
        share = number / (self.high - self.low) - self.low / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Return about five round numbers and where they are drawn."""
        step = _round_step(self.high / TICKS - self.low / TICKS)
        if self.is_whole:
            step = max(1.0, step)
        first, last = math.ceil(self.low / step - SLACK), math.floor(self.high / step + SLACK)
        return tuple(
            Tick(self.place(index * step), _spell(index * step, step))
            for index in range(first, last + 1)
        )


def _round_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5, 10, … that is not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * step for step in STEPS if power * step >= rough * (1 - SLACK))


def _spell(number: float, step: float) -> str:
    """Return a number with as many digits as tell it from its neighbours."""
    if number == 0:
        return "0"
    power = math.floor(math.log10(step))
    if SMALL <= abs(number) < LARGE:
        return f"{number:.{max(0, -power)}f}"
    digits = math.floor(math.log10(abs(number))) - power + 1
    return f"{number:.{max(digits, 1)}g}"
