"""How many tasks there are, and when the last cycles were."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.freshness import find_tasks
from autoctrl.model.campaign import read_campaign
from autoctrl.model.names import workflow_lease
from autoctrl.model.staleness import is_stale, upstream_versions
from autoctrl.model.status import OPEN_TASKS, TaskStatus
from autoctrl.model.workflow import WORKFLOW
from autoctrl.pauses import list_pauses
from autoctrl.ports import Selection
from autoctrl.views.totals import UNFINISHED, DoneTasks, count_done

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Clock, Heartbeat, Store

SHORTEST = timedelta(seconds=60)
COST_FACTOR = 100
AT_ONCE = 2000
NONE = DoneTasks(0, 0, 0)
NEVER = datetime.min.replace(tzinfo=UTC)


class WorkflowKey(NamedTuple):
    """A workflow of one campaign."""

    campaign: str
    workflow: str


class TaskCounts(NamedTuple):
    """How many tasks there are.

    tasks   number of tasks by workflow of a campaign and status
    oldest  since when the oldest open task of each workflow stands where it stands
    paused  workflows that are paused
    """

    tasks: Mapping[tuple[WorkflowKey, TaskStatus], int]
    oldest: Mapping[WorkflowKey, datetime]
    paused: frozenset[WorkflowKey]


class TaskCounter:
    """Counts tasks: those that are not done afresh each time, done ones only so often that it takes
    1 % of the time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Count nothing until it is asked."""
        self._store, self._clock, self._lock = store, clock, Lock()
        self._done: Mapping[tuple[str, str], DoneTasks] = {}
        self._again = NEVER

    def count(self) -> TaskCounts:
        """Return the counts of all campaigns that are not closed. Raises ``StoreError``."""
        campaigns = open_campaigns(self._store)
        tasks: Counter[tuple[WorkflowKey, TaskStatus]] = Counter()
        for workflow in list_workflows(self._store, campaigns):
            tasks.update({(workflow, status): 0 for status in TaskStatus})
        oldest: dict[WorkflowKey, datetime] = {}
        for task in self._unfinished(campaigns):
            workflow = WorkflowKey(task.key.campaign, task.key.workflow)
            tasks[workflow, task.status] += 1
            if task.status in OPEN_TASKS:
                since = task.since or task.time
                oldest[workflow] = min(oldest.get(workflow, since), since)
        for place, done in self._count_done(campaigns).items():
            tasks[WorkflowKey(*place), TaskStatus.DONE] = done.number
        return TaskCounts(tasks, oldest, paused_workflows(self._store))

    def _unfinished(self, campaigns: Iterable[str]) -> Iterable[TaskRecord]:
        for campaign in campaigns:
            yield from self._store.each_task(Selection(campaign, None, None, UNFINISHED))

    def known_done(self) -> Mapping[tuple[str, str], DoneTasks] | None:
        """Return what was counted last of done tasks, by campaign and workflow; None if that was
        never done.
        """
        return None if self._again == NEVER else self._done

    def _count_done(self, campaigns: Iterable[str]) -> Mapping[tuple[str, str], DoneTasks]:
        with self._lock:
            began = self._clock.now()
            if began >= self._again:
                self._done = self._look_at_done(campaigns)
                ended = self._clock.now()
                self._again = ended + max(SHORTEST, (ended - began) * COST_FACTOR)
            return self._done

    def _look_at_done(self, campaigns: Iterable[str]) -> dict[tuple[str, str], DoneTasks]:
        """Count done tasks, some at a time; whatever they read is looked up for those."""
        found: dict[tuple[str, str], DoneTasks] = {}
        selections = (Selection(name, None, None, (TaskStatus.DONE,)) for name in campaigns)
        tasks = chain.from_iterable(map(self._store.each_task, selections))
        while some := [*islice(tasks, AT_ONCE)]:
            upstream = {key for task in some for key in upstream_versions(task)}
            newest = find_tasks(self._store, upstream)
            stale = {task.key for task in some if is_stale(task, newest)}
            for place, counted in count_done(some, stale).items():
                before = found.get(place, NONE)
                found[place] = DoneTasks(*map(sum, zip(before, counted, strict=True)))
        return found


def list_heartbeats(store: Store, campaigns: Iterable[str]) -> list[Heartbeat]:
    """Return the heartbeats of these campaigns, the newest first."""
    known = store.heartbeats()
    found = [known[name] for name in campaigns if name in known]
    return sorted(found, key=lambda one: one.time, reverse=True)


def count_leases(store: Store, campaigns: Iterable[str]) -> dict[str, int]:
    """Return how often the lease of each workflow of these campaigns was taken, by its name."""
    held = store.leases()
    names = [workflow_lease(*key) for key in list_workflows(store, campaigns)]
    return {name: held[name].epoch if name in held else 0 for name in names}


def open_campaigns(store: Store) -> list[str]:
    """Return the names of the campaigns that are not closed."""
    return [mark.name for mark in store.marks("campaign") if not read_campaign(mark).closed]


def list_workflows(store: Store, campaigns: Iterable[str]) -> list[WorkflowKey]:
    """Return the workflows that made a cycle in one of these campaigns."""
    wanted = frozenset(campaigns)
    marks = store.marks(WORKFLOW)
    return [WorkflowKey(mark.campaign, mark.name) for mark in marks if mark.campaign in wanted]


def paused_workflows(store: Store) -> frozenset[WorkflowKey]:
    """Return the workflows that are paused."""
    return frozenset(WorkflowKey(mark.campaign, mark.name) for mark in list_pauses(store))
