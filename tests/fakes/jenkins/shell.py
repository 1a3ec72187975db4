"""``sh``: a process in the workspace with the environment of a build, which its abortion kills."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from tests.fakes.jenkins import killer
from tests.fakes.jenkins.running import ShellLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.jenkins.running import Run

POLL_S = 0.02


class Wish(NamedTuple):
    """What ``sh`` is asked for.

    script       the lines
    environment  what is added to the build's variables
    secrets      the values among them that must not be shown
    directory    where it runs
    stage        the stage, or the condition of ``post`` after it
    seconds      how long it may take in real time
    captures     whether its output is returned instead of shown
    can_abort    whether it ends with the build's abortion; what ``post`` does after it does not
    """

    script: str
    environment: Mapping[str, str]
    directory: Path
    secrets: frozenset[str] = frozenset()
    stage: str = ""
    seconds: float | None = None
    captures: bool = False
    can_abort: bool = True


class Done(NamedTuple):
    """What came of it; ``stopped`` says why it was stopped."""

    status: int
    output: str = ""
    stopped: str = ""


def execute(run: Run, wish: Wish) -> Done:
    """Run the lines by ``sh -xe``, or by their own interpreter, until the process ends."""
    if wish.can_abort and run.aborted.is_set():
        return Done(143, stopped="the build was aborted")
    run.secrets |= wish.secrets
    temporary = Path(f"{run.workspace}@tmp")
    temporary.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=temporary, prefix="durable-") as folder:
        script = Path(folder) / "script.sh"
        script.write_text(wish.script)
        script.chmod(0o700)
        command = [str(script)] if wish.script.startswith("#!") else ["sh", "-xe", str(script)]
        process = subprocess.Popen(
            command,
            cwd=wish.directory,
            env={**run.environment, **wish.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if wish.captures else subprocess.STDOUT,
            start_new_session=True,
        )
        done = _follow(run, wish, process)
    environment = {**run.environment, **wish.environment}
    run.record(ShellLine(wish.script, environment, wish.stage, done.status, done.output))
    return done


def _follow(run: Run, wish: Wish, process: subprocess.Popen[bytes]) -> Done:
    """Show what a process says until it ends; children that hold its output are not waited for."""
    captured: list[bytes] = []
    deadline = None if wish.seconds is None else time.monotonic() + wish.seconds
    stopped = ""
    with process, selectors.DefaultSelector() as selector:
        assert process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ, wish.captures)
        if process.stderr is not None:
            selector.register(process.stderr, selectors.EVENT_READ, False)  # noqa: FBT003 - data
        shown = _Lines(run)
        while selector.get_map():
            events = selector.select(POLL_S)
            for key, _ in events:
                stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                chunk = os.read(stream.fileno(), 65_536)
                if not chunk:
                    selector.unregister(stream)
                elif key.data:
                    captured.append(chunk)
                else:
                    shown.add(chunk)
            stopped = stopped or _stop(run, wish, deadline)
            if not events and process.poll() is not None:
                break
        shown.end()
        process.wait()
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return Done(status, b"".join(captured).decode("utf-8", "replace"), stopped)


def _stop(run: Run, wish: Wish, deadline: float | None) -> str:
    """Kill the processes of a build that is aborted or takes too long; say which."""
    reason = ""
    if wish.can_abort and run.aborted.is_set():
        reason = "the build was aborted"
    elif deadline is not None and time.monotonic() > deadline:
        reason = "Timeout has been exceeded"
    if reason:
        killer.kill(run.cookie, run.soft_kill_seconds)
    return reason


class _Lines:
    """Writes whole lines to a console, so that no secret is cut in two."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rest = b""

    def add(self, chunk: bytes) -> None:
        """Write the lines that are whole."""
        whole, newline, self.rest = (self.rest + chunk).rpartition(b"\n")
        self.run.write((whole + newline).decode("utf-8", "replace"))

    def end(self) -> None:
        """Write what is left."""
        self.run.write(self.rest.decode("utf-8", "replace"))
        self.rest = b""
