"""What the tests of the camera's workflows share."""

from __future__ import annotations

import pytest

from tests.camera_workflows import Chain


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Return the chain of workflows, nothing of which has run yet."""
    return Chain(tmp_path_factory.mktemp("chain"))
