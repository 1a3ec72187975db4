"""The killer of processes: whatever holds a build's cookie in its environment does not outlive it.

A process that leaves the session, or ignores SIGHUP, is found all the same; one that is started
with another JENKINS_NODE_COOKIE is not.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

VARIABLE = "JENKINS_NODE_COOKIE"


def holders(cookie: str) -> list[int]:
    """Return the processes that hold a cookie, this one apart."""
    mark = f"{VARIABLE}={cookie}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is gone, or another user's
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return [pid for pid in found if pid != os.getpid() and not _is_zombie(pid)]


def _is_zombie(pid: int) -> bool:
    """Say whether a process has ended and waits for its parent alone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill(cookie: str, soft_seconds: float) -> list[int]:
    """Send SIGTERM to all that hold a cookie and, to those that stay, SIGKILL; return them."""
    found = holders(cookie)
    for pid in found:
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + soft_seconds
    left = found
    while left and time.monotonic() < deadline:
        left = holders(cookie)
        time.sleep(0.01 if left else 0)
    for pid in holders(cookie):
        _send(pid, signal.SIGKILL)
    return found


def _send(pid: int, number: int) -> None:
    with suppress(OSError):
        os.kill(pid, number)
