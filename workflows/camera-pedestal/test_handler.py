"""Tries the workflow on one small simulated run, without store or executor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uproot

if TYPE_CHECKING:
    from tests.camera_workflows import Chain

PEDESTAL, PHYSICS = 4500, 4501


def test_only_pedestal_runs_are_wanted(chain: Chain) -> None:
    """A physics run has light in it."""
    assert chain.try_run("camera-pedestal", PEDESTAL).is_wanted
    assert not chain.try_run("camera-pedestal", PHYSICS).is_wanted


def test_every_pixel_gets_its_mean_and_noise(chain: Chain) -> None:
    """The job writes the maps under the name that later workflows read."""
    made = chain.make("camera-pedestal", PEDESTAL)
    assert made["output"].name == "pedestal_run04500.root"
    with uproot.open(made["output"]) as file:
        assert file["pedmap"].values().shape == (576, 576)
