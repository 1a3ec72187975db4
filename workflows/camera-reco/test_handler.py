"""Tries the workflow on one small simulated run, without store or executor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import uproot

from autoctrl.handlers.modules import load_module
from autoctrl.testing import try_task

if TYPE_CHECKING:
    from tests.camera_workflows import Chain

PHYSICS = 4501


def test_a_long_run_is_split_into_parts() -> None:
    """200 events are one job, and the last one may have fewer."""
    (handler,) = load_module(Path(__file__).with_name("handler.py"))
    inputs = {"raw": "/raw.mid.gz", "pedestal": "/pedestal.root"}
    tried = try_task(handler, run=1, attributes={"kind": "physics"}, inputs=inputs, events=450)
    assert tried.is_wanted
    assert [job.events for job in tried.jobs] == [(0, 200), (200, 400), (400, 450)]
    assert "0:200" in tried.jobs[0].argv
    assert handler.after == {"camera-pedestal"}


def test_events_become_clusters(chain: Chain) -> None:
    """Every event of the part has its entry in the tree."""
    made = chain.make("camera-reco", PHYSICS)
    with uproot.open(made["output"]) as file:
        assert file["Events"].num_entries == 4
        assert set(file["Events"]["run"].array()) == {PHYSICS}
