"""Every source keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.conformance import SourceContract
from tests.contract.sources import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.conformance import SourceSubject


class TestSources(SourceContract):
    """The suite, over every source."""

    @pytest.fixture(params=SOURCES)
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> SourceSubject:
        return SOURCES[request.param](tmp_path)
