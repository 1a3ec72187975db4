"""Campaigns by name: what every room looks up before it does anything in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import UsageError, nearest
from autoctrl.model.campaign import lineage

if TYPE_CHECKING:
    from autoctrl.model.campaign import Campaign
    from autoctrl.ports import Store


def find_campaign(store: Store, name: str) -> Campaign:
    """Return a campaign. Raises ``UsageError`` naming the nearest if there is none of this name."""
    return find_lineage(store, name)[0]


def find_lineage(store: Store, name: str) -> list[Campaign]:
    """Return a campaign and its parents, nearest first.

    Raises ``UsageError`` naming the nearest campaign if there is none of this name.
    """
    marks = store.marks("campaign")
    chain = lineage(name, marks)
    if not chain:
        message = f"There is no campaign '{name}'. {nearest(name, [mark.name for mark in marks])}"
        raise UsageError(message, hint="See: autoctrl campaign list")
    return chain
