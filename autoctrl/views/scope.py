"""Which tasks and runs count as a campaign's: what totals are counted over."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.incidents import list_incidents
from autoctrl.model.quality import ALARM
from autoctrl.model.status import TaskStatus, combine_statuses
from autoctrl.ports import Selection
from autoctrl.views.columns import have_looked
from autoctrl.views.overview import fetch_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column

RUNS_AT_ONCE = 200
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

    def each(self, statuses: tuple[TaskStatus, ...]) -> Iterator[TaskRecord]:
        """Yield the tasks of these statuses that any run of the campaign has."""
        workflows: dict[str, list[str]] = {}
        for column in self.columns:
            workflows.setdefault(column.campaign, []).append(column.workflow)
        for campaign, names in workflows.items():
            asked = Selection(campaign, tuple(names), None, statuses)
            for task in self.store.each_task(asked):
                if not self.numbers.isdisjoint(task.members):
                    yield task

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

    def count_runs(
        self, statuses: dict[int, frozenset[TaskStatus]], *, is_whole: bool
    ) -> dict[TaskStatus, int]:
        """Return the number of runs by status, see ``combine``, from the statuses of all their
        tasks or of those that are not done.
        """
        has_looked = have_looked(self.columns, self.campaign, self._position())
        unseen: frozenset[int] = frozenset()
        if not has_looked:
            unseen = self.numbers if is_whole else self._unseen_runs()
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

    def _add_done(self, statuses: dict[int, frozenset[TaskStatus]], unseen: frozenset[int]) -> None:
        """Ask for the done tasks of those runs whose status depends on whether there is one."""
        unsure = {run for run, its in statuses.items() if its <= {NEW, SKIPPED} and NEW in its}
        unsure |= unseen
        numbers = sorted(unsure)
        for begin in range(0, len(numbers), RUNS_AT_ONCE):
            some = numbers[begin : begin + RUNS_AT_ONCE]
            records = self.store.runs(numbers=some).records
            found = fetch_tasks(self.store, self.columns, records, is_whole=False)
            for task in found.values():
                for run in unsure.intersection(self.runs_of(task)):
                    statuses[run] = joined(statuses.get(run, frozenset()), task.status)

    def _position(self) -> int:
        return self.store.runs(numbers=()).position

    def runs_of(self, task: TaskRecord) -> frozenset[int]:
        """Return the runs of the campaign whose rows show a task."""
        late = (
            column.state.late_runs(task.key.unit)
            for column in self.columns
            if column.workflow == task.key.workflow
        )
        return self.numbers.intersection(itertools.chain(task.members, *late))

    def _unseen_runs(self) -> frozenset[int]:
        """Return the runs that some workflow of the campaign's own has not looked at yet."""
        own = [column for column in self.columns if column.campaign == self.campaign]
        position = min((column.state.cursor.position for column in own), default=0)
        return self.numbers.intersection(self.store.run_numbers(max(0, position)).numbers)


@cache
def joined(statuses: frozenset[TaskStatus], status: TaskStatus) -> frozenset[TaskStatus]:
    """Return a set with one more; all runs that stand alike share one."""
    return statuses | {status}
