"""Plots of numbers over runs, as SVG that needs no script: pure functions."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 10, 22  # what lies around the field
TICKS = 4  # about so many lines across
NAMES = 4  # at most so many names below
CROWDED = 50  # more points are drawn smaller
MOST_LINKS = 300  # more points are too close to be clicked on
FAR = 3.0  # a limit further away than so many times the spread would flatten the points
CLOSEST = 1e-9  # values that differ by a smaller part are drawn as alike
HUGE, TINY = 1e150, 1e-150  # beyond these the arithmetic of a computer fails
WHOLE = 1_000_000  # smaller whole numbers are written in full
PLAIN = range(-3, 6)  # powers of ten that are written out


class Point(NamedTuple):
    """One value.

    name   what stands below it, such as a run's number
    value  None where there is none: the line is broken
    href   where a click leads, may be empty
    mark   ``alarm``, ``warning`` or nothing
    """

    name: str
    value: float | None
    href: str = ""
    mark: str = ""


def point_at(unit: str, value: float | None, href: str, mark: str = "") -> Point:
    """Return the value of a unit as a point: below it stands the run, or the value that a group
    has in common.
    """
    return Point(unit.partition(":")[2] or unit, value, href, mark)


class Limit(NamedTuple):
    """A line across: beyond it lies what is an ``alarm`` or a ``warning``."""

    value: float
    level: str


class Plot(NamedTuple):
    """Values side by side at equal distances, in the order given.

    title   what is plotted
    points  at least one of them with a value
    limits  drawn where they lie near the points
    """

    title: str
    points: Sequence[Point]
    limits: Sequence[Limit] = ()


class Scale(NamedTuple):
    """Where values lie: the lowest and the highest of the field, how many points side by side, and
    the values at which lines are drawn.
    """

    low: float
    high: float
    places: int
    ticks: tuple[float, ...]

    def x(self, index: int) -> float:
        """Return how far from the left a point lies."""
        width = WIDTH - LEFT - RIGHT
        return LEFT + width * (index + 0.5) / self.places

    def y(self, value: float) -> float:
        """Return how far from the top a value lies."""
        height = HEIGHT - TOP - BOTTOM
        return TOP + height * (self.high - value) / (self.high - self.low)


def draw(plot: Plot) -> Markup:
    """Return a plot as an SVG element, everything in it escaped; empty if it has no value."""
    plot = plot._replace(points=[_tame(point) for point in plot.points])
    values = [point.value for point in plot.points if point.value is not None]
    if not values:
        return Markup("")
    shown = near_limits(values, plot.limits)
    scale = choose_scale([*values, *(limit.value for limit in shown)], len(plot.points))
    parts = [
        *_draw_ticks(scale),
        *_draw_limits(shown, scale),
        *_draw_names(plot.points, scale),
        *_draw_lines(plot.points, scale),
        *_draw_points(plot.points, scale),
    ]
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, describe(plot), Markup("").join(parts))


def _tame(point: Point) -> Point:
    """Return a point without a value that is too large to be drawn; a tiny one is nought."""
    if point.value is None or abs(point.value) > HUGE:
        return point._replace(value=None)
    return point if abs(point.value) > TINY else point._replace(value=0.0)


def describe(plot: Plot) -> str:
    """Return what a plot shows, for whoever does not see it."""
    values = [point.value for point in plot.points if point.value is not None]
    marked = sum(point.mark != "" for point in plot.points)
    beyond = f"; {marked} beyond a limit" if marked else ""
    span = f"from {spell_number(min(values))} to {spell_number(max(values))}"
    first, last = plot.points[0].name, plot.points[-1].name
    return f"{plot.title}, {first} to {last}: {len(values)} values {span}{beyond}"


def near_limits(values: Sequence[float], limits: Iterable[Limit]) -> list[Limit]:
    """Return the limits that can be drawn without flattening the values."""
    low, high = min(values), max(values)
    reach = FAR * ((high - low) or abs(high) or 1.0)
    return [limit for limit in limits if low - reach <= limit.value <= high + reach]


def choose_scale(values: Sequence[float], places: int) -> Scale:
    """Return a scale that holds all values, with round numbers at its lines."""
    low, high = min(values), max(values)
    margin = max((high - low) * 0.08, max(abs(low), abs(high)) * CLOSEST) or 1.0
    margin = margin if high > low else abs(high) * 0.05 or 1.0
    low, high = low - margin, high + margin
    step = round_step((high - low) / TICKS)
    first, last = ceil(low / step), floor(high / step)
    return Scale(low, high, places, tuple(number * step for number in range(first, last + 1)))


def round_step(rough: float) -> float:
    """Return 1, 2 or 5 times a power of ten, the next that is not smaller."""
    power: float = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def spell_number(value: float, step: float | None = None) -> str:
    """Return a number in few digits: as many as tell it from one that is ``step``
    away.
    """
    if value == 0 or (step is None and value.is_integer() and abs(value) < WHOLE):
        return str(int(value))
    power = floor(log10(abs(value)))
    digits = 4 if step is None else max(1, power - floor(log10(step)) + 1)
    if power not in PLAIN:
        return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:.{max(0, digits - 1 - power)}f}"


def _draw_ticks(scale: Scale) -> Iterator[Markup]:
    step = scale.ticks[1] - scale.ticks[0] if len(scale.ticks) > 1 else None
    for tick in scale.ticks:
        yield Markup(
            '<line class="tick" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
            '<text class="value" x="{}" y="{:.1f}">{}</text>'
        ).format(
            LEFT,
            WIDTH - RIGHT,
            scale.y(tick),
            scale.y(tick),
            LEFT - 5,
            scale.y(tick) + 3.5,
            spell_number(tick, step),
        )


def _draw_limits(limits: Iterable[Limit], scale: Scale) -> Iterator[Markup]:
    for limit in limits:
        height = scale.y(limit.value)
        yield Markup(
            '<line class="limit is-{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}">'
            "<title>{} {}</title></line>"
        ).format(
            limit.level,
            LEFT,
            WIDTH - RIGHT,
            height,
            height,
            limit.level,
            spell_number(limit.value),
        )


def _draw_names(points: Sequence[Point], scale: Scale) -> Iterator[Markup]:
    every = ceil(len(points) / NAMES)
    for index in range(0, len(points), every):
        yield Markup('<text class="name" x="{:.1f}" y="{}">{}</text>').format(
            scale.x(index), HEIGHT - 6, points[index].name
        )


def _draw_lines(points: Sequence[Point], scale: Scale) -> Iterator[Markup]:
    """Join neighbours by lines, which are broken where a value is missing."""
    path, is_joined = [], False
    for index, point in enumerate(points):
        if point.value is not None:
            letter = "L" if is_joined else "M"
            path.append(f"{letter}{scale.x(index):.1f} {scale.y(point.value):.1f}")
        is_joined = point.value is not None
    yield Markup('<path class="line" d="{}"/>').format("".join(path))


def _draw_points(points: Sequence[Point], scale: Scale) -> Iterator[Markup]:
    """Draw a point for each value; of very many only those that are marked."""
    has_room = len(points) <= MOST_LINKS
    radius = 3 if len(points) <= CROWDED else 1.8
    for index, point in enumerate(points):
        if point.value is None or not (has_room or point.mark):
            continue
        said = f": {point.mark}" if point.mark else ""
        dot = Markup(
            '<circle class="point{}" cx="{:.1f}" cy="{:.1f}" r="{}">'
            "<title>{} = {}{}</title></circle>"
        ).format(
            f" is-{point.mark}" if point.mark else "",
            scale.x(index),
            scale.y(point.value),
            4.5 if point.mark else radius,
            point.name,
            spell_number(point.value),
            said,
        )
        # The table beside a plot has the same links for whoever goes by the keyboard.
        link = Markup('<a href="{}" tabindex="-1">{}</a>')
        yield link.format(point.href, dot) if point.href else dot
