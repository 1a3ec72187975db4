"""What the tests of pages share."""

from __future__ import annotations

import pytest

from tests.unit.web.desk import Desk


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.scene.runs(1, 2, kind="physics")
    made.scene.workflow("reco")
    made.scene.workflow("friends", after=["reco"])
    return made
