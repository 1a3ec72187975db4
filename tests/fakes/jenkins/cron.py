"""Times as Jenkins writes them: five fields, ``H`` hashed from a job's full name, time zones."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 7),
)
ALIASES = {
    "@hourly": "H * * * *",
    "@daily": "H H * * *",
    "@midnight": "H H(0-2) * * *",
    "@weekly": "H H * * H",
    "@monthly": "H H H * *",
    "@yearly": "H H H H *",
    "@annually": "H H H H *",
}
LAST_HASHED_DAY = 28
TERM = re.compile(
    r"(?P<star>\*)|(?P<low>\d+)(?:-(?P<high>\d+))?|(?P<hash>H)(?:\((?P<from>\d+)-(?P<to>\d+)\))?"
)


class CronError(ValueError):
    """A line that Jenkins would refuse."""


@dataclass(frozen=True)
class Line:
    """The values that each field may have."""

    fields: tuple[frozenset[int], ...]

    def matches(self, at: datetime) -> bool:
        """Say whether a minute is one of its times; all five fields must fit."""
        weekday = at.isoweekday() % 7
        values = (at.minute, at.hour, at.day, at.month, weekday)
        return all(value in field for value, field in zip(values, self.fields, strict=True))


@dataclass(frozen=True)
class Timetable:
    """The lines of a spec, of which any may fit, in a time zone."""

    lines: tuple[Line, ...]
    zone: tzinfo = UTC

    def matches(self, now: float) -> bool:
        """Say whether a trigger fires in a minute, given in seconds since 1970."""
        at = datetime.fromtimestamp(now, self.zone)
        return any(line.matches(at) for line in self.lines)


def parse(spec: str, seed: str) -> Timetable:
    """Read a spec; ``seed`` is the full name of the job. Raises CronError."""
    zone: tzinfo = UTC
    lines: list[Line] = []
    for number, raw in enumerate(spec.splitlines()):
        text = raw.strip()
        if text.startswith("TZ=") and number == 0:
            zone = _zone(text.removeprefix("TZ="))
        elif text and not text.startswith("#"):
            lines.append(_line(text, seed))
    return Timetable(tuple(lines), zone)


def problem_of(spec: str) -> str:
    """Say what is wrong with a spec, or nothing."""
    try:
        parse(spec, "any")
    except CronError as error:
        return f"the cron line is illegal: {error}"
    return ""


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"the time zone {name!r} is unknown"
        raise CronError(message) from None


def _line(text: str, seed: str) -> Line:
    parts = ALIASES.get(text, text).split()
    if len(parts) != len(FIELDS):
        message = f"{text!r} has {len(parts)} fields, not 5"
        raise CronError(message)
    fields = [_field(part, number, seed) for number, part in enumerate(parts)]
    weekdays = frozenset(day % 7 for day in fields[4])
    return Line((*fields[:4], weekdays))


def _field(text: str, number: int, seed: str) -> frozenset[int]:
    values: set[int] = set()
    for term in text.split(","):
        values |= _term(term, number, seed)
    return frozenset(values)


def _term(text: str, number: int, seed: str) -> set[int]:
    name, least, most = FIELDS[number]
    body, slash, raw_step = text.partition("/")
    found = TERM.fullmatch(body)
    if found is None or (slash and not raw_step.isdigit()) or (slash and not int(raw_step)):
        message = f"{text!r} is no {name}"
        raise CronError(message)
    step = int(raw_step) if slash else 0
    if found["hash"]:
        return _hashed(found, number, step, seed)
    low, high = least, most
    if found["low"]:
        low = int(found["low"])
        high = int(found["high"] or low)
        if step and not found["high"]:
            message = f"{text!r}: a step needs a range"
            raise CronError(message)
    if not least <= low <= high <= most:
        message = f"{text!r} is not between {least} and {most}"
        raise CronError(message)
    return set(range(low, high + 1, step or 1))


def _hashed(found: re.Match[str], number: int, step: int, seed: str) -> set[int]:
    """Return the values of ``H``, ``H(a-b)``, ``H/n`` and ``H(a-b)/n``."""
    _, least, most = FIELDS[number]
    if number == 2:
        most = LAST_HASHED_DAY
    elif number == 4:
        most = 6
    low, high = int(found["from"] or least), int(found["to"] or most)
    if not least <= low <= high <= FIELDS[number][2]:
        message = f"{found[0]!r} is not between {least} and {most}"
        raise CronError(message)
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    value = int.from_bytes(digest[:8], "big")
    if step:
        return set(range(low + value % min(step, high - low + 1), high + 1, step))
    return {low + value % (high - low + 1)}
