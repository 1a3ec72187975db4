"""The loop as a person starts it, and the processes that belong to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

PATIENCE_S = 250.0


def loop(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start the loop as a person would; without options it ends when nothing is left to do."""
    chosen = options or ("--until-idle", "--every", "0.1s")
    command = [sys.executable, "-m", "autoctrl.cli", "loop", *chosen, "--project", str(folder)]
    with (folder / "loop.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def children(pid: int) -> list[int]:
    """Return the descendants of a loop that belong to the controller; what has become a slot for
    jobs does not.
    """
    found = [pid]
    for parent in found:
        try:
            below = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
            found += [
                child
                for child in below
                if b"autoctrl.cli" in Path(f"/proc/{child}/cmdline").read_bytes()
            ]
        except OSError:
            continue  # it ended while we looked
    return found[1:]


def kill(pids: list[int]) -> None:
    """Kill these processes, those that still live."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def finish(folder: Path, patience_s: float = PATIENCE_S) -> None:
    """Let an undisturbed loop do what is left."""
    process = loop(folder)
    code = process.wait(patience_s)
    assert code in {0, 1}, (folder / "loop.log").read_text()[-2000:]
