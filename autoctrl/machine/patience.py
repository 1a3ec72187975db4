"""Patience with slow modules: from round to round, who is still loading, at work, or silent."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from autoctrl.machine.module_process import Message, Worker

RETRY_S = 3600.0


class Pending(NamedTuple):
    """A workflow that was asked and has not answered yet, and the process of its module."""

    worker: Worker
    workflow: str


class Silence(NamedTuple):
    """Why a module is not started again for now.

    error    what is said of it
    changed  when a file beside it was last changed, ns
    at       when it was ended, by the monotonic clock
    """

    error: str
    changed: int
    at: float


class ModulePatience:
    """Keeps the processes that outlive a round, and ends those that give no sign of life."""

    def __init__(self, limit_s: float) -> None:
        """End a module that gives no sign of life for ``limit_s``."""
        self.limit_s = limit_s
        self.slow: list[Pending] = []
        self.loading: list[Worker] = []
        self.silent: dict[Path, Silence] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a module still works for an earlier round, or is still being loaded."""
        return bool(self.slow or self.loading)

    @property
    def slow_workers(self) -> list[Worker]:
        """The processes that have not answered yet, each once."""
        return list(dict.fromkeys(pending.worker for pending in self.slow))

    def why_not_started(self, path: Path) -> str:
        """Return why a module is left alone: it was ended and has not changed since."""
        silence = self.silent.get(path)
        if silence is None:
            return ""
        is_recent = time.monotonic() - silence.at < RETRY_S
        if is_recent and silence.changed == last_change_ns(path):
            return silence.error
        del self.silent[path]
        return ""

    def end_silent(self, workers: Iterable[Worker]) -> None:
        """End those that are silent for too long; they are left alone until they change."""
        for worker in workers:
            if worker.is_over or worker.silence_s() <= self.limit_s:
                continue
            doing = "in its cycle" if is_loaded(worker) else "while it was being loaded"
            worker.kill(
                f"Workflow module {worker.label} gave no sign of life for {self.limit_s:g} s "
                f"{doing} and was ended. Look for an endless loop or a service that does not "
                "answer; it is started again when a file beside it changes, or after an hour."
            )
            self.silent[worker.path] = Silence(
                worker.error, last_change_ns(worker.path), time.monotonic()
            )

    def close(self) -> None:
        """End what is still at work for an earlier round."""
        for worker in {*self.loading, *self.slow_workers}:
            worker.kill("the rounds are over")
        self.loading, self.slow = [], []


def is_loaded(worker: Worker) -> bool:
    """Say whether the module has declared its workflows, or never will."""
    return worker.declares is not None or worker.is_over


def last_change_ns(path: Path) -> int:
    """Return when the module or a file beside it was last changed, ns."""
    return max((file.stat().st_mtime_ns for file in path.parent.glob("*.py")), default=0)


def wait_for(
    workers: Iterable[Worker], is_ready: Callable[[Worker], bool], seconds: float
) -> Iterator[Message]:
    """Yield what the workers answer until each is ready or over, for at most so many seconds; what
    is there already also without any.
    """
    deadline = time.monotonic() + seconds
    left = seconds
    waiting = _not_ready(workers, is_ready)
    while waiting:
        for worker in select.select(waiting, [], [], left)[0]:
            yield from worker.messages()
        if not left:
            return
        waiting = _not_ready(waiting, is_ready)
        left = max(0.0, deadline - time.monotonic())


def _not_ready(workers: Iterable[Worker], is_ready: Callable[[Worker], bool]) -> list[Worker]:
    return [worker for worker in workers if not worker.is_over and not is_ready(worker)]
