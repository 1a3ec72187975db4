"""What goes wrong while somebody is at work: settings that are broken, a lease that is held."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from autoctrl.compose import open_project
from autoctrl.web import create_app
from tests.acceptance.conditions import (
    append,
    conditions,
    make_processed,
    read_conditions,
    read_leases,
    wait_for,
)
from tests.acceptance.project import ask, call, environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a run that was processed."""
    return make_processed(tmp_path)


GRID = """
from dataclasses import dataclass
from autoctrl.config import Adapter, ExecutorSettings
from autoctrl.errors import MissingExtra

@dataclass(frozen=True)
class GridSettings(ExecutorSettings):
    pass

def open_grid(name, section, surroundings):
    raise MissingExtra("The grid", "grid")

ADAPTER = Adapter(GridSettings, open_grid)
"""


def test_settings_that_a_workflow_cannot_use_are_named(project: Path, tmp_path: Path) -> None:
    """Its executor needs what is not installed: the others do their work, and know why it does
    not.
    """
    about = tmp_path / "site" / "grid-1.dist-info"
    about.mkdir(parents=True)
    (about / "entry_points.txt").write_text("[autoctrl.executors]\ngrid = grid:ADAPTER\n")
    (tmp_path / "site" / "grid.py").write_text(GRID)
    settings = project / "autoctrl.toml"
    whole = settings.read_text()
    assert ask(project, "runs", "add", "2", "--set", "kind=physics").code == 0
    append(settings, '[executors.grid]\ntype = "grid"\n[workflows.reco]\nexecutor = "grid"\n')
    said = call(project, "cycle", PYTHONPATH=str(tmp_path / "site"))
    assert (said.code, "plots: 1 born" in said.out) == (2, True)
    settings.write_text(whole)
    (found,) = conditions(project, "why 2 reco")
    assert (found["kind"], found["about"], found["workflow"]) == ("settings", "reco", "reco")
    assert "The grid needs packages that are not installed" in found["reason"]
    assert conditions(project, "why 2 plots") == []
    assert ask(project, "cycle").code == 0
    assert conditions(project) == []


def test_a_loop_names_settings_that_are_broken_meanwhile(project: Path) -> None:
    """It goes by those that it has read, and says that others could not start."""
    settings = project / "autoctrl.toml"
    whole = settings.read_text()
    command = [sys.executable, "-m", "autoctrl.cli", "loop", "--every", "0.05s"]
    with subprocess.Popen(command, cwd=project, env=environment(project)) as loop:
        try:
            wait_for(
                lambda: read_leases(project)["loop/prompt"].owner.split(":")[1] == str(loop.pid)
            )
            settings.write_text(whole + "[cycle]\nlease = 60\n")
            wait_for(lambda: read_conditions(project) == ["settings autoctrl.toml"])
            assert "Did you mean 'lease_s'?" in ask(project, "health").err
            settings.write_text(whole)
            wait_for(lambda: read_conditions(project) == [])
            assert loop.poll() is None
        finally:
            loop.kill()


def test_a_page_names_settings_that_are_broken_meanwhile(project: Path) -> None:
    """A cycle that starts then cannot even open the store."""
    settings = project / "autoctrl.toml"
    whole = settings.read_text()
    browser = TestClient(create_app(open_project(project)), base_url="http://127.0.0.1")
    assert browser.get("/api/health").json()["conditions"] == []
    settings.write_text(whole + "[cycle]\nlease = 60\n")
    assert ask(project, "cycle").code == 2
    (found,) = browser.get("/api/health").json()["conditions"]
    assert (found["kind"], found["about"]) == ("settings", "autoctrl.toml")
    assert "Did you mean" in browser.get("/campaigns/prompt").text
    settings.write_text(whole)
    assert browser.get("/api/health").json()["conditions"] == []


HANGING = """
import time
from pathlib import Path
from autoctrl import inline

@inline("slow")
def handler(task):
    Path("begun").touch()
    while not Path("go").exists():
        time.sleep(0.02)
"""


def test_a_lease_that_is_held_for_long_is_named(project: Path) -> None:
    """By the cycle that it keeps from working, with who holds it; once it is free that is over."""
    path = project / "workflows/slow/handler.py"
    path.parent.mkdir()
    path.write_text(HANGING)
    at_once = {"AUTOCTRL_CYCLE_HELD_AFTER_S": "0.001", "AUTOCTRL_CYCLE_PATIENCE_S": "0.1"}
    command = [sys.executable, "-m", "autoctrl.cli", "cycle", "--workflow", "slow"]
    with subprocess.Popen(command, cwd=project, env=environment(project)) as first:
        wait_for((project / "begun").exists)
        assert ask(project, "runs", "add", "2").code == 0
        second = ask(project, "cycle", "--workflow", "slow", **at_once)
        assert (second.code, "is held by process" in second.err) == (2, True)
        (found,) = conditions(project)
        assert (found["kind"], found["about"], found["workflow"]) == ("lease", "slow", "slow")
        assert f"process {find_holder(project)} on " in found["reason"]
        assert first.poll() is None
        (project / "go").touch()
    assert ask(project, "cycle", "--workflow", "slow", **at_once).code == 0
    assert conditions(project) == []


def find_holder(folder: Path) -> str:
    return read_leases(folder)["prompt/slow"].owner.split(":")[1]
