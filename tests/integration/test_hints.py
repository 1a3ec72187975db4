"""Hints from a worker node reach people through a bucket of their own, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError
from autoctrl.model.unit import TaskKey
from autoctrl.node import hint
from autoctrl.stores.influx.hints import read_hints
from tests.acceptance.project import call, make_project

if TYPE_CHECKING:
    from tests.services import Influx

TASK = TaskKey("prompt", "reco", "fill:8222")
TAG = "ab12/prompt/reco/fill-8222/v1"


class Node:
    """A worker node that has a token for the bucket of hints alone."""

    def __init__(self, influx: Influx, folder: Path) -> None:
        self.influx = influx
        self.bucket = influx.fresh_bucket()
        self.token_file = folder / "token"
        self.token_file.write_text(influx.limited_token(self.bucket))
        place = influx.url.removeprefix("http:")
        self.url = f"influxdb:{place}/{influx.org}/{self.bucket}"

    def say(self, tag: str, *words: str) -> str:
        """Let a job give a hint; return what it found in its log."""
        known = {hint.URL: self.url, hint.TOKEN_FILE: str(self.token_file), hint.TAG: tag}
        command = [sys.executable, "-I", str(Path(hint.__file__)), *words]
        done = subprocess.run(
            command, env=os.environ | known, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stderr

    def read(self) -> list[tuple[str, int, str, dict[str, float | str]]]:
        found = read_hints(f"{self.url}?token_file={self.token_file}", "ab12", TASK)
        return [(one.job, one.attempt, one.status, dict(one.values)) for one in found]


@pytest.fixture(params=["influxdb1", "influxdb2"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Node:
    return Node(request.getfixturevalue(request.param), tmp_path)


def test_the_newest_hint_of_every_attempt_is_read(node: Node) -> None:
    """What a job says last stands for it; other tasks' jobs and other stores' are not asked for."""
    assert node.read() == []
    assert node.say(f"{TAG}/0.1", "status=reading", "progress=0.1") == ""
    assert node.say(f"{TAG}/0.1", 'status=fitting "peak"', "progress=0.5", "stage=two") == ""
    assert node.say(f"{TAG}/merge.2", "status=merging") == ""
    assert node.say(f"{TAG.replace('8222', '8223')}/0.1", "status=another task") == ""
    assert node.say(f"{TAG.replace('ab12', 'cd34')}/0.1", "status=another store") == ""
    assert node.read() == [
        ("merge", 2, "merging", {}),
        ("0", 1, 'fitting "peak"', {"progress": 0.5, "stage": "two"}),
    ]


def test_a_conflict_of_types_is_told_to_the_job(node: Node) -> None:
    """A field that was a number cannot become a text; the job finds that in its log, and what was
    said stays.
    """
    node.say(f"{TAG}/0.1", "progress=0.5")
    assert "not kept" in node.say(f"{TAG}/0.1", "progress=half")
    assert node.read() == [("0", 1, "", {"progress": 0.5})]


def test_a_token_that_may_only_write_serves_the_jobs_alone(node: Node) -> None:
    """Jobs say what they have to say; whoever asks learns which right is missing."""
    node.token_file.write_text(node.influx.limited_token(node.bucket, "write"))
    assert node.say(f"{TAG}/0.1", "progress=0.5") == ""
    with pytest.raises(StoreError, match=r"token that may read it|that may read it too"):
        node.read()


@pytest.mark.parametrize("token_file", [".", "nowhere"])
def test_a_folder_does_not_travel_as_a_token(tmp_path: Path, token_file: str) -> None:
    """Where the token's file is none, no job is described, and that is told; the task waits."""
    folder = make_project(tmp_path / "project")
    given = {
        "AUTOCTRL_HINTS_URL": "influxdb://127.0.0.1:9/o/b",
        "AUTOCTRL_HINTS_TOKEN_FILE": token_file,
    }
    assert call(folder, "runs", "add", "1", "--set", "kind=physics", **given).code == 0
    said = call(folder, "cycle", "--workflow", "reco", **given)
    assert said.code == 2
    assert "The token for hints, which travels with the jobs, is not a file:" in said.out + said.err
    assert call(folder, "loop", "--until-idle", "--workflow", "reco").code == 0


def test_a_bucket_that_cannot_be_read_is_named(node: Node) -> None:
    """Whoever asks for hints learns that the token is wrong."""
    node.token_file.write_text("somebody:else")
    with pytest.raises(StoreError, match="refuses the token"):
        node.read()
