"""How much room there is on the disks that a project writes to.

A folder of outputs often lies on a network mount, so each is asked in a process of its own.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.machine.asking import LIMIT_S, Asked
from autoctrl.model.condition import ConditionKind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.machine.asking import Answer

MB = 1 << 20
STILL = "Its last question still hangs."


class Disk(NamedTuple):
    """The disk of a folder that must have room.

    what     what lies in the folder
    folder   where it is
    free     bytes that can still be written, None if that is not known
    short    why that is too little, empty if it is not
    problem  why it is not known, empty if it is, or may still be said
    """

    what: str
    folder: Path
    free: int | None
    short: str = ""
    problem: str = ""


def watched_folders(settings: Settings) -> dict[str, Path]:
    """Return the folders whose disks must have room, by what lies in them."""
    return {
        "state": settings.state_folder,
        "outputs": settings.path(settings.outputs.root),
    }


def list_disks(settings: Settings, limit_s: float = LIMIT_S) -> list[Disk]:
    """Return how much room there is now in each watched folder; all are asked side by side, and
    have ``limit_s`` seconds to answer.
    """
    rounds = DiskRounds(settings, limit_s)
    rounds.start()
    try:
        return rounds.take(is_patient=True)
    finally:
        rounds.close()


def judge_disks(disks: Iterable[Disk]) -> Iterator[Verdict]:
    """Yield a verdict on each disk, by what lies on it; none on one that may still answer."""
    for disk in disks:
        unknown = f"nobody knows how much room {disk.folder} has: {disk.problem}"
        reason = disk.short or (unknown if disk.problem else "")
        if disk.free is not None or reason:
            yield Verdict(ConditionKind.DISK, disk.what, reason)


def free_bytes(folder: Path) -> int:
    """Return how much can still be written to the disk of a folder, or of the one that will hold
    it. Raises ``OSError``. It may hang: only a child asks.
    """
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    disk = os.statvfs(there)
    return disk.f_bavail * disk.f_frsize


class DiskRounds:
    """The disks of a project from round to round: asked beside everything else."""

    def __init__(self, settings: Settings, limit_s: float = LIMIT_S) -> None:
        """Ask nobody yet."""
        self._settings, self._limit_s = settings, limit_s
        self._folders = watched_folders(settings)
        self._questions: dict[str, Asked] = {}
        self._left: dict[str, Asked] = {}

    def start(self) -> None:
        """Ask those that are not being asked; one whose last question cannot be ended is not asked
        again.
        """
        self._left = {what: left for what, left in self._left.items() if not left.has_gone()}
        for what, folder in self._folders.items():
            if what not in self._questions and what not in self._left:
                self._questions[what] = Asked(partial(free_bytes, folder), self._limit_s)

    def take(self, *, is_patient: bool) -> list[Disk]:
        """Return what is known of each by now; ``is_patient`` waits for all answers, else they are
        waited for as long as a round waits for a module.
        """
        wait_s = self._limit_s if is_patient else self._settings.cycle.patience_s
        ends = time.monotonic() + wait_s
        return [self._look(what, ends) for what in self._folders]

    def _look(self, what: str, ends: float) -> Disk:
        folder, question = self._folders[what], self._questions.get(what)
        if question is None:
            return Disk(what, folder, None, problem=STILL)
        if not question.is_over(max(0.0, ends - time.monotonic())):
            return Disk(what, folder, None)
        answer = question.finish()
        self._left[what] = self._questions.pop(what)
        return self._describe(what, folder, answer)

    def _describe(self, what: str, folder: Path, answer: Answer) -> Disk:
        if answer.value is None:
            return Disk(what, folder, None, problem=answer.problem)
        least_mb, free_mb = self._settings.cycle.least_free_mb, answer.value // MB
        reason = f"the disk of {folder} has {free_mb} MB left, less than {least_mb} MB"
        return Disk(what, folder, answer.value, reason if free_mb < least_mb else "")

    def close(self) -> None:
        """End what is still being asked."""
        for question in self._questions.values():
            question.finish()
        self._questions = {}
