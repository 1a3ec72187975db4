"""What a done version says about the quality of its data, with which the reason of its
record begins; and how good data a reader wants.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ALARM, WARNING = "alarm", "warning"


class Quality(StrEnum):
    """How good data must be.

    ANY     whatever was published
    USABLE  no workflow raises an alarm about a run of it, and it is not stale
    GOOD    nor does any workflow warn of a run of it
    """

    ANY = "any"
    USABLE = "usable"
    GOOD = "good"


def remark_of(fields: Mapping[str, object]) -> str:
    """Return the reason of a done record from its custom fields ``alarm`` and ``warning``; empty if
    all is well.
    """
    return next((f"{kind}: {fields[kind]}" for kind in (ALARM, WARNING) if fields.get(kind)), "")


def quality_of(reason: str) -> str:
    """Return ``alarm``, ``warning`` or nothing for the reason of a done record."""
    return next((kind for kind in (ALARM, WARNING) if reason.startswith(f"{kind}: ")), "")
