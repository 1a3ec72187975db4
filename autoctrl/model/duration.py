"""Lengths of time, and times, as people write them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

LONGEST_S = 10 * 365 * 86_400.0
SECONDS: Mapping[str, int] = {"min": 60, "d": 86_400, "h": 3600, "s": 1, "": 1}


def parse_duration(text: str) -> float:
    """Return ``10s``, ``5min``, ``1h``, ``2d`` or a bare number of seconds as seconds.

    Raises ``UsageError`` for anything else, and for more than ten years.
    """
    for unit, seconds in SECONDS.items():
        number = text.removesuffix(unit).strip() if text.endswith(unit) else ""
        if number.isascii() and number.replace(".", "", 1).isdecimal():
            return _check(text, float(number) * seconds)
    message = f"'{text}' is not a duration."
    raise UsageError(message, hint="Write it as 10s, 5min, 1h or 2d.")


def parse_since(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Return a time as it is written, in ``zone`` unless it says another, or so long before
    ``now``.

    Raises ``UsageError``.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - timedelta(seconds=parse_duration(text))
        except (UsageError, OverflowError) as error:
            message = f"'{text[:40]}' is neither a time nor a duration."
            raise UsageError(
                message, hint="Write it as 2026-11-20 or 2026-11-20T18:00, or as 24h."
            ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _check(text: str, seconds: float) -> float:
    if seconds <= LONGEST_S:
        return seconds
    message = f"'{text[:40]}' is longer than ten years."
    raise UsageError(message)
