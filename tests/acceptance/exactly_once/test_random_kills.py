"""The loop, its workers, and in a second trial the jobs and whatever runs them, are killed at
random times.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.node import wrapper
from tests.acceptance.exactly_once.judge import (
    check_at_any_time,
    check_in_the_end,
    check_once,
    check_restarts,
    find,
)
from tests.acceptance.exactly_once.laboratory import make_project, write_runs
from tests.acceptance.exactly_once.loops import PATIENCE_S, children, finish, kill, loop

if TYPE_CHECKING:
    from collections.abc import Callable

KILLS, KILLS_OF_ALL = 40, 10
LONG = 10
SHORTEST_S, LONGEST_S = 0.1, 1.4
LOOK_EVERY = 8
MOST_RETRIES = 10


def of_project(folder: Path) -> list[int]:
    """Return whatever works for this project: the loop, slots, wrappers, jobs."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and os.fsencode(folder) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill_often(
    folder: Path, kinds: dict[int, str], kills: int, choose: Callable[[int], list[int]], seed: int
) -> None:
    """Kill what ``choose`` picks for the loop's process number, at random times, while new runs
    keep arriving.
    """
    dice = random.Random(seed)
    processes = [loop(folder)]
    try:
        for number in range(1, kills + 1):
            kinds[number] = "good" if dice.random() < 0.85 else "bad"
            write_runs(folder, kinds)
            if processes[-1].poll() is not None:
                processes.append(loop(folder))
            time.sleep(dice.uniform(SHORTEST_S, LONGEST_S))
            kill(choose(processes[-1].pid))
            if number % LOOK_EVERY == 0:
                check_at_any_time(folder)
    finally:
        processes[-1].kill()
        processes[-1].wait()


@pytest.mark.timeout(2400)
def test_kills_of_the_controller(is_long: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a fixture
    """However often loop and workers are killed, each job starts once and each result is accepted
    once.
    """
    folder, kinds = make_project(tmp_path / "project"), dict[int, str]()
    dice = random.Random(7)

    def choose(pid: int) -> list[int]:
        workers = children(pid)
        chance = dice.random()
        if chance < 0.3 and workers:
            return [dice.choice(workers)]
        return [pid] if chance < 0.6 else [pid, *workers]

    kill_often(folder, kinds, KILLS * (LONG if is_long else 1), choose, seed=1)
    finish(folder)
    check_in_the_end(folder, kinds)
    check_once(folder, kinds)
    check_restarts(folder)


@pytest.mark.timeout(2400)
def test_kills_of_anything(is_long: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a fixture
    """Jobs and wrappers that are killed start again as the next attempt, and only after nothing of
    them is left.
    """
    folder, kinds = make_project(tmp_path / "project"), dict[int, str]()
    dice = random.Random(11)

    def choose(_: int) -> list[int]:
        living = [pid for pid in of_project(folder) if wrapper.start_time(pid) is not None]
        return dice.sample(living, min(len(living), dice.randint(1, 4)))

    kill_often(folder, kinds, KILLS_OF_ALL * (LONG if is_long else 1), choose, seed=2)
    finish(folder)
    for _ in range(MOST_RETRIES):
        failed = [
            task.key
            for task in find(folder).tasks
            if task.status == "failed" and task.key.workflow != "bad"
        ]
        for workflow in {key.workflow for key in failed}:
            units = ",".join(key.unit for key in failed if key.workflow == workflow)
            retry = [
                "retry",
                units,
                workflow,
                "--reason",
                "its job was killed",
                "--project",
                str(folder),
            ]
            subprocess.run(
                [sys.executable, "-m", "autoctrl.cli", *retry], check=True, timeout=PATIENCE_S
            )
        finish(folder)
        if not failed:
            break
    check_in_the_end(folder, kinds)
    check_restarts(folder)
