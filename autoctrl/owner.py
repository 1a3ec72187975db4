"""Owners of leases: this process by a name from which others on its machine see whether it still lives."""

from __future__ import annotations

import os
import socket

from autoctrl.wrapper import start_time

NUMBERS = 3


def this_process() -> str:
    """Return ``host:pid:start:namespace``: the start in clock ticks since boot, the namespace of process numbers."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{start_time(pid)}:{_namespace()}"


def has_died(owner: str) -> bool:
    """Say whether an owner of this boot is known to be dead: its name ends as ``this_process`` names one, now gone.

    A process number alone proves nothing: it is reused, and means something else in another container.
    """
    numbers = owner.rsplit(":", NUMBERS)[1:]
    if len(numbers) != NUMBERS or not all(number.isdecimal() for number in numbers):
        return False
    pid, start, namespace = map(int, numbers)
    return namespace == _namespace() and start_time(pid) != start


def spell_owner(owner: str) -> str:
    """Return ``process 4711 on node7`` for an owner as ``this_process`` names one, any other as it is."""
    host, *numbers = owner.rsplit(":", NUMBERS)
    is_process = len(numbers) == NUMBERS and all(number.isdecimal() for number in numbers)
    return f"process {numbers[0]} on {host}" if is_process else owner


def _namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - the kernel's, nothing that a path object would help with
