"""Two loops for one campaign, two projects on one schedd: each keeps to its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.job import JobRecord
from tests.acceptance.exactly_once.judge import check_in_the_end, check_restarts, find
from tests.acceptance.exactly_once.laboratory import read_ledger, write_runs
from tests.acceptance.exactly_once.loops import children, finish, kill, loop
from tests.integration.jobs import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.production.pair import Pair

PATIENCE_S = 600.0
STUCK = "prompt/stuck/9/v1/0.1"


def autoctrl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call a verb as a person would."""
    command = [sys.executable, "-m", "autoctrl.cli", *words, "--project", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def has_started(folder: Path, tag: str) -> bool:
    return any(line.word == "start" and line.tag == tag for line in read_ledger(folder))


@pytest.mark.timeout(1800)
def test_two_loops_for_one_campaign(pair: Pair) -> None:
    """The second loop says who works until when, and does nothing; once the first is killed, it
    takes over.
    """
    folder = pair.project(("split", "follow"))
    write_runs(folder, {1: "good"})
    first = loop(folder, "--every", "0.2s")
    try:
        until(lambda: has_started(folder, "prompt/split/1/v1/0.1"), "the first job")
        second = autoctrl(folder, "loop", "--until-idle")
        assert second.returncode == 2
        assert second.stdout == ""
        assert re.search(
            rf"held by process {first.pid} on \S+ until \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
            second.stderr,
        )
        until(
            lambda: has_started(folder, "prompt/split/1/v1/merge.1"), "the merge, by the first one"
        )
    finally:
        kill([first.pid, *children(first.pid)])
        first.wait()
    write_runs(folder, {1: "good", 2: "good"})
    finish(folder, PATIENCE_S)
    check_in_the_end(folder, {1: "good", 2: "good"}, without=("call",))
    check_restarts(folder)


@pytest.mark.timeout(1800)
def test_two_projects_on_one_schedd(pair: Pair) -> None:
    """Two projects with equal names of everything neither see nor remove nor adopt each other's
    jobs.
    """
    kinds = {1: "good", 9: "stuck"}
    ours, theirs = folders = [
        pair.project(("split", "follow", "stuck"), verb_wait_s=20) for _ in range(2)
    ]
    for folder in folders:
        write_runs(folder, kinds)
    loops = {folder: loop(folder) for folder in folders}
    try:
        for folder in folders:
            until(lambda folder=folder: has_started(folder, STUCK), "the stuck job")  # type: ignore[misc]
        fail(theirs)
        assert loops[theirs].wait(PATIENCE_S) == 1
        assert loops[ours].poll() is None, "it has nothing to do any more"
        (job,) = jobs_of_stuck(ours)
        assert job["status"] == "running", "somebody else's job was removed"
        fail(ours)
        assert loops[ours].wait(PATIENCE_S) == 1
    finally:
        for process in loops.values():
            kill([process.pid, *children(process.pid)])
            process.wait()
    for folder in folders:
        check_in_the_end(folder, kinds, without=("call",))
        check_restarts(folder)
    found = [
        [record for record in find(folder).records if isinstance(record, JobRecord)]
        for folder in folders
    ]
    handles = [{job.handle for job in jobs if job.handle} for jobs in found]
    assert all(handles)
    assert not handles[0] & handles[1]


def fail(folder: Path) -> None:
    done = autoctrl(folder, "fail", "9", "stuck", "--reason", "it hangs")
    assert done.returncode == 0, done.stderr


def jobs_of_stuck(folder: Path) -> list[Any]:
    content = json.loads(autoctrl(folder, "jobs", "9", "stuck", "--format", "json").stdout)
    return list(content["jobs"])
