"""Loops that are woken: at once, all of them, and whether or not anybody slept when it happened."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import AutoctrlError, JenkinsError, UsageError
from autoctrl.hooks.waking import KEPT, Folded, choose_wake
from autoctrl.machine.wake import Sleeper, wake_loops
from tests.acceptance.examples import blocks
from tests.acceptance.project import ask, environment
from tests.integration.hooking import PATH, a_listener, deliver, make_noting_project
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S = 60.0


def test_who_sleeps_is_woken(tmp_path: Path) -> None:
    """Each of several sleepers, by one wake-up; a later sleep is a new one."""
    sleepers = [Sleeper(tmp_path) for _ in range(3)]
    woken: list[bool] = []
    threads = [
        threading.Thread(target=lambda one=one: woken.append(one.sleep(LIMIT_S)))
        for one in sleepers
    ]
    for thread in threads:
        thread.start()
    wake_loops(tmp_path)
    for thread in threads:
        thread.join()
    assert woken == [True] * 3
    sleepers[0].prepare()
    assert not sleepers[0].sleep(0)


def test_a_wake_up_between_two_sleeps_is_not_lost(tmp_path: Path) -> None:
    """What comes while a round is made counts for the sleep after it."""
    sleeper = Sleeper(tmp_path / "state")
    assert not sleeper.sleep(0)
    sleeper.prepare()
    wake_loops(tmp_path / "state")
    assert sleeper.sleep(LIMIT_S)
    sleeper.prepare()
    for _ in range(2):  # within one tick of the file system's clock
        wake_loops(tmp_path / "state")
        assert sleeper.sleep(LIMIT_S)
        sleeper.prepare()
    assert not sleeper.sleep(0)


def test_many_wishes_are_one_more_deed() -> None:
    """Whoever asks while the deed is done has it done once more, however many ask."""
    begun, free = threading.Semaphore(0), threading.Semaphore(0)
    done: list[None] = []

    def deed() -> None:
        begun.release()
        assert free.acquire(timeout=LIMIT_S)
        done.append(None)

    folded = Folded(deed, pytest.fail)
    folded()
    assert begun.acquire(timeout=LIMIT_S)
    for _ in range(10):
        folded()
    free.release()
    assert begun.acquire(timeout=LIMIT_S)
    assert len(done) == 1
    free.release(2)
    assert not begun.acquire(timeout=0.2)
    assert len(done) == 2


@pytest.mark.parametrize(
    ("error", "asked", "told"),
    [
        (UsageError("There is none."), "discover cycle-reco cycle-dq", "cycle-reco"),
        (JenkinsError("It is disabled."), "discover cycle-reco cycle-dq", "cycle-reco"),
        (
            JenkinsError("No answer.", is_passing=True),
            "discover cycle-reco",
            "cycle-reco and cycle-dq",
        ),
    ],
)
def test_jobs_of_jenkins_are_triggered(
    tmp_path: Path, error: AutoctrlError, asked: str, told: str
) -> None:
    """Those that the settings name, in their order; one that fails is told, and stops the others
    only where Jenkins cannot be asked at all.
    """
    triggered: list[str] = []
    heard: queue.Queue[str] = queue.Queue()

    def trigger(job: str) -> None:
        triggered.append(job)
        if job == "cycle-reco":
            raise error
        if job == asked.rsplit(maxsplit=1)[-1]:
            heard.put("all were asked")

    text = "[hooks]\nwake = 'jenkins'\nwake_jobs = 'discover cycle-reco cycle-dq'\n"
    choose_wake(parse_settings(text, tmp_path, environ={}), trigger, heard.put)()
    line = heard.get(timeout=LIMIT_S)
    assert line == f"hooks: Jenkins was not asked for {told}: {error} {KEPT}"
    if not asked.endswith("cycle-reco"):
        assert heard.get(timeout=LIMIT_S) == "all were asked"
    assert triggered == asked.split()


def test_a_loop_that_cannot_be_woken_is_told_of(tmp_path: Path) -> None:
    """Where the file cannot be touched a line says so, and nothing is raised."""
    (tmp_path / ".autoctrl").write_text("in the way")
    told: list[str] = []
    choose_wake(parse_settings("", tmp_path, environ={}), pytest.fail, told.append)()
    assert told[0].startswith("hooks: the cycle was not woken: ")


@contextmanager
def a_sleeping_loop(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a loop that pauses for an hour, once it has made a round."""
    command = [sys.executable, "-m", "autoctrl.cli", "loop", "--every", "1h"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**environment(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_done(folder: Path, run: int) -> None:
    """Wait until a run is done; the test's time limit ends a wait for one that never is."""
    while True:
        listed = json.loads(ask(folder, "status", "--format", "json").out)["runs"]
        if any((one["run"], one["status"]) == (run, "done") for one in listed):
            return


def test_a_loop_is_woken_by_what_is_told(tmp_path: Path) -> None:
    """A loop that pauses for an hour processes a run as soon as it is told of, and the next one as
    well, also by the programs that the documentation shows.
    """
    folder = make_noting_project(tmp_path)
    page = "docs/howto/discover-runs.md"
    shown = {
        block.flags["file"]: block.body
        for block in blocks((ROOT / page).read_text(), page)
        if block.flags.get("file", "").startswith("tell.")
    }
    with a_sleeping_loop(folder), a_listener(folder) as listener:
        url = f"http://127.0.0.1:{listener.port}{PATH}"
        assert deliver(listener.port, {"run": 7}).status == 202
        wait_until_done(folder, 7)
        for name, program, run in (("tell.py", sys.executable, 4521), ("tell.sh", "sh", 4522)):
            (folder / name).write_text(shown[name])
            command = [program, name, url, "daq.key", *(["4521"] if run == 4521 else [])]
            done = subprocess.run(
                command,
                cwd=folder,
                env=dict(os.environ),
                capture_output=True,
                text=True,
                check=True,
            )
            assert "Taken: 1 run." in done.stdout
            wait_until_done(folder, run)
