"""Tries the workflow on one small simulated run, without store or executor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.camera_workflows import Chain

PHYSICS = 4501


def test_a_run_is_judged_by_the_limits_beside_the_handler(chain: Chain) -> None:
    """The report names the run and has a verdict for its numbers."""
    made = chain.make("camera-dq", PHYSICS)
    report = json.loads(made["report"].read_text())
    assert report["run"] == PHYSICS
    assert report["verdicts"]


def test_every_picture_that_is_declared_is_drawn(chain: Chain) -> None:
    """Each output is a picture of its own."""
    made = chain.make("camera-dq", PHYSICS)
    pictures = [path for path in made.values() if path.suffix == ".png"]
    assert len(pictures) == len(set(pictures)) == 9
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
