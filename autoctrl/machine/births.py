"""When a task is born: which units a list of changed runs brings forth. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import WorkflowError, nearest
from autoctrl.model.actor import CYCLE
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import group_unit, is_group, run_unit

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from datetime import datetime

    from autoctrl.model.run import RunRecord, Where
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.workflow import Cursor


def undeclared(
    workflow: str, where: Where, group_by: str | None, declared: Mapping[str, str]
) -> list[str]:
    """Return a sentence for each attribute that decides about births and that no run can have: a
    misspelt one.
    """
    named = [*where.conditions, *([group_by] if group_by else [])]
    return [
        f"{workflow} chooses or groups runs by '{name}', which the settings do not "
        "declare, so no run can have it. "
        f"{nearest(name, declared) if declared else 'No attribute is declared.'} "
        f'Declare it in autoctrl.toml: [runs.attributes] {name} = "str".'
        for name in named
        if name not in declared
    ]


class Birth(NamedTuple):
    """A unit to be born and the runs it freezes."""

    unit: str
    members: tuple[int, ...]


def advance(
    cursor: Cursor,
    changed: Iterable[RunRecord],
    position: int,
    *,
    where: Where,
    group_by: str | None,
    wanted: Container[int] | None = None,
) -> tuple[list[Birth], Cursor]:
    """Return the units that the changed runs bring forth, and how far we have looked then.

    A run whose deciding attribute is missing brings forth nothing; it changes again when the
    attribute arrives. ``wanted`` narrows to a fixed list of runs; any other run can still begin a
    later group, or tell the end of one. Units may be named that were born before: the caller knows.
    """
    if group_by is None:
        births = [
            Birth(run_unit(run.number), (run.number,))
            for run in changed
            if _is_wanted(run, wanted) and _admits(where, run)
        ]
        return births, cursor._replace(position=position)
    return _advance_groups(cursor._replace(position=position), changed, where, group_by, wanted)


def _advance_groups(
    cursor: Cursor,
    changed: Iterable[RunRecord],
    where: Where,
    group_by: str,
    wanted: Container[int] | None,
) -> tuple[list[Birth], Cursor]:
    pending = {value: set(members) for value, members in cursor.pending.items()}
    ended = {cursor.ended}
    newest = cursor.newest
    for run in changed:
        for members in pending.values():
            members.discard(run.number)
        value = run.attributes.get(group_by)
        if value is None:
            continue
        newest = value if newest is None else max(newest, value)
        if _is_wanted(run, wanted) and _admits(where, run):
            pending.setdefault(str(value), set()).add(run.number)
        if f"{group_by}_end" in run.attributes:
            ended.add(str(value))
    closed = [value for value in pending if value in ended or _is_before(value, newest)]
    births = [
        Birth(group_unit(group_by, value), tuple(sorted(pending[value])))
        for value in closed
        if pending[value]
    ]
    still_open = {
        value: tuple(sorted(members)) for value, members in pending.items() if value not in closed
    }
    return births, cursor._replace(
        pending=still_open, newest=newest, ended=str(newest) if str(newest) in ended else ""
    )


def _is_before(value: str, newest: Any) -> bool:  # noqa: ANN401 - a group's value has the attribute's type
    return bool(type(newest)(value) < newest)


def refused_units(
    changed: Iterable[RunRecord],
    *,
    where: Where,
    group_by: str | None,
    wanted: Container[int] | None = None,
) -> dict[str, set[int]]:
    """Return the runs that the filter does not take now, by the unit in which each would be."""
    units: dict[str, set[int]] = {}
    for run in changed:
        value = run.number if group_by is None else run.attributes.get(group_by)
        if value is not None and _is_wanted(run, wanted) and not _admits(where, run):
            unit = run_unit(run.number) if group_by is None else group_unit(group_by, value)
            units.setdefault(unit, set()).add(run.number)
    return units


def withdraw(
    tasks: Iterable[TaskRecord],
    refused: Mapping[str, set[int]],
    now: datetime,
    stamp: Mapping[str, Any],
) -> tuple[list[TaskRecord], list[int]]:
    """Return records that take back what has not begun, and the runs whose task stays although it
    is not taken now.

    A group's members are frozen, so a group is never taken back.
    """
    withdrawn: list[TaskRecord] = []
    kept: list[int] = []
    for task in tasks:
        has_begun = task.status is not TaskStatus.NEW or task.version > 1 or task.renewals > 0
        if not has_begun and not is_group(task.key.unit):
            reason = f"withdrawn: the filter does not take run {task.key.unit} any more"
            withdrawn.append(task.moved(TaskStatus.SKIPPED, now, reason=reason, **stamp))
        elif not is_withdrawn(task):
            kept += refused[task.key.unit].intersection(task.members)
    return withdrawn, kept


def is_withdrawn(task: TaskRecord) -> bool:
    """Say whether a task was taken back before it began; nothing else lets the machine itself skip
    one.
    """
    return task.status is TaskStatus.SKIPPED and task.actor == CYCLE


def _is_wanted(run: RunRecord, wanted: Container[int] | None) -> bool:
    return wanted is None or run.number in wanted


def _admits(where: Where, run: RunRecord) -> bool:
    """Say whether the filter takes the run; a condition that raises is an error that names the
    run.
    """
    try:
        return bool(where.admits(run.attributes))
    except Exception as error:
        message = (
            f"The filter {where!r} raised {type(error).__name__} on run {run.number}: {error}."
        )
        raise WorkflowError(
            message, hint="Let its functions take every value that the attribute can have."
        ) from error
