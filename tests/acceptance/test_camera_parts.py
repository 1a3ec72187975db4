"""The camera's reconstruction as a workflow: parts side by side, counted against the raw file, and
damaged runs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.camera import succeed
from tests.acceptance.project import call
from tests.acceptance.repair import status

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
EVENTS = 5
SETTINGS = """
[inputs]
root = "raw"
[executors.local]
type = "local"
slots = 2
[sources.runlog]
type = "table"
path = "raw/runs.csv"
closed_column = "end"
[runs.attributes]
kind = "str"
events = "int"
[workflows.camera-reco]
cpus = 2
[defaults]
memory_mb = 1500
time_limit_s = 300
"""
# what stands in the workflow -> what is tried here: parts of two events of a plain file
CHANGES = {"split_events=200": "split_events=2", "run{run:05d}.mid.gz": "run{run:05d}.mid"}
MERGE = '"autoctrl-camera merge {parts} --output {output}"'
# a merge that leaves the last part out, or one that takes a part of fewer events for it
SABOTAGE = """
import subprocess, sys
from pathlib import Path

kind, raw, pedestal, output, *parts = sys.argv[1:]
if kind == "remove":
    parts.pop(1)
elif kind == "cut":
    parts.pop()
elif kind == "unlink":
    Path(parts[1]).unlink()
else:
    short = ["--pedestal", pedestal, "--events", "2:3", "--output", "short.root"]
    subprocess.run(["autoctrl-camera", "reco", raw, *short], check=True)
    parts[1] = "short.root"
sys.exit(subprocess.run(["autoctrl-camera", "merge", *parts, "--output", output]).returncode)
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    options = f"--events {EVENTS} --pedestal-events 8 --size 256 --format mid"
    succeed(folder, f"simulate --runs 4500-4501 {options} --output .")
    return folder


def make_project(folder: Path, raw: Path, changes: Mapping[str, str]) -> Path:
    """Write a project with the camera's own workflows, changed in some words."""
    folder.mkdir()
    (folder / "autoctrl.toml").write_text(SETTINGS)
    shutil.copytree(raw, folder / "raw")
    for name in ("camera-pedestal", "camera-reco"):
        text = (ROOT / "workflows" / name / "handler.py").read_text()
        for old, new in {**CHANGES, **changes}.items():
            assert old in text or name == "camera-pedestal"
            text = text.replace(old, new)
        (folder / "workflows" / name).mkdir(parents=True)
        (folder / "workflows" / name / "handler.py").write_text(text)
    return folder


def reconstruct(folder: Path) -> dict[str, Any]:
    """Let the project run until nothing moves, and return the task of the physics run."""
    call(folder, "loop", "--until-idle", "--every", "0.2s")
    rows = {row["run"]: row for row in status(folder)}
    assert rows[4500]["tasks"]["camera-pedestal"]["status"] == "done", rows
    task: dict[str, Any] = rows[4501]["tasks"]["camera-reco"]
    return task


def outputs(folder: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        call(folder, "outputs", "--workflow", "camera-reco", "--format", "json").out
    )
    return listed


def damage(folder: Path, event: int) -> None:
    """Spoil the inside of one event."""
    path = folder / "raw/run04501.mid"
    data = bytearray(path.read_bytes())
    place = 0
    for _ in range(event + 1):
        place = data.index(b"CAM0", place + 4)
    data[place : place + 12] = b"\xff" * 12
    path.write_bytes(bytes(data))


def test_parts_use_the_cores_that_are_asked_for(tmp_path: Path, raw: Path) -> None:
    """Every part runs as many threads as the job has cores, and the merged file has an entry per
    event.
    """
    folder = make_project(tmp_path / "project", raw, {})
    assert reconstruct(folder)["status"] == "done"
    jobs = json.loads(call(folder, "jobs", "4501", "camera-reco", "--format", "json").out)["jobs"]
    assert len(jobs) == 4
    assert [row["entries"]["Events"] for row in outputs(folder)] == [EVENTS]
    assert "--threads 2" in call(folder, "provenance", "4501", "camera-reco").out


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("remove", "has run 4501 event 4 after event 1: those in between are missing"),
        ("shorten", "has run 4501 event 4 after event 2: those in between are missing"),
        ("cut", "output output has 4 entries, but should have 5: events [0, 5)"),
        ("unlink", "does not exist"),
    ],
)
def test_a_missing_part_is_never_skipped(tmp_path: Path, raw: Path, kind: str, reason: str) -> None:
    """A merge without some part, with a shorter one, or with one that is gone, fails the task."""
    sabotage = tmp_path / "sabotage.py"
    sabotage.write_text(SABOTAGE)
    given = (
        f"{kind} {tmp_path}/project/raw/run04501.mid {tmp_path}/pedestal.root {{output}} {{parts}}"
    )
    succeed(tmp_path, f"pedestal {raw}/run04500.mid --output pedestal.root")
    folder = make_project(tmp_path / "project", raw, {MERGE: f'"{{python}} {sabotage} {given}"'})
    task = reconstruct(folder)
    assert task["status"] == "failed"
    assert "job merge.1 failed" in task["reason"]
    assert reason in task["reason"]
    assert outputs(folder) == []


def test_a_damaged_run_fails_with_its_place(tmp_path: Path, raw: Path) -> None:
    """The task's reason names file, byte and event, and how many good events are kept."""
    folder = make_project(tmp_path / "project", raw, {})
    damage(folder, 3)
    task = reconstruct(folder)
    assert task["status"] == "failed"
    assert "run04501.mid is corrupt at byte" in task["reason"]
    assert "event 3:" in task["reason"]
    assert "1 good events are kept in reco_run04501.partial.root" in task["reason"]
    assert outputs(folder) == []
    assert list(folder.rglob("reco_run04501.partial.root"))


def test_a_damaged_run_is_done_within_the_tolerance(tmp_path: Path, raw: Path) -> None:
    """With a tolerance the run is done, with an entry per event, and a warning counts the lost
    ones.
    """
    folder = make_project(tmp_path / "project", raw, {'TOLERATED = "0"': 'TOLERATED = "1"'})
    damage(folder, 1)
    task = reconstruct(folder)
    assert (task["status"], task["reason"]) == ("done", f"warning: 1 of {EVENTS} events are lost")
    assert [row["entries"]["Events"] for row in outputs(folder)] == [EVENTS]
    assert "lost_events" in call(folder, "history", "4501", "camera-reco", "--format", "json").out
