"""Which tasks an operator means: run numbers and a workflow's name, looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError, nearest
from autoctrl.model.unit import TaskKey, group_unit, is_group, parse_runs, run_unit
from autoctrl.model.workflow import WORKFLOW, read_workflow
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.workflow import WorkflowState
    from autoctrl.ports import Store


class Target(NamedTuple):
    """One task that is meant, or the reason why there is none.

    key      the task; its unit is the run itself where the group is not known
    runs     runs that the unit stands for
    task     its newest record, None if it was never born
    missing  why there is no task, empty if there is one
    """

    key: TaskKey
    runs: tuple[int, ...]
    task: TaskRecord | None = None
    missing: str = ""


def find_workflow(store: Store, campaign: str, workflow: str) -> WorkflowState | None:
    """Return what the workflow declared in its last cycle, None if it has not made one.

    Raises ``UsageError`` if the campaign is unknown, does not have the workflow or nobody has heard
    of it.
    """
    chain = find_lineage(store, campaign)
    found = chain[0]
    marks = {mark.name: mark for mark in store.marks(WORKFLOW, campaign)}
    if workflow in marks and found.has(workflow):
        return read_workflow(marks[workflow].values)
    if found.workflows is not None and workflow in found.workflows:
        return None
    parent = next((other for other in chain[1:] if other.has(workflow)), None)
    if parent is not None and any(
        mark.name == workflow for mark in store.marks(WORKFLOW, parent.name)
    ):
        message = (
            f"Campaign {campaign} does not process {workflow}; it looks it up in {parent.name}."
        )
        raise UsageError(message, hint=f"Say --campaign {parent.name}.")
    known = sorted({*marks, *(found.workflows or ())})
    message = f"Campaign {campaign} has no workflow '{workflow}'. {nearest(workflow, known)}"
    raise UsageError(message, hint="A workflow is known from its first cycle on: autoctrl cycle")


def find_targets(store: Store, campaign: str, runs: str, workflow: str) -> list[Target]:
    """Return the tasks that a selection such as ``4500-4510,fill:8222`` means in one workflow, each
    once.

    A run inside a group stands for the group. Raises ``UsageError`` for an unknown campaign or
    workflow and for a selection that is none.
    """
    state = find_workflow(store, campaign, workflow)
    group_by = state.group_by if state else None
    units, numbers = split_selection(runs)
    records = {record.number: record for record in store.runs(numbers=numbers).records}
    stands_for: dict[str, list[int]] = {unit: [] for unit in units}
    problems: dict[str, str] = {}
    for number in numbers:
        unit, problem = _unit_of(number, records.get(number), group_by)
        stands_for.setdefault(unit, []).append(number)
        if problem:
            problems[unit] = f"run {number} has no task in {workflow}: {problem}."
    tasks = {
        task.key.unit: task
        for task in store.tasks(Selection(campaign, (workflow,), tuple(stands_for)))
    }
    return [
        _target(
            TaskKey(campaign, workflow, unit), tuple(meant), tasks.get(unit), problems.get(unit, "")
        )
        for unit, meant in stands_for.items()
    ]


def split_selection(text: str) -> tuple[list[str], list[int]]:
    """Split ``4500-4510,fill:8222`` into units of groups and run numbers.

    Raises ``UsageError`` as ``parse_runs``.
    """
    pieces = [piece.strip() for piece in text.split(",")]
    units = [piece for piece in pieces if is_group(piece)]
    rest = ",".join(piece for piece in pieces if not is_group(piece))
    return units, parse_runs(rest) if rest or not units else []


def _unit_of(number: int, record: RunRecord | None, group_by: str | None) -> tuple[str, str]:
    if record is None:
        return run_unit(number), "it is not registered"
    if group_by is None:
        return run_unit(number), ""
    if group_by not in record.attributes:
        return run_unit(
            number
        ), f"the workflow groups by {group_by}, which the run does not have yet"
    return group_unit(group_by, record.attributes[group_by]), ""


def _target(key: TaskKey, runs: tuple[int, ...], task: TaskRecord | None, problem: str) -> Target:
    if task is not None:
        return Target(key, task.members, task)
    why = (
        problem or f"{key} has no task: the workflow has not looked at it yet or does not take it."
    )
    return Target(key, runs, missing=why)


def found_tasks(targets: Iterable[Target]) -> list[TaskRecord]:
    """Return the tasks that exist."""
    return [target.task for target in targets if target.task is not None]
