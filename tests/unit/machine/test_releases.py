"""Which release makes cycles: written down once, and again when another one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.machine.releases import note_release
from autoctrl.stores.memory import MemoryStore
from tests.contract.samples import NOW

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "0123456789ab", "ba9876543210"


def test_a_release_is_noted_when_it_begins(tmp_path: Path) -> None:
    """Not again while it lasts; each campaign has its own."""
    store = MemoryStore()
    for release in (FIRST, FIRST, SECOND):
        note_release(store, "prompt", tmp_path / "releases" / release / "project", NOW)
    note_release(store, "again", tmp_path / "releases" / SECOND, NOW)
    marks = {mark.campaign: mark for mark in store.marks("release")}
    assert (marks["prompt"].values, marks["prompt"].sequence) == ({"commit": SECOND}, 2)
    assert marks["again"].sequence == 1


def test_a_project_that_nobody_deployed_has_none(tmp_path: Path) -> None:
    """Nothing is written."""
    store = MemoryStore()
    note_release(store, "prompt", tmp_path, NOW)
    assert store.marks("release") == []
