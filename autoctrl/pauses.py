"""Which workflows people have paused, and the word by which each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Store

PAUSE = "pause"  # the kind of mark that says it
PAUSED = "paused"  # and its value


def list_pauses(store: Store, campaign: str | None = None) -> list[MarkRecord]:
    """Return the word by which each paused workflow is, of one campaign or of all."""
    return [mark for mark in store.marks(PAUSE, campaign) if mark.values.get(PAUSED)]


def find_pause(store: Store, campaign: str, workflow: str) -> MarkRecord | None:
    """Return the word by which a workflow is paused, None if it is not."""
    pauses = list_pauses(store, campaign)
    return next((mark for mark in pauses if mark.name == workflow), None)
