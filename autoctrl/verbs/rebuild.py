"""Deriving anew what a store shows beside its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError
from autoctrl.ports import Showing

if TYPE_CHECKING:
    from autoctrl.ports import Store


def rebuild_tables(store: Store, campaign: str | None = None) -> dict[str, int]:
    """Derive the tables for Grafana anew, of one campaign or of all; return the tasks of each.

    Raises ``UsageError`` for an unknown campaign, or a store that has no such tables;
    ``StoreError``.
    """
    if not isinstance(store, Showing):
        message = "This store has no tables beside its records; there is nothing to rebuild."
        raise UsageError(message, hint="Only an InfluxDB store keeps some, for Grafana.")
    if campaign is not None:
        names = [find_campaign(store, campaign).name]
    else:
        names = sorted(mark.name for mark in store.marks("campaign"))
    return {name: store.rebuild(name) for name in names}
