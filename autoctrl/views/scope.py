"""Which tasks and runs count as a campaign's: what totals are counted over."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.incidents import list_incidents
from autoctrl.model.quality import ALARM
from autoctrl.model.status import TaskStatus, combine_statuses
from autoctrl.ports import Selection
from autoctrl.views.columns import have_looked
from autoctrl.views.overview import fetch_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


class Scope(NamedTuple):
    """The tasks of a campaign, its own and those that parents keep for it.

    store     where they are
    campaign  its name
    columns   its workflows
    numbers   numbers of its runs
    """

    store: Store
    campaign: str
    columns: Sequence[Column]
    numbers: frozenset[int]

    def tasks(self, statuses: tuple[TaskStatus, ...]) -> list[TaskRecord]:
        """Return the tasks of these statuses that any run of the campaign has."""
        workflows: dict[str, list[str]] = {}
        for column in self.columns:
            workflows.setdefault(column.campaign, []).append(column.workflow)
        return [
            task
            for campaign, names in workflows.items()
            for task in self.store.tasks(Selection(campaign, tuple(names), None, statuses))
            if not self.numbers.isdisjoint(task.members)
        ]

    def alarmed(self) -> list[TaskRecord]:
        """Return the tasks that open incidents about alarms name."""
        found: list[TaskRecord] = []
        own = {(column.campaign, column.workflow) for column in self.columns}
        for campaign in sorted({column.campaign for column in self.columns}):
            for one in list_incidents(self.store, campaign):
                if one.kind == ALARM and (campaign, one.workflow) in own:
                    asked = Selection(campaign, (one.workflow,), one.units, (DONE,))
                    found += self.store.tasks(asked)
        return [task for task in found if not self.numbers.isdisjoint(task.members)]

    def count_runs(self, tasks: Iterable[TaskRecord], *, is_whole: bool) -> dict[TaskStatus, int]:
        """Return the number of runs by status, see ``combine``, from all tasks or from those that
        are not done.
        """
        statuses: dict[int, set[TaskStatus]] = {}
        for task in tasks:
            for run in self._runs_of(task):
                statuses.setdefault(run, set()).add(task.status)
        has_looked = have_looked(self.columns, self.campaign, self._position())
        unseen: set[int] = set()
        if not has_looked:
            unseen = {*self.numbers} if is_whole else self._unseen_runs()
        if not is_whole:
            self._add_done(statuses, unseen)
        known = Counter(combine_statuses(its) for its in statuses.values())
        new = len(unseen - statuses.keys())
        done = len(self.numbers) - known.total() - new + known[DONE]
        return {
            NEW: known[NEW] + new,
            PROCESSING: known[PROCESSING],
            DONE: done,
            FAILED: known[FAILED],
        }

    def _add_done(self, statuses: dict[int, set[TaskStatus]], unseen: set[int]) -> None:
        """Ask for the done tasks of those runs whose status depends on whether there is one."""
        unsure = {run for run, its in statuses.items() if its <= {NEW, SKIPPED} and NEW in its}
        unsure |= unseen
        if not unsure:
            return
        records = self.store.runs(numbers=sorted(unsure)).records
        found = fetch_tasks(self.store, self.columns, records, is_whole=False)
        for task in found.values():
            for run in unsure.intersection(self._runs_of(task)):
                statuses.setdefault(run, set()).add(task.status)

    def _position(self) -> int:
        return self.store.runs(numbers=()).position

    def _runs_of(self, task: TaskRecord) -> frozenset[int]:
        """Return the runs of the campaign whose rows show a task."""
        late = (
            column.state.late_runs(task.key.unit)
            for column in self.columns
            if column.workflow == task.key.workflow
        )
        return self.numbers.intersection(itertools.chain(task.members, *late))

    def _unseen_runs(self) -> set[int]:
        """Return the runs that some workflow of the campaign's own has not looked at yet."""
        own = [column for column in self.columns if column.campaign == self.campaign]
        position = min((column.state.cursor.position for column in own), default=0)
        new = {record.number for record in self.store.runs(max(0, position)).records}
        return new & self.numbers
