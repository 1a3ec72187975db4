"""Whether people have paused a workflow is read in one place."""

from __future__ import annotations

import pytest

from autoctrl.model.output import MarkRecord
from autoctrl.pauses import PAUSE, PAUSED, find_pause, list_pauses
from autoctrl.stores.memory import MemoryStore
from tests.contract.samples import NOW


@pytest.fixture
def store() -> MemoryStore:
    """Make a store in which one workflow is paused, of two campaigns, and one no longer."""
    store = MemoryStore()
    for campaign, workflow, is_paused in (
        ("prompt", "reco", True),
        ("prompt", "plot", False),
        ("again", "plot", True),
    ):
        store.append([MarkRecord(PAUSE, campaign, workflow, {PAUSED: is_paused}, NOW)])
    return store


def test_paused_workflows_are_listed(store: MemoryStore) -> None:
    """Of all campaigns or of one; what runs again is none."""
    assert [mark.name for mark in list_pauses(store, "prompt")] == ["reco"]
    assert {mark.campaign for mark in list_pauses(store)} == {"prompt", "again"}


def test_the_word_by_which_a_workflow_is_paused_is_found(store: MemoryStore) -> None:
    """Another campaign's word does not count."""
    found = find_pause(store, "prompt", "reco")
    assert found is not None
    assert found.time == NOW
    assert find_pause(store, "prompt", "plot") is None
    assert find_pause(store, "again", "reco") is None
