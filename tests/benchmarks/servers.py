"""Real servers for the figures of production services, started by ``scripts/services``."""

from __future__ import annotations

import fcntl
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

    Whoever wants the same folder meanwhile waits. Raises ``MissingError`` if it is not installed,
    ``RuntimeError`` if it does not start.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        done = _ask("start", name, folder)
        if done.returncode:
            said = done.stderr.strip().rpartition("\n")[2]
            raise (MissingError if done.returncode == LACKING else RuntimeError)(said)
        try:
            yield dict(line.split("=", 1) for line in done.stdout.splitlines())
        finally:
            _ask("stop", name, folder)


def _ask(verb: str, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, verb, name, folder],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
