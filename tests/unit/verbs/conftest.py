"""What the tests of verbs share."""

from __future__ import annotations

import pytest

from tests.unit.scene import Scene


@pytest.fixture
def scene() -> Scene:
    shown = Scene()
    shown.runs(1, 2, 3, fill=7)
    shown.workflow("reco")
    return shown
