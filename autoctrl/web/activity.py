"""How many tasks there are, and whether anything moves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.campaign import read_campaign
from autoctrl.model.names import loop_lease, workflow_lease
from autoctrl.model.status import OPEN_TASKS, TaskStatus
from autoctrl.model.workflow import WORKFLOW
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Clock, Lease, Store

SHORTEST = timedelta(seconds=60)
COST_FACTOR = 100
UNFINISHED = tuple(status for status in TaskStatus if status is not TaskStatus.DONE)
NEVER = datetime.min.replace(tzinfo=UTC)
LOOK_AGAIN_S = 2.0


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
        self._done: Counter[WorkflowKey] = Counter()
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
        for workflow, number in self._count_done(campaigns).items():
            tasks[workflow, TaskStatus.DONE] = number
        return TaskCounts(tasks, oldest, paused_workflows(self._store))

    def _unfinished(self, campaigns: Iterable[str]) -> Iterable[TaskRecord]:
        for campaign in campaigns:
            yield from self._store.tasks(Selection(campaign, None, None, UNFINISHED))

    def _count_done(self, campaigns: Iterable[str]) -> Counter[WorkflowKey]:
        with self._lock:
            began = self._clock.now()
            if began >= self._again:
                done: Counter[WorkflowKey] = Counter()
                for campaign in campaigns:
                    tasks = self._store.tasks(Selection(campaign, None, None, (TaskStatus.DONE,)))
                    done.update(WorkflowKey(campaign, task.key.workflow) for task in tasks)
                ended = self._clock.now()
                self._done, self._again = done, ended + max(SHORTEST, (ended - began) * COST_FACTOR)
            return self._done


class LeaseActivity(NamedTuple):
    """What is known of the leases.

    since   when we began to watch
    newest  when we last saw that a lease had been taken or a loop was alive, None if never
    epochs  how often each lease was taken, by its name
    """

    since: datetime
    newest: datetime | None
    epochs: dict[str, int]


class LeaseWatch:
    """Looks at the epochs of the leases, which every cycle that moves something and every verb
    raises, and at the leases of loops, which last while a loop lives.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Begin to watch; the first look only says how things stand."""
        self._store, self._clock = store, clock
        self._lock = Lock()
        self._looked: datetime | None = None
        self._known = LeaseActivity(clock.now(), None, {})

    def look(self) -> LeaseActivity:
        """Return what is known now; asks the store unless that was just done.

        Raises ``StoreError``.
        """
        with self._lock:
            now = self._clock.now()
            if self._looked is not None and (now - self._looked).total_seconds() < LOOK_AGAIN_S:
                return self._known
            campaigns = open_campaigns(self._store)
            held = self._store.leases()
            names = [workflow_lease(*key) for key in list_workflows(self._store, campaigns)]
            epochs = {name: held[name].epoch if name in held else 0 for name in names}
            has_moved = self._looked is not None and self._is_raised(epochs)
            newest = now if has_moved or is_looping(campaigns, held, now) else self._known.newest
            self._known = LeaseActivity(self._known.since, newest, epochs)
            self._looked = now
            return self._known

    def _is_raised(self, epochs: Mapping[str, int]) -> bool:
        before = self._known.epochs
        return any(epoch > before.get(name, 0) for name, epoch in epochs.items())

    def last_known(self) -> LeaseActivity:
        """Return what is known without asking the store."""
        return self._known


def is_looping(campaigns: Iterable[str], held: Mapping[str, Lease], now: datetime) -> bool:
    """Say whether the loop of one of the campaigns is alive: then its lease lasts."""
    loops = (held[name] for name in map(loop_lease, campaigns) if name in held)
    return any(lease.expires > now for lease in loops)


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
    marks = store.marks("pause")
    return frozenset(
        WorkflowKey(mark.campaign, mark.name) for mark in marks if mark.values.get("paused")
    )
