"""Deriving anew what a store shows beside its records."""

from __future__ import annotations

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.output import MarkRecord
from autoctrl.stores.memory import MemoryStore
from autoctrl.verbs import rebuild_tables
from tests.contract.samples import NOW


class ShowingStore(MemoryStore):
    """A store that has tables for people, and remembers of whom it was asked for them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        for name in ("prompt", "again"):
            self.append([MarkRecord("campaign", name, name, {}, NOW)])

    def rebuild(self, campaign: str) -> int:
        self.asked.append(campaign)
        return len(campaign)


def test_one_campaign_or_all_are_derived_anew() -> None:
    """All of them unless one is named."""
    store = ShowingStore()
    assert rebuild_tables(store, "prompt") == {"prompt": 6}
    assert rebuild_tables(store) == {"again": 5, "prompt": 6}
    assert store.asked == ["prompt", "again", "prompt"]


def test_what_cannot_be_derived_is_refused() -> None:
    """An unknown campaign names the nearest; a store without tables says which has some."""
    with pytest.raises(UsageError, match="There is no campaign 'promt'"):
        rebuild_tables(ShowingStore(), "promt")
    with pytest.raises(UsageError, match="nothing to rebuild"):
        rebuild_tables(MemoryStore())
