"""What a person sees on a terminal of eighty columns."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from autoctrl.cli import main
from autoctrl.compose import open_project
from autoctrl.model.actor import CYCLE
from autoctrl.model.job import JobKey, JobRecord, JobSpec
from autoctrl.model.output import LocationState, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import JobStatus, Role, TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey
from autoctrl.model.workflow import UNSEEN, Cursor

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.ports import Record

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
BEGAN = datetime(2026, 11, 20, 18, tzinfo=UTC)
NAMES = ("camera-pedestal", "camera-reco", *(f"step-{number:02d}" for number in range(3, 14)))
RUNS = range(4500, 4506)
LONG = (
    "/storage/gpfs_data/experiments/camera/2026/outputs/prompt/camera-pedestal/4500/v1/0.1/x.root"
)
SPEC = JobSpec(("true",), {}, {}, {}, memory_mb=2000, time_limit_s=3600, cpus=1, executor="condor")


class Terminal(io.StringIO):
    """What is printed, as on a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def records() -> list[Record]:
    """Return runs in thirteen workflows: done, but for failures of the last and a running job."""
    made: list[Record] = []
    for run in RUNS:
        made.append(RunRecord(run, {}, is_closed=True, time=BEGAN, actor=CYCLE))
        for name in NAMES:
            task = new_task(TaskKey("prompt", name, str(run)), (run,), BEGAN)
            end = FAILED if name == NAMES[-1] and run % 2 else DONE
            steps = [PROCESSING] if (run, name) == (4504, NAMES[1]) else [PROCESSING, end]
            made.append(task)
            for step in steps:
                why = (
                    f"exit code {run}, it last said: no file /data/run{run}"
                    if step is FAILED
                    else ""
                )
                made.append(task := task.moved(step, BEGAN, reason=why, log=LONG if why else ""))
    for name in NAMES:
        state = UNSEEN._replace(cursor=Cursor(position=len(RUNS)))
        made.append(MarkRecord("workflow", "prompt", name, state.values(), BEGAN))
    key = TaskKey("prompt", NAMES[1], "4504")
    job = JobRecord(JobKey(key, 1, 0), Role.PART, 1, JobStatus.RUNNING, BEGAN, SPEC, asked=BEGAN)
    made.append(job._replace(host="node17.example.org", handle="7.0", reason="runs well"))
    done = TaskKey("prompt", NAMES[0], "4500")
    present = LocationState.PRESENT
    return [*made, OutputRecord(done, 1, "x", LONG, present, 10, {}, {}, (4500,), "", BEGAN)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "autoctrl.toml").write_text("[cycle]\nsilent_after_s = 0\n")
    with open_project(tmp_path) as opened:
        opened.store.append(records())
    return tmp_path


def show(project: Path, monkeypatch: pytest.MonkeyPatch, *words: str, columns: int = 80) -> str:
    """Return what a terminal without colour shows."""
    screen = Terminal()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", screen)
        assert main([*words, "--project", str(project)]) == 0
    return re.sub(r" +\n", "\n", screen.getvalue())


NARROW = """\
1 camera-pedestal  2 camera-reco  3 step-03  4 step-04  5 step-05  6 step-06
7 step-07  8 step-08  9 step-09  10 step-10  11 step-11  12 step-12  13 step-13

RUN   STATUS      1   2   3   4   5   6   7   8   9   10  11  12  13
4503  failed      ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✕F
4504  processing  ✓D  ◐P  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D
4505  failed      ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✓D  ✕F

◐P processing  ✓D done  ✕F failed
The newest 3 of 6 runs; see more with --limit 6.

status failed  workflow step-13  units 4501,4503,4505
  exit code …, it last said: no file /data/run… (since 2026-11-20 18:00:00 UTC)
  (first log:
  /storage/gpfs_data/experiments/camera/2026/outputs/prompt/camera-pedestal/4500/v1/0.1/x.root)
status processing  workflow camera-reco  units 4504
  is taking long (since 2026-11-20 18:00:00 UTC)

6 runs: 3 failed, 1 processing, 2 done. Tasks: 3 failed, 1 processing.
Failed last: run 4505 / step-13 since 2026-11-20 18:00:00 UTC; first: run 4501 /
step-13 since 2026-11-20 18:00:00 UTC.
  camera-reco: 1 processing, 5 done.
  step-13: 3 failed, 3 done.
"""


def test_thirteen_workflows_fit_into_eighty_columns(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task is a sign and a letter, explained; each word and each path stands in one line."""
    shown = show(project, monkeypatch, "status", "--limit", "3")
    assert shown.partition("See: ")[0] == NARROW


def test_words_stand_where_there_is_room(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a wide terminal the table is that of a pipe."""
    assert "4505  failed      done  " in re.sub(
        r"done +", "done  ", show(project, monkeypatch, "status", columns=250)
    )
    narrow = show(project, monkeypatch, "status", "--workflow", "step-13")
    assert "RUN   STATUS      step-13\n4500  done        done\n" in narrow


def test_a_path_stands_on_a_line_of_its_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is, so that it can be copied."""
    shown = show(project, monkeypatch, "outputs").splitlines()
    assert f"  {LONG}" in shown
    assert any(
        line.startswith("workflow camera-pedestal  unit 4500  v 1  name x") for line in shown
    )


def test_a_running_job_says_since_when(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it began and how long ago that is."""
    shown = show(project, monkeypatch, "jobs", "4504", NAMES[1])
    assert "began 2026-11-20 18:00:00 UTC" in shown
    assert re.search(r"age \d+ (days|h|min)", shown)
    assert "host node17.example.org" in shown
