"""When Jenkins starts a job, in its own spelling of cron. Pure.

Jenkins takes a wrong specification without a word and never starts the job, so it is checked here.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import NamedTuple

ALIASES = frozenset(
    {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
)
# A hashed number, perhaps within bounds; all numbers; a range; each perhaps in steps. Or a number.
PART = re.compile(
    r"((?P<hash>H)(\((?P<bounds>[0-9]+-[0-9]+)\))?|\*|(?P<range>[0-9]+-[0-9]+))(/(?P<step>[0-9]+))?"
    r"|(?P<number>[0-9]+)"
)


class Field(NamedTuple):
    """One of the five fields of a line: its name, its smallest and its largest number."""

    name: str
    least: int
    most: int


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12),
    Field("day of the week", 0, 7),
)
STRANGE = re.compile(r"[^ -~\t\n]")
LAST_HASHED_DAY = 28  # H never reaches the days that some months lack


def find_problem(spec: str) -> str:
    """Return what is wrong with a specification, empty if Jenkins can use it.

    An empty one is fine: the job is started by hand alone.
    """
    lines = [line for line in spec.split("\n") if not line.startswith("#")]
    strange = STRANGE.search("\n".join(lines))
    if strange:
        return f"it holds the character {strange[0]!a}, which Jenkins does not read"
    if lines and lines[0].startswith("TZ="):
        if not _is_zone(lines[0].strip().removeprefix("TZ=")):
            return f"'{lines[0]}' names no time zone"
        lines = lines[1:]
    used = [line.strip() for line in lines if line.strip()]
    return next(filter(None, map(_find_in_line, used)), "")


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _find_in_line(line: str) -> str:
    if line.startswith("@"):
        return "" if line in ALIASES else f"'{line}' is none of {', '.join(sorted(ALIASES))}"
    words = line.split()
    if len(words) != len(FIELDS):
        return f"'{line}' has {len(words)} fields instead of {len(FIELDS)}"
    problems = (
        _find_in_part(part, field)
        for word, field in zip(words, FIELDS, strict=True)
        for part in word.split(",")
    )
    return next(filter(None, problems), "")


def _find_in_part(part: str, field: Field) -> str:
    match = PART.fullmatch(part)
    if match is None:
        return f"'{part}' is no {field.name}"
    if match["hash"] and field.name == "day of the month":
        field = field._replace(most=LAST_HASHED_DAY)
    given = match["bounds"] or match["range"] or match["number"] or f"{field.least}-{field.most}"
    first, _, last = given.partition("-")
    return _find_in_range(int(first), int(last or first), int(match["step"] or 1), field)


def _find_in_range(first: int, last: int, step: int, field: Field) -> str:
    outside = [number for number in (first, last) if not field.least <= number <= field.most]
    if outside:
        return f"{outside[0]} is no {field.name}: it goes from {field.least} to {field.most}"
    if first > last:
        return f"{field.name} {first}-{last} runs backwards"
    if not 1 <= step <= last - first + 1:
        return f"no {field.name} of {first}-{last} can step by {step}"
    return ""
