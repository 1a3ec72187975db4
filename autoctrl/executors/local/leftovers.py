"""Processes of a job whose wrapper is gone: found, and ended, because they are ours."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.node.wrapper import machine, start_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    ClaimFile = Mapping[str, Any]


def is_here(claim: ClaimFile) -> bool:
    """Say whether the claim's process numbers mean something here: same boot, same container."""
    return bool(claim["machine"] == machine())


def is_wrapper_alive(claim: ClaimFile) -> bool:
    """Say whether the very process that claimed the job still runs."""
    return bool(start_time(claim["pid"]) == claim["pid_start"])


def find(claim: ClaimFile) -> list[int]:
    """Return the living processes of a job: of its group or session, or with its tag."""
    variable = f"AUTOCTRL_TAG={claim['tag']}".encode()
    is_number_reused = start_time(claim["group"]) not in {None, claim["group_start"]}
    group = None if is_number_reused else claim["group"]
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - names only
    return [
        pid
        for pid in pids
        if pid != os.getpid() and _belongs(pid, group, variable, claim["pid_start"])
    ]


def _belongs(pid: int, group: int | None, variable: bytes, since: int) -> bool:
    began = start_time(pid)
    if began is None or began < since:
        return False
    try:
        if group is not None and group in {os.getpgid(pid), os.getsid(pid)}:
            return True
        return variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False  # it ended while we looked, or is somebody else's


def end(claim: ClaimFile) -> bool:
    """Kill what is left of a job; say whether there was anything."""
    found = find(claim)
    for pid in found:
        _send(pid, signal.SIGKILL)
    return bool(found)


def ask_to_stop(claim: ClaimFile) -> None:
    """Send SIGTERM to the wrapper, and to no process that took its number; it ends its job."""
    try:
        fd = os.pidfd_open(claim["pid"])
    except OSError:
        return
    try:
        if is_wrapper_alive(claim):
            signal.pidfd_send_signal(fd, signal.SIGTERM)
    except ProcessLookupError:
        return
    finally:
        os.close(fd)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
