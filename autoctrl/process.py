"""This process: the name under which it owns leases, and its clock.

From the name others on the same machine see whether the process still lives.
"""

from __future__ import annotations

import os
import socket
import zlib
from datetime import UTC, datetime
from functools import cache

from autoctrl.node.wrapper import machine, start_time

NUMBERS = 3


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the present time, aware UTC."""
        return datetime.now(UTC)


def this_process() -> str:
    """Return ``host:pid:start:machine``: start in ticks since boot, a number for the machine."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{start_time(pid)}:{_machine()}"


def has_died(owner: str) -> bool:
    """Say whether an owner is known to be dead: a process of this very machine that is gone.

    A process number alone proves nothing: it is reused, and means something else after a boot, on
    another machine and in another container.
    """
    numbers = owner.rsplit(":", NUMBERS)[1:]
    if len(numbers) != NUMBERS or not all(number.isdecimal() for number in numbers):
        return False
    pid, start, where = map(int, numbers)
    return where == _machine() and start_time(pid) != start


def spell_owner(owner: str) -> str:
    """Return ``process 4711 on node7`` for what ``this_process`` named, else the name itself."""
    host, *numbers = owner.rsplit(":", NUMBERS)
    is_process = len(numbers) == NUMBERS and all(number.isdecimal() for number in numbers)
    return f"process {numbers[0]} on {host}" if is_process else owner


@cache
def _machine() -> int:
    return zlib.crc32(machine().encode())
