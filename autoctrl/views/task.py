"""Where a run's task in one workflow is kept, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError
from autoctrl.model.unit import LONGEST_NUMBER, TaskKey, is_group, run_unit, spell_unit
from autoctrl.ports import Selection
from autoctrl.views.columns import find_column, find_columns
from autoctrl.views.conditions import broken_module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Record, Store
    from autoctrl.views.columns import Column


class SoughtTask(NamedTuple):
    """A run's task in one workflow, or why there is none.

    key      its key; its campaign may be a parent
    column   the workflow
    run      the run's record, None for a group that was named itself or a run that is not
             registered
    task     its newest record, None if it was never created
    missing  why there is no task, empty if there is one
    """

    key: TaskKey
    column: Column
    run: RunRecord | None
    task: TaskRecord | None
    missing: str = ""


class TaskHistory(NamedTuple):
    """A task and all records of it, oldest first."""

    key: TaskKey
    records: list[Record]


def find_task(store: Store, campaign: str, unit: str, workflow: str) -> SoughtTask:
    """Return where a run's (``4521``) or a group's (``fill:8222``) task is.

    Raises ``UsageError`` for an unknown campaign or workflow, naming the nearest, and for a text
    that is not a unit.
    """
    chain = find_lineage(store, campaign)
    column = locate_column(store, chain, workflow)
    run = None if is_group(unit) else _find_run(store, unit)
    if is_group(unit):
        found: str | None = unit
    else:
        found = column.unit_of(run) if run is not None else run_unit(int(unit))
    key = TaskKey(column.campaign, workflow, found or unit)
    task = next(iter(store.tasks(Selection(key.campaign, (workflow,), (key.unit,)))), None)
    missing = "" if task is not None else _absence(store, unit, run, column, chain[0])
    return SoughtTask(key, column, run, task, missing)


def locate_column(store: Store, chain: list[Campaign], workflow: str) -> Column:
    """Return a workflow's column. Raises ``UsageError``, saying so if its module is broken."""
    try:
        return find_column(find_columns(store, chain), chain[0].name, workflow)
    except UsageError:
        broken = broken_module(store, chain[0].name, workflow)
        if broken is None:
            raise
        message = f"Workflow '{workflow}' has not made a cycle yet: {broken.reason}"
        raise UsageError(message, hint=broken.remedy) from None


def existing_task(sought: SoughtTask) -> TaskRecord:
    """Return the task that was sought. Raises ``UsageError`` saying why there is none."""
    if sought.task is None:
        key = sought.key
        message = f"{spell_unit(key.unit)} has no task in {key.workflow}: {sought.missing}."
        raise UsageError(message)
    return sought.task


def read_history(store: Store, campaign: str, unit: str, workflow: str) -> TaskHistory:
    """Return a task and all records of it. Raises ``UsageError`` saying why there is none."""
    task = existing_task(find_task(store, campaign, unit, workflow))
    return TaskHistory(task.key, store.history(task.key))


def _find_run(store: Store, unit: str) -> RunRecord | None:
    if not unit.isdecimal():
        message = f"'{unit}' is neither a run number nor a group of runs."
        raise UsageError(message, hint="Write a run as 4521, a group as fill:8222.")
    if len(unit) > LONGEST_NUMBER:
        message = f"'{unit[:40]}' is not a run: its number is too long."
        raise UsageError(message)
    return next(iter(store.runs(numbers=[int(unit)]).records), None)


def _absence(
    store: Store, unit: str, run: RunRecord | None, column: Column, campaign: Campaign
) -> str:
    if is_group(unit):
        return "the group is not closed yet, or none of its runs is wanted"
    if run is None:
        return f"the run is not registered (autoctrl runs add {unit})"
    wanted = None if campaign.follow else campaign.wanted()
    if wanted is not None and run.number not in wanted:
        return f"the run is not in campaign {campaign.name} (runs {campaign.runs})"
    if not column.has_looked_at(store.runs(numbers=()).position):
        broken = broken_module(store, campaign.name, column.workflow)
        end = "the next cycle will" if broken is None else "it cannot"
        return f"the workflow has not looked at the newest runs yet; {end}"
    return _group_absence(run, column) or _filter_absence(run, column.state.where)


def _filter_absence(run: RunRecord, where: Mapping[str, str] | None) -> str:
    """Say which attribute the filter lacks, or of which it wants another value."""
    if not where:
        return (
            "the workflow's filter does not take the run, or an attribute that it needs is not "
            "known yet"
        )
    missing = [name for name in where if name not in run.attributes]
    if missing:
        known = "is" if len(missing) == 1 else "are"
        return f"the workflow's filter needs {' and '.join(missing)}, which {known} not known yet"
    wanted = ", ".join(f"{name}={text}" for name, text in where.items())
    there = ", ".join(f"{name} is {run.attributes[name]}" for name in where)
    return f"the workflow's filter, Where({wanted}), does not take the run: {there}"


def _group_absence(run: RunRecord, column: Column) -> str:
    if column.group_by is None:
        return ""
    if column.group_by not in run.attributes:
        return f"the workflow groups by {column.group_by}, which the run does not have yet"
    value = str(run.attributes[column.group_by])
    if column.state.is_pending(value, run.number):
        return (
            f"{column.group_by} {value} is not closed yet: its end is not known, and no "
            "later one has begun"
        )
    return ""
