"""Reasons that several tasks share."""

from __future__ import annotations

import pytest

from autoctrl.views import general


@pytest.mark.parametrize(
    ("reason", "unit", "text"),
    [
        ("run 3 has no fill yet", "3", "the run has no fill yet"),
        ("waits for reco of run 3 (failed)", "3", "waits for reco of the run (failed)"),
        ("waits for pedestal of run 30 (new)", "3", "waits for pedestal of run 30 (new)"),
        ("waits for align of fill 8222 (new)", "fill:8222", "waits for align of the fill (new)"),
        ("the beam was off", "3", "the beam was off"),
    ],
)
def test_a_general_reason_does_not_name_its_own_unit(reason: str, unit: str, text: str) -> None:
    """Only the task's own run or group is replaced, other numbers stay."""
    assert general(reason, unit) == text
