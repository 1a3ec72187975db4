"""Every notifier keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.conformance import NotifierContract
from tests.contract.notifiers import NOTIFIERS

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.conformance import NotifierSubject


class TestNotifiers(NotifierContract):
    """The suite, over every notifier."""

    @pytest.fixture(params=NOTIFIERS)
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> NotifierSubject:
        return NOTIFIERS[request.param](tmp_path)
