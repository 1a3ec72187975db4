"""Tries the workflow on one small simulated run, without store or executor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.camera_workflows import Chain

PHYSICS = 4501


def test_a_fill_is_named_by_its_number(chain: Chain) -> None:
    """One task for all runs of a fill, and its files carry the fill's number."""
    (job,) = chain.try_run("camera-trend", PHYSICS).jobs
    assert job.outputs == {"trends": "trend_fill2125.json", "picture": "trend_fill2125.png"}


def test_the_reports_of_its_runs_become_trends(chain: Chain) -> None:
    """The reports of the data quality are what it reads."""
    made = chain.make("camera-trend", PHYSICS)
    assert made["picture"].read_bytes().startswith(b"\x89PNG")
    assert json.loads(made["trends"].read_text())
