"""Texts of Flux queries, pure: constants and escaped literals, nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.stores.influx.points import NS_PER_US, tag_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

END_OF_TIME = "2262-01-01T00:00:00Z"
WHOLE_S = 49 * 365 * 86_400
BODIES = r"r._field =~ /^body[0-9]*$/"
WORD = 'r._field == "word"'
LAST, FIRST = " |> last()", " |> first()"
_COLUMNS = ("_time", "_value", "_field", "_measurement")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "\\x24"}
_SPECIAL = re.compile(r"[.+/]")


class Positions(NamedTuple):
    """The positions from ``first`` to ``last``, both included."""

    first: int
    last: int


def text(value: str) -> str:
    """Return a Flux string literal, in which a dollar sign never starts an interpolation."""
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'


def moment(time_ns: int) -> str:
    """Return a Flux time literal for ns since 1970."""
    return f"time(v: {time_ns})"


def measurement(*names: str) -> str:
    """Return the condition that a point belongs to one of few measurements."""
    return "(" + " or ".join(f"r._measurement == {text(name)}" for name in names) + ")"


def equal(tag: str, value: str) -> str:
    """Return the condition that a tag has this value."""
    return f"r.{tag} == {text(tag_text(value))}"


def one_of(tag: str, values: Iterable[str]) -> str:
    """Return the condition that a tag has one of these values.

    It is a regular expression, since servers refuse long chains of ``or``.
    """
    escaped = (_SPECIAL.sub(r"\\\g<0>", tag_text(value)) for value in values)
    return f"r.{tag} =~ /^({'|'.join(escaped)})$/"


def words(bucket: str, back_s: int) -> str:
    """Return the stream of the mutex's words since ``back_s`` ago, by the server's clock.

    Words of the future are included. ``_start`` of each row tells the server's present time.
    """
    return (
        f"from(bucket: {text(bucket)}) |> range(start: -{back_s}s, stop: {END_OF_TIME})"
        ' |> filter(fn: (r) => r._measurement == "mutex" and r._field == "word")'
        ' |> keep(columns: ["_start", "_time", "_value"]) |> yield(name: "words")\n'
    )


def select(
    bucket: str,
    name: str,
    conditions: Sequence[str],
    span: Positions,
    *,
    columns: Sequence[str] = (),
    then: str = "",
) -> str:
    """Return the stream of the points at some positions that meet all conditions."""
    start = span.first * NS_PER_US
    stop = (max(span.last, span.first) + 1) * NS_PER_US
    return between(bucket, name, conditions, (start, stop), columns=columns, then=then)


def between(
    bucket: str,
    name: str,
    conditions: Sequence[str],
    times_ns: tuple[int, int],
    *,
    columns: Sequence[str] = (),
    then: str = "",
) -> str:
    """Return the stream of the points from one time until before another that meet all conditions.

    The times are ns since 1970.
    """
    keep = ", ".join(f'"{column}"' for column in (*_COLUMNS, *columns))
    start, stop = map(moment, times_ns)
    return (
        f"from(bucket: {text(bucket)}) |> range(start: {start}, stop: {stop})"
        f" |> filter(fn: (r) => {' and '.join(conditions)}){then}"
        f" |> keep(columns: [{keep}]) |> yield(name: {text(name)})\n"
    )


def at_time(bucket: str, name: str, time_ns: int) -> str:
    """Return the stream of the one point of a measurement at this time."""
    span = f"start: {moment(time_ns)}, stop: {moment(time_ns + 1)}"
    return (
        f"from(bucket: {text(bucket)}) |> range({span})"
        f" |> filter(fn: (r) => r._measurement == {text(name)})"
        f' |> keep(columns: ["_time", "_value"]) |> yield(name: "at {time_ns}")\n'
    )
