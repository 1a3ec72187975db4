"""The wrapper, or the process that is to become the job, is killed at every step, while the machine
goes on.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.machine import loop
from autoctrl.node import wrapper
from tests.acceptance.exactly_once.judge import (
    check_at_any_time,
    check_in_the_end,
    check_restarts,
    find,
)
from tests.acceptance.exactly_once.laboratory import make_project, read_ledger, write_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 250.0
# Stands in the wrapper's place: that of run N kills itself once, before its N-th change of the
# world; from run 1001 on the process that is to become the job does. Run 999 dies nowhere and
# counts both.
HOOK = """
import importlib.util, json, os, signal, sys
spec = importlib.util.spec_from_file_location("real", {wrapper!r})
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
CHANGES = {{"open", "write", "fsync", "link", "unlink", "rename", "mkdir", "flock", "close", "dup2",
            "setsid", "fork", "kill", "killpg", "wait4", "chdir", "execvpe", "execve", "pipe"}}
def run(folder):
    *_, unit, version, attempt = folder.split("/")
    number = int(unit)
    mark = "{folder}/killed-" + unit
    if attempt != "0.1" or os.path.exists(mark):
        return real.run(folder)
    me, counts = os.getpid(), {{"wrapper": 0, "child": 0}}
    def watch(frame, event, function):
        if event != "c_call" or getattr(function, "__name__", "") not in CHANGES:
            return
        role = "wrapper" if os.getpid() == me else "child"
        counts[role] += 1
        point = ("wrapper", number) if number < 1000 else ("child", number - 1000)
        if (role, counts[role]) == point:
            try:
                os.mkdir(mark)
            except FileExistsError:
                return  # another start of this attempt, at the same time, has died of it
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 999 and role == "child":
            sys.setprofile(None)
            with open("{folder}/child", "w") as file:
                file.write(str(counts["child"]))
            sys.setprofile(watch)
    sys.setprofile(watch)
    try:
        return real.run(folder)
    finally:
        sys.setprofile(None)
        if number == 999:
            with open("{folder}/wrapper", "w") as file:
                file.write(str(counts["wrapper"]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Make a project whose wrapper is the hook, as long as the test runs."""
    folder = make_project(tmp_path / "project", ["long"])
    (tmp_path / "hook").mkdir()
    hook = tmp_path / "hook" / "wrapper.py"
    hook.write_text(HOOK.format(wrapper=str(wrapper.__file__), folder=tmp_path / "hook"))
    real, wrapper.__file__ = wrapper.__file__, str(hook)
    yield folder
    wrapper.__file__ = real


def work(folder: Path) -> None:
    """Make rounds until nothing is left to do."""
    with Project(load_settings(folder)) as project:
        loop.loop(project, "prompt", every_s=0.05, until_idle=True)


def test_kills_of_wrapper_and_child(project: Path) -> None:
    """Whichever step wrapper or child is killed before, the job ends once, and each attempt started
    at most once.
    """
    write_runs(project, {999: "long"})
    work(project)
    counts = {
        role: int((project.parent / "hook" / role).read_text()) for role in ("wrapper", "child")
    }
    assert min(counts.values()) >= 5
    numbers = [*range(1, counts["wrapper"] + 1), 999, *range(1001, 1001 + counts["child"])]
    kinds = dict.fromkeys(numbers, "long")
    write_runs(project, kinds)
    work(project)
    restarted = {
        line.tag.split("/")[2] for line in read_ledger(project) if line.tag.endswith("/0.2")
    }
    assert len(restarted) >= 5, "killed wrappers are followed by another attempt"
    check_at_any_time(project)
    failed = [task for task in find(project).tasks if task.status == "failed"]
    assert [task.reason for task in failed if "signal 9" not in task.reason] == []
    units = ",".join(task.key.unit for task in failed)
    words = [
        "retry",
        units,
        "long",
        "--reason",
        "their processes were killed",
        "--project",
        str(project),
    ]
    subprocess.run([sys.executable, "-m", "autoctrl.cli", *words], check=True, timeout=PATIENCE_S)
    work(project)
    check_in_the_end(project, kinds)
    check_restarts(project)
