"""What the tests of the science leave behind: nothing that they registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.science.friends import modules
from autoctrl.science.quality import plots

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def registers() -> Iterator[None]:
    """Let the registers of friend modules and plots be as they were."""
    known_modules, known_plots = modules._MODULES.copy(), plots._PLOTS.copy()
    yield
    modules._MODULES.clear()
    modules._MODULES.update(known_modules)
    plots._PLOTS.clear()
    plots._PLOTS.update(known_plots)
