"""Lengths of time as people write them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Mapping[str, int] = {"min": 60, "h": 3600, "s": 1, "": 1}


def parse_duration(text: str) -> float:
    """Return ``10s``, ``5min``, ``1h`` or a bare number of seconds as seconds.

    Raises ``UsageError`` otherwise.
    """
    for unit, seconds in SECONDS.items():
        number = text.removesuffix(unit).strip() if text.endswith(unit) else ""
        if number.isascii() and number.replace(".", "", 1).isdecimal():
            return float(number) * seconds
    message = f"'{text}' is not a duration."
    raise UsageError(message, hint="Write it as 10s, 5min or 1h.")
