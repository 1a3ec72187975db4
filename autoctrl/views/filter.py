"""Which runs a reader wants to see, as they are written and as they are understood. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError, nearest
from autoctrl.model.duration import parse_since
from autoctrl.model.quality import ALARM
from autoctrl.model.run import Where, parse_attribute
from autoctrl.model.status import TaskStatus
from autoctrl.views.sorting import read_sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo

    from autoctrl.model.run import Value
    from autoctrl.views.overview import Cell, RunRow
    from autoctrl.views.sorting import Sort

# A run has these statuses because one of its tasks has; to ask for them is to ask for that task.
OF_ONE_TASK = frozenset({TaskStatus.FAILED, TaskStatus.SKIPPED})


class FilterText(NamedTuple):
    """A filter as a person wrote it: options of a command, or what stands in an address.

    runs      a selection such as ``4500-4510,4521``, empty for all
    status    a status: of the workflow's tasks where one is named, else of the runs
    workflow  only this workflow
    where     attributes of the runs, such as ``kind=physics``; of one name any may hold
    alarm     only where the data of a task raise an alarm
    stale     only where a task is stale
    since     a length of time or a date: only where a task has come to its status since then
    sort      by what the runs are sorted, see ``read_sort``
    """

    runs: str = ""
    status: str = ""
    workflow: str = ""
    where: tuple[str, ...] = ()
    alarm: bool = False
    stale: bool = False
    since: str = ""
    sort: str = ""

    @property
    def narrows_tasks(self) -> bool:
        """Whether it asks for more than a selection of runs in some order."""
        return self._replace(runs="", sort="") != FilterText()

    def query(self) -> dict[str, Any]:
        """Return it as the query of an address; what is not asked for is empty."""
        switches = {"alarm": "1" if self.alarm else "", "stale": "1" if self.stale else ""}
        return {**self._asdict(), **switches}


class Vocabulary(NamedTuple):
    """What words of a filter may mean.

    workflows  those that the campaign shows
    types      types of the run attributes by name, as the settings declare them
    now        the present time, aware
    zone       the project's time zone, in which dates without one are meant
    """

    workflows: tuple[str, ...]
    types: Mapping[str, str]
    now: datetime
    zone: tzinfo


class Filter(NamedTuple):
    """Which runs are shown, of which workflow and in which order; without anything every run is.

    The selection of runs is no part of it. See ``FilterText``.
    """

    workflow: str = ""
    status: TaskStatus | None = None
    where: Where | None = None
    is_alarm: bool = False
    is_stale: bool = False
    since: datetime | None = None
    sort: Sort | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every run is shown, with all workflows."""
        return self._replace(sort=None) == Filter()

    def takes_run(self, attributes: Mapping[str, Value]) -> bool:
        """Say whether a run's attributes are those asked for; one that is missing is not."""
        return self.where is None or self.where.admits(attributes) is True

    def takes(self, row: RunRow) -> bool:
        """Say whether a run's row is shown."""
        if not self.takes_run(row.attributes):
            return False
        if self._is_status_of_run and row.status is not self.status:
            return False
        cells = [cell for name, cell in row.tasks.items() if self.workflow in {"", name}]
        return not self._asks_for_tasks or any(self._takes_task(cell) for cell in cells)

    def narrow(self, row: RunRow) -> RunRow:
        """Return a row that has only the workflow that is asked for."""
        if not self.workflow:
            return row
        return row._replace(tasks={self.workflow: row.tasks[self.workflow]})

    @property
    def _is_status_of_run(self) -> bool:
        return self.status is not None and not self.workflow and self.status not in OF_ONE_TASK

    @property
    def _asks_for_tasks(self) -> bool:
        """Whether a run without any task in question is not shown."""
        is_of_task = self.status is not None and not self._is_status_of_run
        asked = (self.workflow, is_of_task, self.is_alarm, self.is_stale, self.since)
        return any(asked)

    def _is_young(self, cell: Cell) -> bool:
        return self.since is None or (cell.since is not None and cell.since >= self.since)

    def _takes_task(self, cell: Cell | None) -> bool:
        if cell is None:
            return False
        is_of_task = self.status is not None and not self._is_status_of_run
        if (is_of_task and cell.status != self.status) or not self._is_young(cell):
            return False
        return (cell.quality == ALARM or not self.is_alarm) and (cell.stale or not self.is_stale)


def read_filter(text: FilterText, words: Vocabulary) -> Filter:
    """Return what a filter means.

    Raises ``UsageError`` for an unknown workflow, status or attribute, a value of another type,
    for what is neither a length of time nor a date, and for what runs are not sorted by.
    """
    if text.workflow and text.workflow not in words.workflows:
        message = f"There is no workflow '{text.workflow}'. "
        message += nearest(text.workflow, words.workflows)
        raise UsageError(message, hint="A workflow is known from its first cycle on.")
    return Filter(
        workflow=text.workflow,
        status=_read_status(text.status),
        where=read_where(text.where, words.types),
        is_alarm=text.alarm,
        is_stale=text.stale,
        since=parse_since(text.since, words.now, words.zone) if text.since else None,
        sort=read_sort(text.sort, words.workflows, words.types),
    )


def _read_status(text: str) -> TaskStatus | None:
    try:
        return TaskStatus(text) if text else None
    except ValueError as error:
        message = f"'{text[:40]}' is not a status. {nearest(text, TaskStatus)}"
        raise UsageError(message) from error


def read_where(pairs: Iterable[str], types: Mapping[str, str]) -> Where | None:
    """Return the filter that ``kind=physics`` and the like mean, None for none; of one name any may
    hold.

    Raises ``UsageError`` for an attribute that is not declared, a value of another type, and for
    what has no equals sign.
    """
    wanted: dict[str, list[Value]] = {}
    for pair in pairs:
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not sign:
            message = f"'{pair[:40]}' asks for no attribute of runs."
            raise UsageError(message, hint="Write it as name=value, e.g. kind=physics.")
        wanted.setdefault(name, []).append(parse_attribute(name, value, types))
    return Where(**wanted) if wanted else None
