"""Every notifier keeps the contract."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from autoctrl.conformance import NotifierContract
from tests.contract.notifiers import NOTIFIERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.conformance import NotifierSubject


class TestNotifiers(NotifierContract):
    """The suite, over every notifier."""

    @pytest.fixture(params=NOTIFIERS)
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotifierSubject]:
        with ExitStack() as stack:
            yield NOTIFIERS[request.param](tmp_path, stack)
