"""A handler's script in a build of Jenkins, which kills whatever the build has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.project import call as call_autoctrl
from tests.integration.jobs import LEDGER, ONCE, ROOT, WAIT, ledger_of, until

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = """
import sys

from autoctrl import BatchHandler

handler = BatchHandler("work", run_line="sh {folder}/job.sh")

if __name__ == "__main__":
    sys.exit(handler())
"""


class Build:
    """A build: its processes are known by its cookie in their environment."""

    def __init__(self, project: Path, number: int) -> None:
        self.project, self.cookie = project, f"JENKINS_NODE_COOKIE=autoctrl-{os.getpid()}-{number}"
        own = ("JENKINS_SERVER_COOKIE=durable-1", "BUILD_ID=1", "WORKSPACE=/", self.cookie)
        variables = dict(pair.split("=", 1) for pair in own)
        home = {"AUTOCTRL_HOME": str(project), "PYTHONPATH": str(ROOT)}
        self.environment = {**os.environ, **variables, **home}
        self.command = [sys.executable, str(project / "workflows" / "work" / "handler.py")]

    def start(self) -> subprocess.Popen[bytes]:
        """Begin the build's only step."""
        return subprocess.Popen(self.command, env=self.environment, stdout=subprocess.DEVNULL)

    def run(self) -> str:
        """Make the build to its end, and return what its step printed."""
        done = subprocess.run(
            self.command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self) -> int:
        """Kill all that belongs to the build, as Jenkins does; return how many processes."""
        found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.has(pid)]  # noqa: PTH208 - names only
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def has(self, pid: int) -> bool:
        """Say whether a process has the cookie in its environment."""
        with suppress(OSError):
            return self.cookie.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with one run, whose job goes on when it is told to."""
    folder = tmp_path / "workflows" / "work"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text(MODULE)
    wait = WAIT.replace("-e go", f"-e {tmp_path / 'go'}")
    (folder / "job.sh").write_text(LEDGER.format(tmp_path / "ledger", wait))
    (tmp_path / "autoctrl.toml").touch()
    assert call_autoctrl(tmp_path, "runs", "add", "1").code == 0
    return tmp_path


def let_it_end(project: Path) -> None:
    """Let the job go on; further builds take in what it made. It must have run once."""
    (project / "go").touch()
    numbers = iter(range(1, 10**6))
    until(lambda: "(0 new, 0 processing)" in Build(project, next(numbers)).run())
    assert list(ledger_of(project / "ledger").values()) == [ONCE]
    history = call_autoctrl(project, "history", "1", "work").out
    assert "done" in history
    assert "job 0.2" not in history


def test_a_job_survives_the_end_of_the_build_that_submitted_it(project: Path) -> None:
    """Jenkins kills what a build leaves behind by the cookie in its environment; a job has none."""
    build = Build(project, 0)
    build.run()
    ledger = project / "ledger"
    until(lambda: ledger.exists() and ledger_of(ledger))
    assert build.kill() == 0
    assert list(ledger_of(ledger).values()) == [ONCE[:1]]
    let_it_end(project)


SIGNS: dict[str, Callable[[Path], bool]] = {
    "the cycle has begun": lambda project: (project / ".autoctrl" / "jobs").exists(),
    "the job is described": lambda project: any(
        "spec.json" in files for _, _, files in os.walk(project / ".autoctrl")
    ),
    "the job has started": lambda project: (project / "ledger").exists(),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_a_build_that_is_aborted_changes_nothing(project: Path, sign: str) -> None:
    """Whatever its cycle was about, the next build goes on from there."""
    build = Build(project, 0)
    with build.start() as script:
        while script.poll() is None and not SIGNS[sign](project):
            pass
        build.kill()
        script.wait()
    until(lambda: not build.kill(), "the end of what was killed")
    let_it_end(project)
