"""Times, sizes, values and people as they are read; the same on every face. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sized
    from datetime import tzinfo

    from autoctrl.model.actor import Actor

UNITS = (("day", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Spelling:
    """Spells times, and values that may be times, in the project's time zone."""

    def __init__(self, timezone: str) -> None:
        """Take the name of a time zone, e.g. ``Europe/Zurich``."""
        self.zone: tzinfo = UTC
        if timezone != "UTC":
            from zoneinfo import ZoneInfo

            self.zone = ZoneInfo(timezone)

    def time(self, moment: datetime) -> str:
        """Return ``2026-11-20 19:04:05 CET``."""
        return self._here(moment).strftime("%Y-%m-%d %H:%M:%S %Z")

    def time_of_day(self, moment: datetime) -> str:
        """Return ``19:04:05``."""
        return self._here(moment).strftime("%H:%M:%S")

    def _here(self, moment: datetime) -> datetime:
        """Return a time in the zone; the first and the last of all times have none but UTC."""
        try:
            return moment.astimezone(self.zone)
        except OverflowError:
            return moment.astimezone(UTC)

    def value(self, value: object) -> str:
        """Return an attribute or a custom field: a time, yes or no, a number, a text."""
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:.10g}" if isinstance(value, float) else str(value)

    def pairs(self, values: Mapping[str, object]) -> str:
        """Return ``fill=8222 kind=physics``."""
        return " ".join(f"{name}={self.value(value)}" for name, value in values.items())


def spell_duration(span: timedelta) -> str:
    """Return the two largest units of a time: ``4 min 10 s``, ``2 h``, ``3 days 4 h``.

    A time below a second, or before now, is ``0 s``.
    """
    left = max(0, int(span.total_seconds()))
    words: list[str] = []
    for name, length in UNITS:
        number, left = divmod(left, length)
        if number:
            words.append(count(number, name) if name == "day" else f"{number} {name}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"


def spell_countdown(until: datetime, now: datetime) -> str:
    """Return how long a reason still holds: ``passes in 4 min 10 s``, or that it is over."""
    return f"passes in {spell_duration(until - now)}" if until > now else "passes any moment now"


def spell_age(since: datetime, now: datetime) -> str:
    """Return ``3 min 20 s ago``."""
    return f"{spell_duration(now - since)} ago"


def spell_seconds(seconds: float | None) -> str:
    """Return ``12.3 s``, empty if it is not known."""
    return "" if seconds is None else f"{seconds:.1f} s"


def spell_memory(megabytes: float | None) -> str:
    """Return ``512 MB``, empty if it is not known."""
    return "" if megabytes is None else f"{megabytes:.0f} MB"


def spell_actor(actor: Actor) -> str:
    """Return ``anna (cli)``: who did it, and by what route."""
    return f"{actor.name} ({actor.via})"


def count(items: Sized | int, word: str) -> str:
    """Return ``1 run``, ``3 runs``."""
    number = items if isinstance(items, int) else len(items)
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
