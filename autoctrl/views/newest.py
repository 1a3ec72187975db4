"""The newest of very many tasks, found without holding the others. Pure."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from autoctrl.model.unit import unit_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from autoctrl.model.task import TaskRecord

    UnitOrder = tuple[str, int, str]


def by_unit(task: TaskRecord) -> tuple[str, UnitOrder]:
    """Sort key: by workflow and unit."""
    return task.key.workflow, unit_order(task.key.unit)


def by_failure(task: TaskRecord) -> tuple[datetime, tuple[str, UnitOrder]]:
    """Sort key: by when the present status began, then as ``by_unit``."""
    return task.since or task.time, by_unit(task)


class Newest:
    """The tasks with the largest keys of those that were added, ``most`` of them at most; no two
    may have the same key.
    """

    def __init__(self, most: int, key: Callable[[TaskRecord], Any] = by_failure) -> None:
        """Hold none yet."""
        self._most, self._key = most, key
        self._heap: list[tuple[Any, TaskRecord]] = []

    def add(self, task: TaskRecord) -> None:
        """Take a task, or leave it, or let the smallest go for it."""
        entry = self._key(task), task
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def in_order(self) -> list[TaskRecord]:
        """Return them, the largest last."""
        return [task for _, task in sorted(self._heap)]
