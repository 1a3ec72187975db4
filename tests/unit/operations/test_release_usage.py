"""Which releases the records need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.operations.deployment.usage import find_unneeded
from tests.unit.scene import SPEC, Scene

if TYPE_CHECKING:
    from autoctrl.model.job import JobSpec

RELEASES = [Path('/data/détecteur "2"/releases') / (digit * 12) for digit in "1ab"]


@pytest.mark.parametrize("code", ["a" * 7, "a" * 12, "a" * 40])
def test_a_pinned_release_is_needed_however_much_of_its_commit_is_said(code: str) -> None:
    """While the campaign is open; seven digits mean the release as well as forty."""
    scene = Scene()
    scene.campaign(Campaign("pinned", code=code))
    assert find_unneeded(scene.store, RELEASES) == [RELEASES[0], RELEASES[2]]
    scene.campaign(Campaign("pinned", code=code, closed=True))
    assert find_unneeded(scene.store, RELEASES) == RELEASES


@pytest.mark.parametrize(
    "spec",
    [
        SPEC._replace(argv=("python", f"{RELEASES[0]}/workflows/reco/job.py")),
        SPEC._replace(environment={"HOME_OF_CODE": str(RELEASES[0])}),
        SPEC._replace(inputs={"table": ("x", f"{RELEASES[0]}/table.txt")}),
    ],
)
def test_a_release_that_a_job_was_told_of_is_needed(spec: JobSpec) -> None:
    """As a word, a variable or an input, whatever letters the path has; until the job is over."""
    scene = Scene()
    key = scene.task(1, status=TaskStatus.PROCESSING)
    scene.job(key, spec=spec)
    assert find_unneeded(scene.store, RELEASES) == RELEASES[1:]
    scene.move(key, TaskStatus.DONE)
    assert find_unneeded(scene.store, RELEASES) == RELEASES
