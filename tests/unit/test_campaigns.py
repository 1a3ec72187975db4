"""Campaigns are looked up by name."""

from __future__ import annotations

import pytest

from autoctrl.campaigns import find_campaign, find_lineage
from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import MarkRecord
from autoctrl.stores.memory import MemoryStore
from tests.contract.samples import NOW


@pytest.fixture
def store() -> MemoryStore:
    """Make a store with a campaign and its parent."""
    store = MemoryStore()
    for campaign in (Campaign("prompt"), Campaign("again", parent="prompt")):
        mark = MarkRecord("campaign", campaign.name, campaign.name, campaign.values(), NOW)
        store.append([mark])
    return store


def test_a_campaign_is_found_with_its_parents(store: MemoryStore) -> None:
    """The nearest comes first."""
    assert find_campaign(store, "again").parent == "prompt"
    assert [campaign.name for campaign in find_lineage(store, "again")] == ["again", "prompt"]


def test_an_unknown_campaign_is_refused_with_the_nearest(store: MemoryStore) -> None:
    """Whoever misspells it is told what there is."""
    with pytest.raises(UsageError, match=r"There is no campaign 'promt'.*'prompt'"):
        find_campaign(store, "promt")
