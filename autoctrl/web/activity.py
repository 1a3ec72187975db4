"""How many tasks there are, by campaign, workflow and status."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.campaign import read_campaign
from autoctrl.model.status import OPEN_TASKS, TaskStatus
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.ports import Clock, Store

SHORTEST = timedelta(seconds=60)
COST_FACTOR = 100
UNFINISHED = tuple(status for status in TaskStatus if status is not TaskStatus.DONE)
NEVER = datetime.min.replace(tzinfo=UTC)

Place = tuple[str, str]  # campaign and workflow


class Counts(NamedTuple):
    """How many tasks there are.

    tasks   number of tasks by campaign, workflow and status
    oldest  since when the oldest open task of each campaign and workflow stands where it stands
    paused  campaigns and workflows that are paused
    """

    tasks: Mapping[tuple[Place, TaskStatus], int]
    oldest: Mapping[Place, datetime]
    paused: frozenset[Place]


class Tally:
    """Counts tasks: those that are not done afresh each time, done ones only so often that it takes
    1 % of the time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Count nothing until it is asked."""
        self._store, self._clock, self._lock = store, clock, Lock()
        self._done: Counter[Place] = Counter()
        self._again = NEVER

    def count(self) -> Counts:
        """Return the counts of all campaigns that are not closed. Raises ``StoreError``."""
        store = self._store
        campaigns = [
            mark.name for mark in store.marks("campaign") if not read_campaign(mark).closed
        ]
        marks = [mark for mark in store.marks("workflow") if mark.campaign in campaigns]
        places = [(mark.campaign, mark.name) for mark in marks]
        tasks: Counter[tuple[Place, TaskStatus]] = Counter()
        tasks.update({(place, status): 0 for place in places for status in TaskStatus})
        oldest: dict[Place, datetime] = {}
        for campaign in campaigns:
            for task in store.tasks(Selection(campaign, None, None, UNFINISHED)):
                place = (campaign, task.key.workflow)
                tasks[place, task.status] += 1
                if task.status in OPEN_TASKS:
                    oldest[place] = min(oldest.get(place, task.time), task.since or task.time)
        for place, number in self._count_done(campaigns).items():
            tasks[place, TaskStatus.DONE] = number
        paused = {
            (mark.campaign, mark.name) for mark in store.marks("pause") if mark.values.get("paused")
        }
        return Counts(tasks, oldest, frozenset(paused))

    def _count_done(self, campaigns: Iterable[str]) -> Counter[Place]:
        with self._lock:
            began = self._clock.now()
            if began >= self._again:
                done: Counter[Place] = Counter()
                for campaign in campaigns:
                    tasks = self._store.tasks(Selection(campaign, None, None, (TaskStatus.DONE,)))
                    done.update((campaign, task.key.workflow) for task in tasks)
                ended = self._clock.now()
                self._done, self._again = done, ended + max(SHORTEST, (ended - began) * COST_FACTOR)
            return self._done
