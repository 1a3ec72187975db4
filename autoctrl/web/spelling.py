"""Times, sizes and values as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

STEP = 1000
LONGEST_VALUE = 400
UNITS = (("day", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Spelling:
    """Spells times in the project's time zone."""

    def __init__(self, timezone: str) -> None:
        """Take the name of a time zone, e.g. ``Europe/Zurich``."""
        self.zone: tzinfo = UTC
        if timezone != "UTC":
            from zoneinfo import ZoneInfo

            self.zone = ZoneInfo(timezone)

    def time(self, moment: datetime) -> str:
        """Return ``2026-11-20 19:04:05 CET``."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def value(self, value: object) -> str:
        """Return an attribute or a field."""
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, float) else str(value)


def duration(span: timedelta) -> str:
    """Return the two largest units of a time: ``4 min 10 s``, ``2 h``, ``3 days 4 h``; ``0 s``
    below a second.
    """
    left = max(0, int(span.total_seconds()))
    words: list[str] = []
    for name, length in UNITS:
        count, left = divmod(left, length)
        if count:
            words.append(f"{count} {name}{'s' if name == 'day' and count > 1 else ''}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"


def countdown(until: datetime, now: datetime) -> str:
    """Return how long a reason still holds: ``passes in 4 min 10 s``, or that it is over."""
    return f"passes in {duration(until - now)}" if until > now else "passes any moment now"


def age(since: datetime, now: datetime) -> str:
    """Return ``3 min 20 s ago``."""
    return f"{duration(now - since)} ago"


def size(count: int) -> str:
    """Return bytes as ``512 B``, ``1.5 kB``, ``3.2 GB``; 1 kB is 1000 bytes."""
    if count < STEP:
        return f"{count} B"
    number = float(count)
    for unit in ("kB", "MB", "GB"):
        number /= STEP
        if number < STEP:
            return f"{number:.1f} {unit}"
    return f"{number / STEP:.1f} TB"
