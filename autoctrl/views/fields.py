"""The custom fields of a workflow over runs: the numbers that an analyst plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.output import newest_fields
from autoctrl.model.status import TaskStatus
from autoctrl.model.table import Table
from autoctrl.model.unit import unit_order
from autoctrl.ports import Selection
from autoctrl.views.columns import find_column, find_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.choice import Allowed, Understood
    from autoctrl.views.columns import Column

LARGEST_EXACT = 2**53


class FieldsLine(NamedTuple):
    """The custom fields of the newest version of a task that has some.

    campaign        the campaign that was asked for
    workflow, unit  the task that reported them
    runs            the runs that it is about
    version         the task's version
    time            when they were accepted
    values          number or short text by name
    inherited_from  the parent campaign that made them, None if it is the campaign's own
    """

    campaign: str
    workflow: str
    unit: str
    runs: tuple[int, ...]
    version: int
    time: datetime
    values: Mapping[str, float | str]
    inherited_from: str | None


def list_fields(store: Store, campaign: str, workflow: str, allowed: Allowed) -> list[FieldsLine]:
    """Return the custom fields of a workflow's tasks, by unit. Costs a question for each task.

    Raises ``UsageError`` for an unknown campaign or workflow.
    """
    chain = find_lineage(store, campaign)
    column = find_column(find_columns(store, chain), campaign, workflow)
    with store.moment():
        tasks = store.tasks(Selection(column.campaign, (workflow,)))
        return _read(store, chain[0], tasks, allowed)


def read_fields(
    store: Store, column: Column, units: Sequence[str], chosen: Understood
) -> list[FieldsLine]:
    """Return the chosen custom fields of some units of a workflow, as ``list_fields`` does."""
    with store.moment():
        tasks = store.tasks(Selection(column.campaign, (column.workflow,), tuple(units)))
        allowed = chosen.allow(store, sorted({run for task in tasks for run in task.members}))
        return _read(store, chosen.campaign, tasks, allowed)


def _read(
    store: Store, campaign: Campaign, tasks: Iterable[TaskRecord], allowed: Allowed
) -> list[FieldsLine]:
    wanted = None if campaign.follow else campaign.wanted()
    chosen = [
        task
        for task in tasks
        if task.status is not TaskStatus.SKIPPED
        and (wanted is None or not wanted.isdisjoint(task.members))
        and allowed.takes(task.key.workflow, task.key.unit, task.members)
    ]
    lines = [line for task in chosen if (line := _newest_fields(store, campaign.name, task))]
    return sorted(lines, key=lambda line: unit_order(line.unit))


def _newest_fields(store: Store, campaign: str, task: TaskRecord) -> FieldsLine | None:
    newest = newest_fields(store.history(task.key))
    if newest is None:
        return None
    return FieldsLine(
        campaign=campaign,
        workflow=task.key.workflow,
        unit=task.key.unit,
        runs=task.members,
        version=newest.version,
        time=newest.time,
        values=newest.values,
        inherited_from=None if task.key.campaign == campaign else task.key.campaign,
    )


def name_fields(lines: Iterable[FieldsLine]) -> list[str]:
    """Return the names of all fields, in the order of the alphabet."""
    return sorted({name for line in lines for name in line.values})


def tabulate_fields(lines: Sequence[FieldsLine]) -> Table:
    """Return a row for each task; a field that a task has not is empty."""
    names = name_fields(lines)
    rows = [
        (line.unit, str(line.version), *(_spell(line.values.get(name, "")) for name in names))
        for line in lines
    ]
    return Table(("unit", "version", *names), rows)


def _spell(value: float | str) -> str:
    """Write a number so that it is read again as the same, whole ones without a fraction."""
    if isinstance(value, str):
        return value
    return str(int(value)) if abs(value) < LARGEST_EXACT and value.is_integer() else repr(value)
