"""What the page needs of memory depends on what it shows, not on how many tasks there are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from autoctrl.compose import open_project
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import TaskStatus
from tests.benchmarks.multiplied import multiply
from tests.services import ROOT
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

NEW, DONE = TaskStatus.NEW, TaskStatus.DONE
WORKFLOWS = {f"w{number}": DONE for number in range(8)} | {"w8": NEW, "w9": NEW}
QUESTIONS = (
    "/campaigns/prompt",
    "/api/status",
    "/api/status?limit=all&runs=1-1000",
    "/api/runs?limit=2000",
    "/api/outputs?limit=2000",
    "/api/fields/w0?limit=2000",
    "/api/history/1/w0",
    "/campaigns/prompt/workflows/w0",
    "/metrics",
)


FEW, MANY, VERY_MANY = 1_000, 5_000, 100_000  # runs
# What one more task may cost: a number, a name, not its record; and what differs by chance.
MOST_BYTES, CHANCE_KIB = 150, 4096


def make_project(folder: Path, runs: int) -> Path:
    """Make a project with so many runs; a fifth of their tasks is not done."""
    folder.mkdir()
    (folder / "autoctrl.toml").touch()
    with open_project(folder) as opened:
        scene = Scene()
        scene.store = opened.store
        scene.campaign(Campaign("prompt", follow=True))
        scene.runs(1, kind="physics", fill=7)
        for name, status in WORKFLOWS.items():
            scene.workflow(name)
            key = scene.task(1, name, status, reason="" if status is DONE else "it waits")
            if status is DONE:
                scene.output(key)
                fields: dict[str, float | str] = {"light": 0.5, "chip": "a"}
                scene.store.append([FieldsRecord(key, 1, fields, scene.clock.now())])
    multiply(folder / ".autoctrl" / "state.sqlite", runs)
    return folder


def measure(folder: Path) -> dict[str, int]:
    """Return the largest memory after each question, all asked by one process, KiB."""
    command = [sys.executable, "-m", "tests.integration.web_memory", str(folder), *QUESTIONS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(QUESTIONS, json.loads(done.stdout)[1:], strict=True))


def test_memory_does_not_grow_with_the_tasks(tmp_path: Path, is_long: bool) -> None:  # noqa: FBT001 - a fixture
    """What a question needs depends on what it shows: with many more tasks it is hardly more."""
    runs = VERY_MANY if is_long else MANY
    few = measure(make_project(tmp_path / "few", FEW))
    many = measure(make_project(tmp_path / "many", runs))
    allowed_kib = CHANCE_KIB + MOST_BYTES * (runs - FEW) * len(WORKFLOWS) // 1024
    grown = {question: many[question] - few[question] for question in QUESTIONS}
    assert max(grown.values()) <= allowed_kib, grown
