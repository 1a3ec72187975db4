"""What a task is about: one run (``4521``) or a closed group of runs (``fill:8222``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_NUMBER = 15  # digits of a run's number
NO_RUN = 10**LONGEST_NUMBER  # the first number that no run has
LONGEST_RANGE = 10_000_000
LONGEST_LIST = 60  # characters of a list of units in a sentence
RANGE_HINT = (
    "Write the first and the last run of the range, the smaller number first, as in 4500-4510."
)


class TaskKey(NamedTuple):
    """The identity of a task.

    campaign   name of the processing, e.g. ``prompt``
    workflow   name of the step, e.g. ``camera-reco``
    unit       ``4521`` or ``fill:8222``
    """

    campaign: str
    workflow: str
    unit: str

    def __str__(self) -> str:
        """Name the task as people read it: ``run 4521 / friends``."""
        return f"{spell_unit(self.unit)} / {self.workflow}"


def run_unit(run: int) -> str:
    """Return the unit of a single run."""
    return str(run)


def group_unit(attribute: str, value: object) -> str:
    """Return the unit of the group of runs whose ``attribute`` has this value."""
    return f"{attribute}:{value}"


def is_group(unit: str) -> bool:
    """Say whether the unit is a group of runs."""
    return ":" in unit


def spell_unit(unit: str) -> str:
    """Return ``run 4521`` or ``fill 8222``: the unit as people say it."""
    return unit.replace(":", " ", 1) if is_group(unit) else f"run {unit}"


def unit_order(unit: str) -> tuple[str, int, str]:
    """Sort key: runs by number first, then groups by attribute and value."""
    attribute, _, value = unit.rpartition(":")
    return (attribute, int(value), "") if value.isdecimal() else (attribute, -1, value)


def parse_runs(text: str) -> list[int]:
    """Return the run numbers of ``4500-4510,4521``, in order, each once.

    Raises ``UsageError`` as ``parse_ranges`` does, and for a range of more than ten million runs.
    """
    numbers: set[int] = set()
    for runs in parse_ranges(text):
        if len(runs) > LONGEST_RANGE:
            piece, why = f"{runs[0]}-{runs[-1]}", f"has more than {LONGEST_RANGE:,} runs"
            message = f"'{text}' is not a run selection: the range '{piece}' {why}."
            raise UsageError(message, hint=RANGE_HINT)
        numbers.update(runs)
    return sorted(numbers)


def parse_ranges(text: str) -> list[range]:
    """Return the pieces of ``4500-4510,4521`` as they stand there, however long they are.

    Raises ``UsageError`` for anything else, an empty selection, or a range that runs backwards.
    """
    return [_parse_range(text, piece.strip()) for piece in text.split(",")]


def _parse_range(text: str, piece: str) -> range:
    first, dash, last = piece.partition("-")
    hint = "Write runs as 4521, ranges as 4500-4510, both separated by commas."
    if not first.isdecimal() or (dash and not last.isdecimal()):
        message = f"'{text}' is not a run selection: '{piece}' is neither a run number nor a range."
        raise UsageError(message, hint=hint)
    if max(len(first), len(last)) > LONGEST_NUMBER:
        message = f"'{piece[:40]}' is not a run: its number is too long."
        raise UsageError(message, hint=hint)
    low, high = int(first), int(last or first)
    if high < low:
        message = f"'{text}' is not a run selection: the range '{piece}' runs backwards."
        raise UsageError(message, hint=RANGE_HINT)
    return range(low, high + 1)


def format_runs(numbers: list[int]) -> str:
    """Write run numbers the short way, ``4500-4510,4521``: the inverse of ``parse_runs``."""
    pieces: list[list[int]] = []
    for number in sorted(set(numbers)):
        if pieces and number == pieces[-1][-1] + 1:
            pieces[-1][1:] = [number]
        else:
            pieces.append([number])
    return ",".join("-".join(map(str, piece)) for piece in pieces)


def format_units(units: Iterable[str]) -> str:
    """Write units as a selection: ``4500-4510,fill:8222``."""
    listed = list(dict.fromkeys(units))
    runs = [int(unit) for unit in listed if not is_group(unit)]
    groups = [unit for unit in listed if is_group(unit)]
    return ",".join([*([format_runs(runs)] if runs else []), *groups])


def spell_units(units: Sequence[str]) -> str:
    """Return ``run 4521``, ``runs 1-300``, ``fill 8222``; of many that are far apart their number,
    the first and the last.
    """
    if len(units) == 1:
        return spell_unit(units[0])
    listed = format_units(units)
    what = "tasks" if any(map(is_group, units)) else "runs"
    if len(listed) <= LONGEST_LIST:
        return f"{what} {listed}"
    first, *_, last = listed.split(",")
    return f"{len(units)} {what} ({first} … {last})"
