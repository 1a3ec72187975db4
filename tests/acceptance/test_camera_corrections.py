"""When a correction changes, only the friends are made anew: in place, and as a campaign beside
what there is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uproot

from tests.services import ROOT

RUNS = (4501, 4502, 4503)
LATE = 4503
TRIAL = "calibrations-2027"
WORKFLOWS = ("camera-pedestal", "camera-reco", "camera-friends")

pytestmark = pytest.mark.timeout(600)


class Project:
    """A camera's project in a folder, as a person works in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calibrations = folder / "workflows" / "camera-friends" / "calibrations"
        for name in WORKFLOWS:
            source, ignored = ROOT / "workflows" / name, shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / "workflows" / name, ignore=ignored)
        shutil.copy(ROOT / "autoctrl.toml", folder)

    def run(self, *words: str, program: str = "autoctrl") -> str:
        """Run a command that succeeds, and return what it says."""
        command = [str(Path(sys.executable).with_name(program)), *words]
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MPLBACKEND": "Agg",
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--format", "json"))

    def cells(self, workflow: str, campaign: str = "prompt") -> dict[int, tuple[str, int, bool]]:
        """Return status, version and staleness of a workflow's tasks by run."""
        rows = self.ask("status", "--campaign", campaign)["runs"]
        tasks = {row["run"]: row["tasks"][workflow] for row in rows}
        return {
            run: (task["status"], task["version"], task["stale"])
            for run, task in tasks.items()
            if task
        }

    def jobs(self, workflow: str) -> int:
        """Return how many jobs a workflow had in all."""
        return sum(len(self.ask("jobs", str(run), workflow)["jobs"]) for run in RUNS)

    def friends(self, *words: str) -> dict[tuple[int, int], Path]:
        """Return the friend files by run and version."""
        found = self.ask("outputs", "--workflow", "camera-friends", *words)
        return {
            (output["runs"][0], output["version"]): Path(output["locations"][0]["url"])
            for output in found
        }


def light(path: Path) -> list[list[float]]:
    with uproot.open(path) as file:
        values: list[list[float]] = file["Friends/sc_regr_integral"].array().tolist()
    return values


def used(path: Path) -> dict[str, Any]:
    with uproot.open(path) as file:
        content: dict[str, Any] = json.loads(str(file["metadata"]))["calibration"]
    return content


def double(path: Path) -> None:
    """Change a calibration: every cluster has twice the light."""
    lines = path.read_text().splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith("mean = "))
    values = json.loads(lines[place].removeprefix("mean = "))
    lines[place] = f"mean = {[values[0] + 0.6931471805599453, *values[1:]]}"
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Bring three small runs to done; the last one has a calibration of its own."""
    made = Project(tmp_path_factory.mktemp("corrections"))
    line = "simulate --runs 4500-4503 --events 2 --pedestal-events 8 --small --output raw"
    made.run(*line.split(), program="autoctrl-camera")
    (first,) = made.calibrations.glob("*.toml")
    text = first.read_text()
    first.write_text(text.replace("first = 0\n", f"first = 0\nlast = {LATE - 1}\n"))
    (made.calibrations / "late.toml").write_text(text.replace("first = 0\n", f"first = {LATE}\n"))
    made.run("loop", "--until-idle")
    assert made.cells("camera-friends") == dict.fromkeys(RUNS, ("done", 1, False))
    return made


def test_only_the_friends_of_the_changed_range_are_made_anew(project: Project) -> None:
    """A changed calibration file makes the friends that it was used for stale; reprocessing them
    runs nothing else.
    """
    before = {workflow: project.jobs(workflow) for workflow in ("camera-reco", "camera-friends")}
    old = project.friends()
    assert used(old[LATE, 1])[str(LATE)]["file"] == "late.toml"
    double(project.calibrations / "late.toml")
    assert project.cells("camera-friends") == dict.fromkeys(RUNS[:2], ("done", 1, False)) | {
        LATE: ("done", 1, True)
    }
    assert "late.toml, which has changed since" in project.run("why", str(LATE), "camera-friends")
    said = project.run("reprocess", "--stale", "camera-friends", "--reason", "the lamp was on")
    assert said == f"run {LATE} / camera-friends went from done to new (version 2).\n"
    project.run("loop", "--until-idle")
    assert project.cells("camera-friends") == dict.fromkeys(RUNS[:2], ("done", 1, False)) | {
        LATE: ("done", 2, False)
    }
    assert project.jobs("camera-reco") == before["camera-reco"]
    assert project.jobs("camera-friends") == before["camera-friends"] + 1
    new = project.friends()
    assert [new[run, 1] for run in RUNS[:2]] == [old[run, 1] for run in RUNS[:2]]
    every = project.friends("--superseded")
    assert every[LATE, 1] == old[LATE, 1]
    assert used(new[LATE, 2]) != used(old[LATE, 1])
    for earlier, later in zip(light(old[LATE, 1]), light(new[LATE, 2]), strict=True):
        assert later == pytest.approx(
            [2 * value if value >= 0 else value for value in earlier], rel=1e-5
        )
    assert (
        project.run("reprocess", "--stale", "camera-friends", "--reason", "again")
        == "There is nothing to do.\n"
    )


def test_a_campaign_makes_other_friends_of_the_same_reconstruction(project: Project) -> None:
    """A campaign with the parent prompt reads its reconstruction, uses another calibration, and
    leaves prompt alone.
    """
    before = {workflow: project.jobs(workflow) for workflow in ("camera-reco", "camera-friends")}
    old = project.friends()
    trial = project.calibrations.with_name(TRIAL)
    trial.mkdir()
    source = (project.calibrations / "late.toml").read_text()
    (trial / "all.toml").write_text(source.replace(f"first = {LATE}\n", "first = 0\n"))
    create = ["campaign", "create", "light", "--workflows", "camera-friends", "--parent", "prompt"]
    project.run(*create, "--set", f"calibrations={TRIAL}", "--reason", "try it on all runs")
    project.run("loop", "--until-idle", "--campaign", "light")
    assert project.cells("camera-friends", "light") == dict.fromkeys(RUNS, ("done", 1, False))
    new = project.friends("--campaign", "light")
    assert new.keys() == {(run, 1) for run in RUNS}
    assert project.friends() == old
    assert {workflow: project.jobs(workflow) for workflow in before} == before
    for (run, _), path in new.items():
        assert used(path)[str(run)]["file"] == "all.toml"
        assert "light" in path.parts
    assert light(new[4501, 1]) != light(old[4501, 1])
    project.run(*["reprocess", "4502", "camera-reco", "--reason", "its parts were lost"])
    project.run("loop", "--until-idle")
    assert project.cells("camera-friends", "light")[4502] == ("done", 1, True)


def test_a_run_that_no_range_covers_waits(project: Project) -> None:
    """A campaign whose calibration has a gap says for which run, and which ranges there are; the
    others are done.
    """
    place = project.calibrations.with_name("gap")
    place.mkdir()
    source = (project.calibrations / "late.toml").read_text()
    (place / "some.toml").write_text(source.replace(f"first = {LATE}\n", "first = 4502\n"))
    create = ["campaign", "create", "gap", "--workflows", "camera-friends", "--parent", "prompt"]
    project.run(*create, "--set", "calibrations=gap")
    project.run("cycle", "--campaign", "gap")
    why = project.run("why", "4501", "camera-friends", "--campaign", "gap")
    assert "run 4501 has no calibration in" in why
    assert "its ranges are 4502-" in why
