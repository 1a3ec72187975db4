"""What the parameters of a friend module must be, and whether those of a calibration are so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 1e300
LONGEST = 60


@dataclass(frozen=True)
class Numbers:
    """One finite number, or with ``count`` a list of so many.

    Each is more than ``above``, and ``least`` or more, where these are given.
    """

    count: int | None = None
    above: float | None = None
    least: float | None = None

    def __str__(self) -> str:
        """Say it in words."""
        above = "" if self.above is None else f" above {self.above:g}"
        bound = above if self.least is None else f"{above} from {self.least:g} on"
        if self.count is None:
            return f"a number{bound}"
        return f"a list of {self.count} numbers{bound}"

    def accepts(self, value: object) -> bool:
        """Say whether a value of a calibration is what it must be."""
        if self.count is None:
            return self._is_inside(value)
        return (
            isinstance(value, list)
            and len(value) == self.count
            and all(map(self._is_inside, value))
        )

    def _is_inside(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite(value):
            return False
        is_above = self.above is None or value > self.above
        return is_above and (self.least is None or value >= self.least)


Wanted = Mapping[str, Numbers]


class Mistake(NamedTuple):
    """What is wrong with an entry of a calibration, and what to write instead."""

    what: str
    hint: str


def is_finite(value: object) -> bool:
    """Say whether every number of a value, be it a list or a table, is finite and fits a float."""
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    if isinstance(value, list):
        return all(map(is_finite, value))
    return not isinstance(value, int | float) or -LARGEST < value < LARGEST


def find_problem(
    module: str, wanted: Iterable[str] | Wanted, tables: Mapping[str, Mapping[str, Any]]
) -> Mistake | None:
    """Return what is wrong with a module's parameters, among those of all modules, if anything.

    Names alone must be there, with any value; where a module says what each must be, any other name
    is a mistake.
    """
    table = tables.get(module, {})
    for name in wanted:
        if name not in table:
            found = nearest(name, table) if table else _near_table(module, tables)
            what = f"has no parameter {name} for module {module}"
            return Mistake(what, f"{found} {_how_to_write(module, wanted, name)}")
    return _find_wrong_value(module, wanted, table) if isinstance(wanted, Mapping) else None


def _find_wrong_value(module: str, wanted: Wanted, table: Mapping[str, Any]) -> Mistake | None:
    """Return what is wrong with the parameters that are there, if anything."""
    for name, value in table.items():
        if name not in wanted:
            what = f"has a parameter {name}, which module {module} does not know"
            return Mistake(what, nearest(name, wanted))
        if not wanted[name].accepts(value):
            found = f"{module}.{name} = {spell_value(value)}"
            what = f"has the parameter {found}, which is not {wanted[name]}"
            return Mistake(what, _how_to_write(module, wanted, name))
    return None


def _near_table(module: str, tables: Mapping[str, Any]) -> str:
    return nearest(module, tables) if tables else "It has no parameters at all."


def _how_to_write(module: str, wanted: Iterable[str] | Wanted, name: str) -> str:
    value = wanted[name] if isinstance(wanted, Mapping) else "its value"
    return f"Below [range.parameters.{module}] write {name} = {value}."


def spell_value(value: object) -> str:
    """Return a value of a calibration as it may be written there, shortened if it is long."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str | list):
        text = ascii(value)
    else:
        text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
