"""What a done version says about the quality of its data; its record's reason begins with that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ALARM, WARNING = "alarm", "warning"


def remark_of(fields: Mapping[str, object]) -> str:
    """Return the reason of a done record from its custom fields ``alarm`` and ``warning``; empty if
    all is well.
    """
    return next((f"{kind}: {fields[kind]}" for kind in (ALARM, WARNING) if fields.get(kind)), "")


def quality_of(reason: str) -> str:
    """Return ``alarm``, ``warning`` or nothing for the reason of a done record."""
    return next((kind for kind in (ALARM, WARNING) if reason.startswith(f"{kind}: ")), "")
