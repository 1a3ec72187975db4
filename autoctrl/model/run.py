"""One data-taking run with its typed attributes, and the filter that says which runs a workflow
wants.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.model.actor import Actor

Value = str | int | float | bool | datetime


class RunRecord(NamedTuple):
    """What is known of one run at one time; the newest record is the run.

    number      the run number, unique in the project
    attributes  typed values by name; one that is not known yet is absent
    is_closed   data taking has ended and the list of its files is complete
    time        when this was learned, aware UTC
    actor       who said so: a source or a person
    sequence    previous + 1, from 1
    """

    number: int
    attributes: Mapping[str, Value]
    is_closed: bool
    time: datetime
    actor: Actor
    sequence: int = 1


def _parse_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _parse_bool(text: str) -> bool:
    if text.lower() not in {"true", "false", "yes", "no", "1", "0"}:
        raise ValueError(text)
    return text.lower() in {"true", "yes", "1"}


def _parse_float(text: str) -> float:
    """Return a finite number: others are no JSON, and equal to nothing."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


PARSERS: Mapping[str, Callable[[str], Value]] = {
    "int": int,
    "float": _parse_float,
    "str": str,
    "bool": _parse_bool,
    "time": _parse_time,
}
TYPES: Mapping[type, str] = {int: "int", float: "float", str: "str", bool: "bool", datetime: "time"}


def parse_like(example: Value, text: str) -> Value:
    """Return the value that ``text`` spells, of the type of ``example``.

    Raises ``ValueError`` if it does not spell one.
    """
    return PARSERS[TYPES[type(example)]](text)


def parse_attribute(name: str, text: str, types: Mapping[str, str]) -> Value:
    """Return ``text`` as the declared type of attribute ``name``.

    Raises ``UsageError`` if the attribute is not declared or the text is not of its type.
    """
    if name not in types:
        message = f"Run attribute '{name}' is not declared. {nearest(name, types)}"
        raise UsageError(
            message, hint=f'Declare it in autoctrl.toml: [runs.attributes] {name} = "int".'
        )
    try:
        return PARSERS[types[name]](text)
    except ValueError as error:
        message = f"Run attribute '{name}' is declared as {types[name]}, which '{text}' is not."
        raise UsageError(
            message, hint="Give a value of that type, or change [runs.attributes]."
        ) from error


class Where:
    """A filter over run attributes: ``Where(kind="physics", hv=lambda v: v > 400)``.

    Every condition is a value to equal, a set or list of values to be in, or a function of the
    value. ``Where()`` takes every run. A run that lacks an attribute is *not yet decided*.
    """

    def __init__(self, **conditions: object) -> None:
        """Keep the conditions, one by attribute name."""
        self.conditions = conditions

    def admits(self, attributes: Mapping[str, Any]) -> bool | None:
        """Say True or False, or None while an attribute that decides is missing."""
        answer: bool | None = True
        for name, wanted in self.conditions.items():
            if name not in attributes:
                answer = None
            elif not _is_met(wanted, attributes[name]):
                return False
        return answer

    @property
    def words(self) -> dict[str, str]:
        """What is wanted of each attribute, as it was written; a function as ``a function``."""
        return {
            name: "a function" if callable(wanted) else repr(wanted)
            for name, wanted in self.conditions.items()
        }

    @property
    def digest(self) -> str:
        """A text that changes when the filter does: conditions by name, functions by their compiled
        code.
        """
        text = ";".join(
            f"{name}={_describe(wanted)}" for name, wanted in sorted(self.conditions.items())
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        """Show the filter as it was written."""
        inside = ", ".join(f"{name}={wanted!r}" for name, wanted in self.conditions.items())
        return f"Where({inside})"


def spell_open(run: RunRecord) -> str:
    """Return that a run is still being taken, and who ends that: its source, or a person."""
    text = f"run {run.number} is still open"
    if run.actor.via == "source":
        return f"{text} until {run.actor.name} says that it has ended"
    return f"{text}; it is ended by: autoctrl runs add {run.number} --closed"


def _is_met(wanted: Any, value: Any) -> bool:  # noqa: ANN401 - a condition is anything
    if callable(wanted):
        return bool(wanted(value))
    if isinstance(wanted, set | frozenset | list | tuple):
        return value in wanted
    return bool(value == wanted)


def _describe(wanted: Any) -> str:  # noqa: ANN401 - a condition is anything
    if callable(wanted):
        code = getattr(wanted, "__code__", None)
        cells = [cell.cell_contents for cell in getattr(wanted, "__closure__", None) or ()]
        body = (
            ""
            if code is None
            else f"{_describe_code(code)}{cells!r}{getattr(wanted, '__defaults__', None)!r}"
        )
        return f"{getattr(wanted, '__qualname__', type(wanted).__name__)}:{body}"
    if isinstance(wanted, set | frozenset):
        return repr(sorted(wanted, key=repr))
    return repr(wanted)


def _describe_code(code: CodeType) -> str:
    # A nested code object's repr holds an address, which differs between processes.
    constants = [
        _describe_code(item) if isinstance(item, CodeType) else repr(item)
        for item in code.co_consts
    ]
    return f"{code.co_code.hex()}{constants}{code.co_names}"
