"""Tries the workflow on one small simulated run, without store or executor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uproot

from autoctrl.science.friends import read_calibration

if TYPE_CHECKING:
    from tests.camera_workflows import Chain

PHYSICS = 4501


@pytest.mark.parametrize("run", [1, PHYSICS, 99999])
def test_the_calibration_covers_every_run(run: int) -> None:
    """A run that no range of the workflow's own files covers would wait for ever."""
    valid = read_calibration(Path(__file__).parent / "calibrations").valid_for(run)
    assert valid.covers(run)


def test_friends_have_the_entries_of_the_reconstruction(chain: Chain) -> None:
    """Event by event, so that both trees can be read side by side."""
    (job,) = chain.try_run("camera-friends", PHYSICS).jobs
    assert job.outputs == {"output": "reco_run04501_Friend.root"}
    made = chain.make("camera-friends", PHYSICS)
    reco = chain.make("camera-reco", PHYSICS)
    with uproot.open(made["output"]) as friends, uproot.open(reco["output"]) as events:
        ours, theirs = friends["Friends"]["event"].array(), events["Events"]["event"].array()
    assert list(ours) == list(theirs)
