"""What versions measured: their custom fields, and which of them are beyond a limit."""

from __future__ import annotations

import re
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.output import newest_fields
from autoctrl.model.quality import ALARM, WARNING
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.views.columns import find_column, find_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from autoctrl.model.run import RunRecord, Value
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column

KEPT = 20_000
RUNS_AT_ONCE = 500
ERROR = "_error"  # a number whose name ends so is the uncertainty of another
# As sentences of alarms say it: "rms = 12.5 is above 10", "peak is missing".
_BEYOND = re.compile(r"([\w.-]+) (?:= \S+ )?is (?:(?:above|below) ([-+\d.e]+)(?=;|$)|\S)")


class Judged(NamedTuple):
    """What an alarm or a warning says of one number.

    level  ``alarm`` or ``warning``
    limit  the fixed limit beyond which it is, None if the sentence names none
    """

    level: str
    limit: float | None = None


def numbers_in(values: Mapping[str, float | str]) -> dict[str, float]:
    """Return the numbers among custom fields, by name."""
    return {name: value for name, value in values.items() if not isinstance(value, str)}


class Measured(NamedTuple):
    """What the newest version of a task reported.

    task    the task
    values  numbers and short texts by name, empty if it reported none
    """

    task: TaskRecord
    values: Mapping[str, float | str]

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers among the values."""
        return numbers_in(self.values)

    @property
    def judged(self) -> dict[str, Judged]:
        """Which of its numbers are beyond a limit, by name; an alarm counts before a warning."""
        found: dict[str, Judged] = {}
        for level in (ALARM, WARNING):
            for name, limit in _find_beyond(str(self.values.get(level, ""))):
                found.setdefault(name, Judged(level, limit))
        return found

    @property
    def said(self) -> str:
        """The sentences of its alarm or, without one, of its warning; empty if all is well."""
        return next((str(self.values[k]) for k in (ALARM, WARNING) if self.values.get(k)), "")


def _find_beyond(text: str) -> Iterator[tuple[str, float | None]]:
    for match in _BEYOND.finditer(text):
        try:
            yield match[1], float(match[2]) if match[2] else None
        except ValueError:
            yield match[1], None


class Measurements:
    """The custom fields of tasks, read once for each record of a task and then remembered."""

    def __init__(self, store: Store) -> None:
        """Know nothing until it is asked."""
        self._store, self._lock = store, Lock()
        self._known: OrderedDict[tuple[TaskKey, int], Measured] = OrderedDict()

    def of(self, tasks: Sequence[TaskRecord]) -> list[Measured]:
        """Return what each task's newest version with fields reported."""
        with self._store.moment():
            return [self._of(task) for task in tasks]

    def _of(self, task: TaskRecord) -> Measured:
        identity = task.key, task.sequence
        with self._lock:
            if identity in self._known:
                return self._known[identity]
        reported = newest_fields(self._store.history(task.key))
        measured = Measured(task, reported.values if reported else {})
        if task.status is TaskStatus.DONE:  # fields of others may still come
            with self._lock:
                self._known[identity] = measured
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return measured


class Trends(NamedTuple):
    """What a workflow measured over runs.

    column    the workflow
    measured  of each task, in the order of the runs
    """

    column: Column
    measured: tuple[Measured, ...]

    @property
    def fields(self) -> list[str]:
        """The names of all numbers, in the order of the alphabet."""
        return sorted({name for one in self.measured for name in one.numbers})


class RunChoice(NamedTuple):
    """Which runs trends are about.

    known  numbers of runs to choose from, in order
    takes  says whether a run with these attributes is wanted
    limit  at most so many, the newest
    """

    known: Sequence[int]
    takes: Callable[[Mapping[str, Value]], bool]
    limit: int


def read_trends(
    store: Store, measurements: Measurements, campaign: str, workflow: str, choice: RunChoice
) -> Trends:
    """Return what a workflow measured over the newest of the runs that are wanted.

    Raises ``UsageError`` for an unknown campaign or workflow.
    """
    chain = find_lineage(store, campaign)
    column = find_column(find_columns(store, chain), campaign, workflow)
    wanted = None if chain[0].follow else chain[0].wanted()
    if wanted is not None:
        choice = choice._replace(known=[run for run in choice.known if run in wanted])
    units = (column.unit_of(run) for run in newest_runs(store, choice))
    ordered = tuple(dict.fromkeys(unit for unit in units if unit is not None))
    tasks = _tasks_in_order(store, column, ordered)
    return Trends(column, tuple(one for one in measurements.of(tasks) if one.values))


def _tasks_in_order(store: Store, column: Column, units: Sequence[str]) -> list[TaskRecord]:
    """Return the tasks of these units, in their order; those that were skipped are left out."""
    place = {unit: number for number, unit in enumerate(units)}
    found = store.tasks(Selection(column.campaign, (column.workflow,), tuple(units)))
    there = [task for task in found if task.status is not TaskStatus.SKIPPED]
    return sorted(there, key=lambda task: place[task.key.unit])


def newest_runs(store: Store, choice: RunChoice) -> list[RunRecord]:
    """Return the newest runs that are wanted, the newest last; reads no more than it must."""
    found: list[RunRecord] = []
    for end in range(len(choice.known), 0, -RUNS_AT_ONCE):
        numbers = choice.known[max(0, end - RUNS_AT_ONCE) : end]
        taken = [run for run in store.runs(numbers=numbers).records if choice.takes(run.attributes)]
        found = [*taken, *found]
        if len(found) >= choice.limit:
            break
    return found[-choice.limit :]
