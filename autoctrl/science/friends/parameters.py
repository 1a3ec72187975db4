"""What the parameters of a friend module must be, and whether those of a calibration are so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autoctrl.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 1e300
LONGEST = 60


@dataclass(frozen=True)
class Numbers:
    """One finite number, or with ``count`` a list of so many; each is more than ``above``, or
    ``least`` at least.
    """

    count: int | None = None
    above: float | None = None
    least: float | None = None

    def __str__(self) -> str:
        """Say it in words."""
        above = "" if self.above is None else f" above {self.above:g}"
        bound = above if self.least is None else f"{above} from {self.least:g} on"
        return (
            f"a number{bound}" if self.count is None else f"a list of {self.count} numbers{bound}"
        )

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
        return (self.above is None or value > self.above) and (
            self.least is None or value >= self.least
        )


Wanted = Mapping[str, Numbers]


def is_finite(value: object) -> bool:
    """Say whether a value, and whatever a list or a table holds, is finite and fits into a float,
    if it is a number.
    """
    if isinstance(value, list | dict):
        return all(map(is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or -LARGEST < value < LARGEST


def find_problem(
    module: str, wanted: Iterable[str] | Wanted, tables: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str] | None:
    """Return what is wrong with a module's parameters, among those of all modules, and what to do;
    None if nothing.

    Names alone must be there, with any value; where a module says what each must be, any other name
    is a mistake.
    """
    table = tables.get(module, {})
    below = f"Below [range.parameters.{module}] write"
    for name in wanted:
        if name not in table:
            found = nearest(name, table) if table else _near_table(module, tables)
            return (
                f"has no parameter {name} for module {module}",
                f"{found} {below} {name} = {_kind(wanted, name)}.",
            )
    if not isinstance(wanted, Mapping):
        return None
    for name, value in table.items():
        if name not in wanted:
            return f"has a parameter {name}, which module {module} does not know", nearest(
                name, wanted
            )
        if not wanted[name].accepts(value):
            what = (
                f"has the parameter {module}.{name} = {spell_value(value)}, which is not "
                f"{wanted[name]}"
            )
            return what, f"{below} {name} = {wanted[name]}."
    return None


def _near_table(module: str, tables: Mapping[str, Any]) -> str:
    return nearest(module, tables) if tables else "It has no parameters at all."


def _kind(wanted: Iterable[str] | Wanted, name: str) -> str:
    return str(wanted[name]) if isinstance(wanted, Mapping) else "its value"


def spell_value(value: object) -> str:
    """Return a value of a calibration as it may be written there, shortened if it is long."""
    words = {True: "true", False: "false"}
    text = (
        words[value]
        if isinstance(value, bool)
        else ascii(value)
        if isinstance(value, str | list)
        else str(value)
    )
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
