"""When tasks are created: which units follow from a list of changed runs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import WorkflowError, nearest
from autoctrl.model.actor import CYCLE
from autoctrl.model.run import parse_like
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey, group_unit, is_group, run_unit

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from datetime import datetime

    from autoctrl.model.run import RunRecord, Where
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.workflow import Cursor, WorkflowState


class Choice(NamedTuple):
    """Which runs a workflow takes, and into which units.

    where     the filter
    group_by  attribute by which it groups runs, None if it works run by run
    listed    the campaign's fixed list of runs, None if it takes every run
    """

    where: Where
    group_by: str | None = None
    listed: Container[int] | None = None

    def takes(self, run: RunRecord) -> bool:
        """Say whether a run is listed and the filter takes it.

        Raises ``WorkflowError`` for a condition that raises.
        """
        return self.lists(run) and self.admits(run)

    def lists(self, run: RunRecord) -> bool:
        """Say whether a run is on the campaign's list."""
        return self.listed is None or run.number in self.listed

    def admits(self, run: RunRecord) -> bool:
        """Say whether the filter takes a run. Raises ``WorkflowError`` where a condition fails."""
        try:
            return bool(self.where.admits(run.attributes))
        except Exception as error:
            message = (
                f"The filter {self.where!r} raised {type(error).__name__} on run {run.number}: "
                f"{error}."
            )
            raise WorkflowError(
                message, hint="Let its functions take every value that the attribute can have."
            ) from error

    def unit_of(self, run: RunRecord) -> str | None:
        """Return the unit in which a run would be, None while its group is not known."""
        if self.group_by is None:
            return run_unit(run.number)
        value = run.attributes.get(self.group_by)
        return None if value is None else group_unit(self.group_by, value)


class Birth(NamedTuple):
    """A unit that gets a task, and the runs that it freezes."""

    unit: str
    members: tuple[int, ...]


def describe_undeclared(
    workflow: str, where: Where, group_by: str | None, declared: Mapping[str, str]
) -> list[str]:
    """Return a sentence for each attribute that chooses runs and that no run can have."""
    named = [*where.conditions, *([group_by] if group_by else [])]
    return [
        f"{workflow} chooses or groups runs by '{name}', which the settings do not "
        "declare, so no run can have it. "
        f"{nearest(name, declared) if declared else 'No attribute is declared.'} "
        f'Declare it in autoctrl.toml: [runs.attributes] {name} = "str".'
        for name in named
        if name not in declared
    ]


def advance(
    cursor: Cursor, changed: Iterable[RunRecord], position: int, choice: Choice
) -> tuple[list[Birth], Cursor]:
    """Return the units that the changed runs complete, and how far we have looked then.

    A run whose deciding attribute is missing completes nothing; it changes again when the attribute
    arrives. A run that is not on the campaign's list can still begin a later group, or tell the end
    of one. A unit may be returned that has a task already; the caller looks that up.
    """
    if choice.group_by is None:
        births = [
            Birth(run_unit(run.number), (run.number,)) for run in changed if choice.takes(run)
        ]
        return births, cursor._replace(position=position)
    groups = _OpenGroups(cursor, choice.group_by)
    for run in changed:
        groups.add(run, choice)
    return groups.close(), groups.cursor()._replace(position=position)


class _OpenGroups:
    """The groups that are not closed yet, while a list of changed runs is gone through."""

    def __init__(self, cursor: Cursor, group_by: str) -> None:
        self._cursor, self._group_by = cursor, group_by
        self._pending = {value: set(members) for value, members in cursor.pending.items()}
        self._ended = {cursor.ended}
        self._newest = cursor.newest

    def add(self, run: RunRecord, choice: Choice) -> None:
        """Put a run into its group, out of a former one, and learn what it says of its group."""
        for members in self._pending.values():
            members.discard(run.number)
        value = run.attributes.get(self._group_by)
        if value is None:
            return
        self._newest = _larger(self._newest, value)
        if choice.takes(run):
            self._pending.setdefault(str(value), set()).add(run.number)
        if f"{self._group_by}_end" in run.attributes:
            self._ended.add(str(value))

    def close(self) -> list[Birth]:
        """Take out the groups that are closed, and return those that have runs."""
        closed = {
            value: self._pending.pop(value) for value in list(self._pending) if self._is_over(value)
        }
        return [
            Birth(group_unit(self._group_by, value), tuple(sorted(members)))
            for value, members in closed.items()
            if members
        ]

    def cursor(self) -> Cursor:
        """Return the cursor with what is still open."""
        newest = str(self._newest)
        return self._cursor._replace(
            pending={value: tuple(sorted(members)) for value, members in self._pending.items()},
            newest=self._newest,
            ended=newest if newest in self._ended else "",
        )

    def _is_over(self, value: str) -> bool:
        """Say whether the end of a group is known, or a later one has begun."""
        return value in self._ended or _is_before(value, self._newest)


def _is_before(value: str, newest: Any) -> bool:  # noqa: ANN401 - as below
    return bool(parse_like(newest, value) < newest)


def _larger(first: Any, second: Any) -> Any:  # noqa: ANN401 - a group's value has the attribute's type
    return second if first is None else max(first, second)


def new_tasks(
    campaign: str,
    workflow: str,
    births: Iterable[Birth],
    known: Mapping[str, TaskRecord],
    now: datetime,
) -> list[TaskRecord]:
    """Return the first records of units that have no task, and those of tasks that come back.

    ``known`` holds the tasks that there are, by unit; one that was withdrawn comes back.
    """
    created = [
        new_task(TaskKey(campaign, workflow, birth.unit), birth.members, now)
        for birth in births
        if birth.unit not in known
    ]
    withdrawn = [task for task in known.values() if is_withdrawn(task)]
    return [*created, *(task.moved(TaskStatus.NEW, now) for task in withdrawn)]


def runs_too_late(births: Iterable[Birth], known: Mapping[str, TaskRecord]) -> dict[str, set[int]]:
    """Return the runs that belong to a unit whose task was frozen without them, by unit."""
    late = {
        birth.unit: set(birth.members).difference(known[birth.unit].members)
        for birth in births
        if birth.unit in known
    }
    return {unit: runs for unit, runs in late.items() if runs}


def add_late_runs(
    state: WorkflowState, late: Mapping[str, Iterable[int]]
) -> dict[str, tuple[int, ...]]:
    """Return all runs that ever came too late for their unit, in the order of units."""
    units = sorted({*(state.late or {}), *late})
    return {unit: tuple(sorted({*state.late_runs(unit), *late.get(unit, ())})) for unit in units}


def refused_units(changed: Iterable[RunRecord], choice: Choice) -> dict[str, set[int]]:
    """Return the runs that the filter does not take now, by the unit in which each would be."""
    units: dict[str, set[int]] = {}
    for run in changed:
        unit = choice.unit_of(run)
        if unit is not None and choice.lists(run) and not choice.admits(run):
            units.setdefault(unit, set()).add(run.number)
    return units


def keep_told(
    before: WorkflowState, left: Iterable[int], changed: Iterable[RunRecord], *, is_rescan: bool
) -> frozenset[int]:
    """Return the runs of which people are told that their task is left although it is not wanted.

    A changed filter may leave any number of tasks behind, and whoever changed it knows that; a run
    whose attributes changed is to be told.
    """
    if is_rescan:
        return before.kept.intersection(left)
    return before.kept.difference(run.number for run in changed).union(left)


def withdraw(
    tasks: Iterable[TaskRecord], refused: Mapping[str, set[int]], now: datetime
) -> tuple[list[TaskRecord], list[int]]:
    """Return records that take back what has not begun, and the runs whose task stays nevertheless.

    A group's members are frozen, so a group is never taken back.
    """
    withdrawn: list[TaskRecord] = []
    kept: list[int] = []
    for task in tasks:
        if not _has_begun(task) and not is_group(task.key.unit):
            reason = f"withdrawn: the filter no longer takes run {task.key.unit}"
            withdrawn.append(task.moved(TaskStatus.SKIPPED, now, reason=reason))
        elif not is_withdrawn(task):
            kept += refused[task.key.unit].intersection(task.members)
    return withdrawn, kept


def _has_begun(task: TaskRecord) -> bool:
    return task.status is not TaskStatus.NEW or task.version > 1 or task.renewals > 0


def is_withdrawn(task: TaskRecord) -> bool:
    """Say whether a task was taken back before it began: the machine skips no other."""
    return task.status is TaskStatus.SKIPPED and task.actor == CYCLE
