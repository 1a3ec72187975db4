"""The local pool: a queue of jobs and a fixed number of slots, files that controllers share.

``queue/`` holds one symbolic link for each job that is not claimed yet, named by the time of its
submission; ``slots/`` one file for each slot, locked while a process (or a job that it started) has
it.
"""

from __future__ import annotations

import os
import sys
import time
from hashlib import blake2b
from itertools import count
from typing import TYPE_CHECKING

from autoctrl.errors import ServiceDown
from autoctrl.executors.local import slot as slot_program
from autoctrl.executors.local.slot import hold
from autoctrl.node import wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FIRST_FREE_FD = 3


class Pool:
    """Queue and slots of one jobs folder.

    jobs         folder of one store's jobs
    slots        how many jobs may run at once
    environment  of the processes that serve the slots
    """

    def __init__(self, jobs: Path, slots: int, environment: Mapping[str, str]) -> None:
        self.jobs = jobs
        self.slots = slots
        self.environment = environment
        self.folder = jobs / ".pool"
        self._number = count()

    def open(self) -> None:
        """Make the folders. Raises ``OSError``."""
        for name in ("queue", "slots"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def queued(self) -> set[str]:
        """Return marks of the queued jobs, as ``mark`` makes them.

        Raises ``ServiceDown`` if nobody can tell.
        """
        try:
            return {name.rpartition("-")[2] for name in os.listdir(self.folder / "queue")}  # noqa: PTH208 - names only
        except FileNotFoundError:
            return set()
        except OSError as error:
            message = (
                f"The queue {self.folder / 'queue'} of local jobs cannot be read: {error.strerror}."
            )
            raise ServiceDown(
                message, hint="Nothing is concluded about its jobs until it can."
            ) from error

    def enqueue(self, handle: str) -> None:
        """Put a job, named with its store, at the end of the queue.

        Twice is harmless: the claim lets it start once.
        """
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(self._number)}-{mark(handle)}"
        (self.folder / "queue" / name).symlink_to(f"../../../{handle}")

    def start(self) -> None:
        """Start a process in each free slot, as far as there are queued jobs.

        Raises ``ServiceDown`` if it cannot.
        """
        waiting = len(self.queued())
        free: dict[int, int] = {}
        try:
            for number in range(self.slots if waiting else 0):
                fd = hold(str(self.folder / "slots" / str(number)))
                if fd is not None:
                    os.set_inheritable(fd, False)  # noqa: FBT003 - positional-only
                    free[number] = fd
                if len(free) == waiting:
                    break
            if free:
                self._launch(free)
        except OSError as error:
            message = f"The processes that run local jobs cannot be started: {error}."
            raise ServiceDown(message, hint=f"Look into {self.folder / 'log'}.") from error
        finally:
            for fd in free.values():
                os.close(fd)

    def _launch(self, slots: Mapping[int, int]) -> None:
        """Start the program that serves the slots; it detaches within a few milliseconds."""
        log = self.folder / "log"
        above_ours = max(FIRST_FREE_FD, *slots.values()) + 1
        inherited = dict(enumerate(slots.values(), above_ours))  # descriptors: there, here
        pairs = [f"{number}:{fd}" for number, fd in zip(slots, inherited, strict=True)]
        program = [str(slot_program.__file__), str(self.folder), str(wrapper.__file__), *pairs]
        argv = [sys.executable, "-I", "-S", "-X", "utf8", *program]
        actions = spawn_actions(str(log), inherited)
        pid = os.posix_spawn(sys.executable, argv, dict(self.environment), file_actions=actions)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
            last = log.read_text(errors="replace").strip().rpartition("\n")[2]
            message = f"The processes that run local jobs cannot be started: {last}."
            raise ServiceDown(message, hint=f"Look into {log}.")

    def busy(self) -> int:
        """Return how many slots are taken."""
        held = [hold(str(self.folder / "slots" / str(number))) for number in range(self.slots)]
        for fd in held:
            if fd is not None:
                os.close(fd)
        return held.count(None)


def spawn_actions(
    log: str, inherited: Mapping[int, int]
) -> list[tuple[int, int, str, int, int] | tuple[int, int, int]]:
    """Return what a new process does with its descriptors; ``inherited``: ours by its own."""
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, appending, 0o666),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_DUP2, fd, new_fd) for new_fd, fd in inherited.items()),
    ]


def mark(handle: str) -> str:
    """Return a short name of a job, the last part of its entry in the queue."""
    return blake2b(handle.encode(), digest_size=12).hexdigest()
