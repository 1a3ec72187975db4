"""Custom fields: which of the values that a job or a function reports about itself are kept."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT = 500
LONGEST_NAME_SHOWN = 40


class Fields(NamedTuple):
    """What is kept of a report.

    values  numbers as float, and short texts, by name
    remark  names what was left out, empty if nothing was
    """

    values: dict[str, float | str]
    remark: str


def choose_fields(reported: Mapping[Any, object]) -> Fields:
    """Keep the finite numbers and the short texts of a report; a value of another kind is left out.

    The work is done when it is reported, so nobody loses it to a figure that is not a number.
    """
    named = {str(name): _as_field(value) for name, value in reported.items()}
    kept = {
        name: value
        for name, value in named.items()
        if value is not None and 0 < len(name) <= LONGEST_TEXT
    }
    left_out = ", ".join(name[:LONGEST_NAME_SHOWN] or "''" for name in named if name not in kept)
    if not left_out:
        return Fields(kept, "")
    kinds = f"neither finite numbers nor texts of at most {LONGEST_TEXT} characters"
    return Fields(kept, f"fields left out, {kinds}: {left_out}"[:LONGEST_TEXT])


def _as_field(value: object) -> float | str | None:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else None
    if not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
