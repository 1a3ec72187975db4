"""Wakes the loops of a project from another process, and sleeps until one is woken.

What wakes is the time of an empty file, at which whoever sleeps looks now and then. Nobody need
listen, any number may, and one that is killed leaves nothing behind.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from autoctrl.model.names import WAKE_FILE

if TYPE_CHECKING:
    from pathlib import Path

LOOK_EVERY_S = 0.2


def wake_loops(state: Path) -> None:
    """Let every loop of the project whose state folder this is begin a round at once.

    Raises ``OSError``.
    """
    state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / WAKE_FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        now_ns = time.time_ns()  # finer than the clock by which a file system stamps
        os.utime(descriptor, ns=(now_ns, now_ns))
    finally:
        os.close(descriptor)


class Sleeper:
    """One who sleeps until a time has passed, or somebody wakes it."""

    def __init__(self, state: Path) -> None:
        """Sleep in the project whose state folder this is."""
        self._path = state / WAKE_FILE
        self.prepare()

    def prepare(self) -> None:
        """Let what wakes from now on, though nobody sleeps yet, count for the next sleep."""
        self._heard_ns = self._newest_ns()

    def sleep(self, seconds: float) -> bool:
        """Sleep for so long; say whether it was woken."""
        ends = time.monotonic() + seconds
        while self._newest_ns() == self._heard_ns:
            left = ends - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, LOOK_EVERY_S))
        return True

    def _newest_ns(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
