"""Real servers for the figures of production services, started by ``scripts/services``."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "scripts" / "services"
LACKING = 77
PATIENCE_S = 180


class MissingError(Exception):
    """This machine lacks the server; the text says what to do about it."""


@contextmanager
def started(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Start a server with its data in ``folder``, yield what a client needs to know, and stop it.

    Raises ``MissingError`` if it is not installed, ``RuntimeError`` if it does not start.
    """
    done = _ask("start", name, folder)
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise (MissingError if done.returncode == LACKING else RuntimeError)(said)
    try:
        yield dict(line.split("=", 1) for line in done.stdout.splitlines())
    finally:
        _ask("stop", name, folder)


def server_pid(name: str, folder: Path) -> int:
    """Return the number of the server's process."""
    said = dict(line.split("=", 1) for line in _ask("pids", name, folder).stdout.splitlines())
    return int(said["SERVER"])


def _ask(verb: str, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, verb, name, folder],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
