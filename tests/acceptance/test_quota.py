"""A quota that is full keeps new jobs back until there is room again, and people are told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from autoctrl.compose import open_project
from autoctrl.model.quota import QUOTA
from autoctrl.stores import open_store
from autoctrl.web import create_app
from tests.acceptance.conditions import STATE, append, read_conditions, wait_for
from tests.acceptance.project import ask, environment, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TMPFS_BYTES = 8 << 20
QUOTA_TABLE = """
[quotas.scratch]
type = "local"
path = "scratch"
warn = 60
hold = 80
margin = 5
workflows = "reco"
every_s = 1
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """Yield a small file system of its own, which only root can make."""
    if os.geteuid() != 0:
        pytest.skip("a small file system cannot be mounted: only root may do that")
    folder = tmp_path / "scratch"
    folder.mkdir()
    options = f"size={TMPFS_BYTES},nr_inodes=64"
    mount = ["mount", "-t", "tmpfs", "-o", options, "autoctrl-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose scratch space is limited, with a run."""
    make_project(tmp_path)
    append(tmp_path / "autoctrl.toml", QUOTA_TABLE)
    assert ask(tmp_path, "runs", "add", "1", "--set", "kind=physics").code == 0
    return tmp_path


def status_of(project: Path, run: int, workflow: str = "reco") -> tuple[str, str]:
    """Return where a run's task stands, and why."""
    seen = json.loads(ask(project, "status", "--format", "json").out)
    tasks = {row["run"]: row["tasks"].get(workflow) for row in seen["runs"]}
    task = tasks.get(run) or {"status": "", "reason": ""}
    return task["status"], task["reason"]


def incidents(project: Path) -> list[dict[str, Any]]:
    """Return all incidents of quotas that ever were."""
    said = ask(project, "incidents", "list", "--all", "--format", "json")
    found: list[dict[str, Any]] = json.loads(said.out)["incidents"]
    return [one for one in found if one["kind"] == "quota"]


def test_a_full_disk_holds_is_freed_and_goes_on(project: Path, scratch: Path) -> None:
    """A real loop keeps back what is new, lets others go, and goes on by itself: one incident, and
    nothing is lost.
    """
    command = [sys.executable, "-m", "autoctrl.cli", "loop", "--every", "0.1s"]
    with subprocess.Popen(command, cwd=project, env=environment(project)) as loop:
        try:
            wait_for(lambda: status_of(project, 1)[0] == "done")
            ballast = scratch / "ballast"
            ballast.write_bytes(bytes(TMPFS_BYTES * 9 // 10))
            wait_for(lambda: read_conditions(project) == ["quota scratch"])
            assert ask(project, "runs", "add", "2", "--set", "kind=physics").code == 0
            why = "quota scratch is full; new jobs wait until less than 75 % is used"
            wait_for(lambda: status_of(project, 2) == ("new", why))
            assert "quota scratch, since " in ask(project, "why", "2", "reco").out
            (one,) = incidents(project)
            assert (one["closed"], one["severity"]) == (None, "alarm")
            assert loop.poll() is None
            ballast.unlink()
            wait_for(lambda: status_of(project, 2)[0] == "done")
            wait_for(lambda: read_conditions(project) == [])
            wait_for(lambda: all(one["closed"] for one in incidents(project)))
        finally:
            loop.kill()
    (one,) = incidents(project)
    assert (one["closings"], status_of(project, 1)[0]) == (1, "done")
    assert [path.name for path in sorted(project.glob("outputs/**/reco_run*.txt"))] == [
        "reco_run00001.txt",
        "reco_run00002.txt",
    ]


def test_inodes_run_out_as_bytes_do(project: Path, scratch: Path) -> None:
    """Many empty files fill a disk that has room; what they say is the same on every face."""
    for number in range(55):
        (scratch / str(number)).touch()
    assert ask(project, "cycle").code == 0
    assert status_of(project, 1)[0] == "new"
    said = json.loads(ask(project, "quota", "--format", "json").out)["quotas"]
    with closing(open_project(project)) as opened:
        page = TestClient(create_app(opened), base_url="http://127.0.0.1")
        seen = page.get("/api/quotas").json()["quotas"]
        metrics = page.get("/metrics").text
        overview = page.get("/campaigns/prompt").text
        full = page.get("/campaigns/prompt/quotas").text
    for (line,) in (said, seen):
        usage = line["usage"]
        assert (line["level"], usage["limit_files"]) == ("hold", 64)
        assert usage["limit_bytes"] == TMPFS_BYTES
    labels = '{campaign="prompt",quota="scratch"}'
    assert f"autoctrl_quota_held{labels} 1\n" in metrics
    assert f"autoctrl_quota_limit_files{labels} 64\n" in metrics
    assert "of 64 files used: new jobs of reco wait until" in overview
    assert 'href="/campaigns/prompt/quotas">quotas</a>' in overview
    assert '<span class="mark is-alarm">hold</span>' in full
    assert "from 80 %: reco" in full
    text = ask(project, "quota")
    assert text.code == 1
    assert "scratch  hold  " in text.out
    assert "quota scratch" in ask(project, "status").out
    with closing(open_store(f"sqlite:{project / STATE}")) as store:
        (before,) = store.marks(QUOTA, "prompt")
        watched = ask(project, "watch")
        assert (watched.code, "of 64 files used: new jobs" in watched.out) == (1, True)
        assert store.marks(QUOTA, "prompt") == [before]


def test_a_quota_that_is_gone_holds_nobody(project: Path) -> None:
    """It is unknown, not full: jobs go on; after three times people are told."""
    for number in range(4):
        assert ask(project, "cycle").code == 0
        assert status_of(project, 1)[0] in {"processing", "done"}
        assert read_conditions(project) == ["quota scratch"] * (number >= 2)
    said = ask(project, "quota")
    assert (said.code, "scratch  unknown  " in said.out) == (1, True)
    assert "it has not answered 3 times: The disk of " in ask(project, "health").out
    doctor = ask(project, "doctor")
    assert "quota scratch" in doctor.out
    with closing(open_store(f"sqlite:{project / STATE}")) as store:
        (mark,) = store.marks(QUOTA, "prompt")
        assert mark.sequence == 3
    (project / "scratch").mkdir()
    assert ask(project, "loop", "--until-idle").code == 0
    assert read_conditions(project) == []
    assert status_of(project, 1)[0] == "done"


def test_without_quotas_only_the_disks_are_shown(tmp_path: Path) -> None:
    """And how a quota is declared."""
    make_project(tmp_path)
    said = ask(tmp_path, "quota")
    assert (said.code, "There is no quota in the settings." in said.out) == (0, True)
    assert [line.split()[:2] for line in said.out.splitlines()[:3]] == [
        ["DISK", "OF"],
        ["state", "ok"],
        ["outputs", "ok"],
    ]
