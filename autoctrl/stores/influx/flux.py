"""Texts of Flux queries, pure: constants and escaped literals, nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autoctrl.stores.influx.points import tag_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NS_PER_US = 1000
END_OF_TIME = "2262-01-01T00:00:00Z"
WHOLE_S = 49 * 365 * 86_400
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "\\x24"}
_MEANS_SOMETHING = re.compile(r"[.+/]")


def text(value: str) -> str:
    """Return a Flux string literal; a dollar never begins an interpolation."""
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'


def moment(position_ns: int) -> str:
    """Return a Flux time literal for ns since 1970."""
    return f"time(v: {position_ns})"


def one_of(tag: str, values: Iterable[str]) -> str:
    """Return a condition that a tag has one of these values, as a regular expression: long chains
    of or are refused.
    """
    escaped = (_MEANS_SOMETHING.sub(r"\\\g<0>", tag_text(value)) for value in values)
    return f"r.{tag} =~ /^({'|'.join(escaped)})$/"


def equal(tag: str, value: str) -> str:
    """Return a condition that a tag has this value."""
    return f"r.{tag} == {text(tag_text(value))}"


def words(bucket: str, back_s: int) -> str:
    """Return the stream of the mutex's words of the last ``back_s`` seconds by the server's clock,
    and of the future.

    ``_start`` of each row tells the server's present time.
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
    span: tuple[int, int],
    *,
    columns: Sequence[str] = (),
    then: str = "",
) -> str:
    """Return the stream of points with ``first <= position <= last`` that meet all conditions."""
    keep = ", ".join(
        f'"{column}"' for column in ("_time", "_value", "_field", "_measurement", *columns)
    )
    start, stop = span[0] * NS_PER_US, max(span[1] + 1, span[0] + 1) * NS_PER_US
    return (
        f"from(bucket: {text(bucket)}) |> range(start: {moment(start)}, stop: {moment(stop)})"
        f" |> filter(fn: (r) => {' and '.join(conditions)}){then}"
        f" |> keep(columns: [{keep}]) |> yield(name: {text(name)})\n"
    )


def at_time(bucket: str, name: str, time_ns: int) -> str:
    """Return the stream of the one point of a measurement at this time."""
    return (
        f"from(bucket: {text(bucket)}) |> range(start: {moment(time_ns)}, stop: "
        f"{moment(time_ns + 1)})"
        f' |> filter(fn: (r) => r._measurement == {text(name)}) |> keep(columns: ["_time", '
        '"_value"])'
        f' |> yield(name: "at {time_ns}")\n'
    )


def measurement(*names: str) -> str:
    """Return a condition that a point belongs to one of few measurements."""
    return "(" + " or ".join(f"r._measurement == {text(name)}" for name in names) + ")"


BODIES = r"r._field =~ /^body[0-9]*$/"
WORD = 'r._field == "word"'
LAST, FIRST = " |> last()", " |> first()"
