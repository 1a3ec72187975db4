"""A handler's file as a command: one cycle of its own workflow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.project import call as call_autoctrl
from tests.integration.jobs import PATIENCE_S, until

if TYPE_CHECKING:
    from pathlib import Path

INTERRUPTED = 130
MODULE = """
import sys

from autoctrl import InlineHandler


def work(task):
    if task.run == 2:
        raise ValueError("a bad run")


handler = InlineHandler("work", work)

if __name__ == "__main__":
    sys.exit(handler())
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Return the handler's file in a project with five runs."""
    path = tmp_path / "workflows" / "work" / "handler.py"
    path.parent.mkdir(parents=True)
    path.write_text(MODULE)
    (tmp_path / "autoctrl.toml").touch()
    assert call_autoctrl(tmp_path, "runs", "add", "1-5").code == 0
    return path


def call(
    module: Path, *options: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(module), *options]
    return subprocess.run(command, cwd=folder or "/", capture_output=True, text=True, check=False)


def test_the_exit_code_tells_how_the_cycle_went(module: Path) -> None:
    """1 if something failed for good in this cycle, and 0 in the next one, which finds no more."""
    first = call(module)
    assert (first.returncode, first.stderr) == (1, "")
    assert "work: 5 born, 5 started, 5 sampled, 4 done, 1 failed" in first.stdout
    again = call(module)
    assert (again.returncode, again.stdout) == (0, "work: nothing to do (0 new, 0 processing)\n")


def test_a_cycle_that_cannot_work_ends_with_2(module: Path) -> None:
    """A wrong option, an unknown campaign, a project that is not there."""
    unknown = call(module, "--campaign", "promt")
    assert (unknown.returncode, "Did you mean 'prompt'?" in unknown.stderr) == (2, True)
    assert call(module, "--nonsense").returncode == 2
    elsewhere = call(module, "--project", "/")
    assert (elsewhere.returncode, "autoctrl init" in elsewhere.stderr) == (2, True)


def test_a_script_works_for_its_own_workflow_alone(module: Path) -> None:
    """Whatever the folder that it is called in, and with the options of the cycle."""
    said = json.loads(call(module, "--format", "json", folder=module.parent).stdout)
    assert [one["workflow"] for one in said["workflows"]] == ["work"]
    assert said["workflows"][0]["actions"]["fail"] == 1


SLOW = """
import sys
import time
from pathlib import Path

from autoctrl import InlineHandler

HERE = Path(__file__).parent


def work(task):
    if not (HERE / "quick").exists():
        (HERE / "begun").touch()
        time.sleep(600)


handler = InlineHandler("work", work)

if __name__ == "__main__":
    sys.exit(handler())
"""


def test_a_script_can_be_interrupted_and_called_again(module: Path) -> None:
    """Ctrl-C ends the script as it ends a cycle; the next call begins where that was."""
    module.write_text(SLOW)
    (module.parents[2] / "autoctrl.toml").write_text("[defaults]\nback_off_s = 0\n")
    command = [sys.executable, str(module)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as script:
        until((module.parent / "begun").exists)
        os.killpg(script.pid, signal.SIGINT)
        said = script.communicate(timeout=PATIENCE_S)
    assert script.returncode == INTERRUPTED
    assert "Traceback" not in "".join(said)
    (module.parent / "quick").touch()
    done = [call(module) for _ in range(2)]  # what was interrupted is tried again
    assert [one.returncode for one in done] == [0, 0]
    assert "(0 new, 0 processing)" in done[-1].stdout


def test_a_script_reports_as_the_cycle_does(module: Path, tmp_path: Path) -> None:
    """Its options are those of the cycle: a JUnit file lies where the script was called."""
    done = call(module, "--junit", "build/work.xml", folder=tmp_path)
    (suite,) = ET.parse(tmp_path / "build" / "work.xml").getroot()  # noqa: S314 - our own
    assert (done.returncode, suite.get("name"), suite.get("failures")) == (1, "work", "1")
