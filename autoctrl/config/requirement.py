"""Which versions of autoctrl a project can be run by, as ``>=0.1,<0.3``. Pure."""

from __future__ import annotations

import re

from autoctrl.config.settings import FILE_NAME
from autoctrl.errors import SettingsError

CLAUSE = re.compile(r"(~=|==|!=|>=|<=|>|<)\s*(\d+(?:\.\d+)*)")
NUMBERS = re.compile(r"\d+(?:\.\d+)*")

Numbers = tuple[int, ...]


def check_requirement(wanted: object, version: str) -> None:
    """Raise ``SettingsError`` if ``version`` is not among those that a project wants.

    ``wanted`` is empty for any, else clauses with ``== != >= <= > < ~=`` and commas between. What
    follows the numbers of a version, such as ``.dev1``, does not count.
    """
    if not isinstance(wanted, str) or not wanted.strip():
        return  # of the wrong type: that is said where settings are checked
    if not satisfies(wanted, version):
        message = (
            f"{FILE_NAME}: the project wants autoctrl {wanted}, and version {version} is installed."
        )
        raise SettingsError(message, hint="Install one that it wants, or change the key autoctrl.")


def satisfies(wanted: str, version: str) -> bool:
    """Say whether a version fulfils every clause.

    Raises ``SettingsError`` for what is no clause.
    """
    found = NUMBERS.match(version)
    numbers = _numbers(found[0]) if found else ()
    return all(_holds(clause.strip(), numbers) for clause in wanted.split(","))


def _holds(clause: str, version: Numbers) -> bool:
    parts = CLAUSE.fullmatch(clause)
    if parts is None:
        message = f"{FILE_NAME}: autoctrl = … has '{clause}', which is no range of versions."
        raise SettingsError(message, hint="Write it as: autoctrl = '>=0.1,<0.3'.")
    sign, bound = parts[1], _numbers(parts[2])
    mine, other = _level(version, bound), _level(bound, version)
    holds = {
        "==": mine == other,
        "!=": mine != other,
        ">=": mine >= other,
        "<=": mine <= other,
        ">": mine > other,
        "<": mine < other,
        "~=": mine >= other and version[: len(bound) - 1] == bound[:-1],
    }
    return holds[sign]


def _numbers(text: str) -> Numbers:
    return tuple(map(int, text.split(".")))


def _level(numbers: Numbers, other: Numbers) -> Numbers:
    """Return a version with as many numbers as another: 0.1 is 0.1.0."""
    return numbers + (0,) * (len(other) - len(numbers))
