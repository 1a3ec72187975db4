"""What the tests of whole cycles share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.machine.room import Room

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Return a room in which run 1 has been taken."""
    made = Room(tmp_path, '[executors.other]\ntype = "local"\n[defaults]\nback_off_s = 10\n')
    made.has_run(1, kind="physics")
    return made
