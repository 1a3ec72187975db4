"""The analyst's notebook, executed with what the camera's programs have really made."""

from __future__ import annotations

import json
from contextlib import chdir
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import TaskStatus
from tests.acceptance.camera import MADE_WITHIN_S, ROOT
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = ROOT / "docs/howto/energy-spectrum.ipynb"
IRON_KEV = 5.9
pytestmark = pytest.mark.timeout(MADE_WITHIN_S)


@pytest.fixture
def folder(chain: Path, tmp_path: Path) -> Path:
    """Return a folder with a project ``demo`` that has processed a run, and one with an alarm."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/autoctrl.toml").write_text('[runs.attributes]\nkind = "str"\n')
    numbers = json.loads((chain / "whole.json").read_text())["numbers"]
    with Project(load_settings(tmp_path / "demo")) as project:
        scene = Scene()
        scene.store = project.store
        scene.runs(4501, 4502, kind="physics")
        for name in ("camera-friends", "camera-dq"):
            scene.workflow(name)
        for run in (4501, 4502):
            reason = "alarm: noisy" if run == 4502 else ""
            friends = scene.task(run, "camera-friends", TaskStatus.DONE)
            scene.output(friends, url=str(chain / "reco_Friend.root"))
            judged = scene.task(run, "camera-dq", TaskStatus.DONE, reason=reason)
            scene.store.append([FieldsRecord(judged, 1, numbers, scene.clock.now())])
    return tmp_path


def test_the_notebook_ends_with_an_energy_spectrum(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell runs; the spectrum of the good run has iron's line where it belongs, and is made
    in ten lines.
    """
    monkeypatch.setenv("MPLBACKEND", "Agg")
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    programs = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    known: dict[str, Any] = {}
    with chdir(folder):
        for program in programs:
            exec(compile(program, NOTEBOOK.name, "exec"), known)  # noqa: S102 - our own notebook
        known["project"].close()
    drawn = known["plt"].gca()
    assert (drawn.get_xlabel(), drawn.get_ylabel()) == ("energy / keV", "clusters")
    known["plt"].close("all")
    assert [*known["files"]] == [4501]
    highest = max(range(60), key=lambda bin_: known["counts"][bin_])
    assert abs(known["edges"][highest] - IRON_KEV) < 1
    assert len(programs[-1].splitlines()) == 10
