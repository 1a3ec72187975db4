"""Which tasks an operator means: run numbers and a workflow's name, looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError, nearest
from autoctrl.model.unit import TaskKey, group_unit, is_group, parse_ranges, parse_runs, run_unit
from autoctrl.model.workflow import WORKFLOW, read_workflow
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.workflow import WorkflowState
    from autoctrl.ports import Store

LONGEST_SELECTION = 2000


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
    marks = {mark.name: mark for mark in store.marks(WORKFLOW, campaign)}
    if workflow in marks and chain[0].has(workflow):
        return read_workflow(marks[workflow].values)
    listed = chain[0].workflows or ()
    if workflow in listed:
        return None
    _refuse_inherited(store, chain, workflow)
    known = sorted({*marks, *listed})
    message = f"Campaign {campaign} has no workflow '{workflow}'. {nearest(workflow, known)}"
    raise UsageError(message, hint="A workflow is known from its first cycle on: autoctrl cycle")


def _refuse_inherited(store: Store, chain: Sequence[Campaign], workflow: str) -> None:
    """Raise ``UsageError`` if the campaign looks the workflow up in a parent that has run it."""
    parent = next((other for other in chain[1:] if other.has(workflow)), None)
    if parent is None or workflow not in {mark.name for mark in store.marks(WORKFLOW, parent.name)}:
        return
    name = chain[0].name
    message = f"Campaign {name} does not process {workflow}; it looks it up in {parent.name}."
    raise UsageError(message, hint=f"Use --campaign {parent.name}.")


def find_targets(store: Store, campaign: str, runs: str, workflow: str) -> list[Target]:
    """Return the tasks that a selection means in one workflow, each once.

    The selection is such as ``4500-4510,fill:8222``; a run inside a group stands for the group.
    Raises ``UsageError`` for an unknown campaign or workflow and for what is not a selection.
    """
    state = find_workflow(store, campaign, workflow)
    units, numbers = split_selection(runs)
    meant = {unit: Meant(unit) for unit in units}
    records = {record.number: record for record in store.runs(numbers=numbers).records}
    for number in numbers:
        one = _find_unit(number, records.get(number), state.group_by if state else None)
        before = meant.get(one.unit, Meant(one.unit))
        meant[one.unit] = one._replace(runs=(*before.runs, number))
    selection = Selection(campaign, (workflow,), tuple(meant))
    tasks = {task.key.unit: task for task in store.tasks(selection)}
    return [
        _target(TaskKey(campaign, workflow, one.unit), one, tasks.get(one.unit))
        for one in meant.values()
    ]


class Meant(NamedTuple):
    """A unit that a selection means.

    unit     the unit; the run itself where its group is not known
    runs     the selected runs that it stands for
    problem  why it can have no task, empty if it can
    """

    unit: str
    runs: tuple[int, ...] = ()
    problem: str = ""


def split_selection(text: str) -> tuple[list[str], list[int]]:
    """Split ``4500-4510,fill:8222`` into units of groups and run numbers.

    Raises ``UsageError`` as ``parse_runs``.
    """
    pieces = [piece.strip() for piece in text.split(",")]
    units = [piece for piece in pieces if is_group(piece)]
    rest = ",".join(piece for piece in pieces if not is_group(piece))
    return units, parse_runs(rest) if rest or not units else []


def _find_unit(number: int, record: RunRecord | None, group_by: str | None) -> Meant:
    if record is None:
        return Meant(run_unit(number), problem="it is not registered")
    if group_by is None:
        return Meant(run_unit(number))
    if group_by not in record.attributes:
        problem = f"the workflow groups by {group_by}, which the run does not have yet"
        return Meant(run_unit(number), problem=problem)
    return Meant(group_unit(group_by, record.attributes[group_by]))


def _target(key: TaskKey, meant: Meant, task: TaskRecord | None) -> Target:
    if task is not None:
        return Target(key, task.members, task)
    why = f"{key} has no task: the workflow has not looked at it yet or does not take it."
    if meant.problem:
        why = f"run {meant.unit} has no task in {key.workflow}: {meant.problem}."
    return Target(key, meant.runs, missing=why)


def found_tasks(targets: Iterable[Target]) -> list[TaskRecord]:
    """Return the tasks that exist."""
    return [target.task for target in targets if target.task is not None]


def check_length(text: str) -> str:
    """Return a selection of runs and groups that a verb may take.

    Raises ``UsageError`` if it means more than 2000 runs.
    """
    runs = ",".join(piece for piece in text.split(",") if not is_group(piece))
    if runs and sum(map(len, parse_ranges(runs))) > LONGEST_SELECTION:
        message = f"'{text}' means more than {LONGEST_SELECTION} runs."
        raise UsageError(message, hint="Take fewer at once, or say it on the command line.")
    return text
