"""The verb that raises the version: reprocess, alone, with everything downstream, or whatever is
stale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.errors import Changed
from autoctrl.freshness import find_stale, find_tasks
from autoctrl.model.names import workflow_lease
from autoctrl.model.outcome import Answer, Outcome
from autoctrl.model.staleness import consumers, forget_inputs
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey, is_group
from autoctrl.ports import Selection
from autoctrl.verbs.request import hold
from autoctrl.verbs.targets import Target, find_targets, find_workflow, found_tasks
from autoctrl.verbs.tasks import apply, find_step, refuse, refuse_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.model.task import TaskRecord
    from autoctrl.model.workflow import WorkflowState
    from autoctrl.verbs.request import Request
    from autoctrl.verbs.tasks import Mover, Step

    Members = Callable[[TaskRecord], tuple[int, ...]]

TAKEN = frozenset({TaskStatus.DONE, TaskStatus.FAILED})


def reprocess(request: Request, runs: str, workflow: str, *, downstream: bool = False) -> Outcome:
    """Send tasks through their whole workflow again, as version + 1; a group takes in its late
    runs.

    With ``downstream`` also every done or failed task of the campaign that consumed an output of
    them, directly or through others. Tasks upstream move first, so that those that depend on them
    wait.
    """
    refuse_closed(request)
    targets = find_targets(request.store, request.campaign, runs, workflow)
    answers = _reprocess_targets(request, workflow, targets)
    if downstream:
        answers += _downstream(request, answers)
    return Outcome("reprocess", answers)


def reprocess_stale(request: Request, workflow: str, runs: str | None = None) -> Outcome:
    """Reprocess every done task that reads an input of which a newer version is done, or a file
    that has changed.
    """
    refuse_closed(request)
    find_workflow(request.store, request.campaign, workflow)
    if runs is None:
        statuses = (TaskStatus.DONE,) if request.since is None else None
        tasks = request.store.tasks(Selection(request.campaign, (workflow,), statuses=statuses))
    else:
        tasks = found_tasks(find_targets(request.store, request.campaign, runs, workflow))
    wanted = find_stale(request.store, tasks) | _renewed(request, tasks).keys()
    targets = [Target(task.key, task.members, task) for task in tasks if task.key in wanted]
    return Outcome("reprocess", _reprocess_targets(request, workflow, targets))


def _reprocess_targets(
    request: Request, workflow: str, targets: Sequence[Target]
) -> tuple[Answer, ...]:
    if not targets:
        return ()
    members = _regroup(request, workflow, targets)
    with hold(request, workflow_lease(request.campaign, workflow)) as lease:
        newest = find_tasks(request.store, [target.key for target in targets])
        fresh = [target._replace(task=newest.get(target.key)) for target in targets]
        return apply(request, fresh, lambda task, mover: _renew(task, mover, members), lease)


def _renew(task: TaskRecord, mover: Mover, members: Members) -> list[TaskRecord]:
    if task.status is TaskStatus.NEW:
        refuse(task, "reprocess", "done, failed or skipped")
    cleared = {
        "renewals": 0,
        "inputs": (),
        "provenance": "",
        "log": "",
        "stopping": False,
        "is_growing": False,
    }
    fresh = {"version": task.version + 1, "members": members(task)}
    return [mover.move(task, TaskStatus.NEW, **cleared, **fresh)]


def _downstream(request: Request, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    roots = [
        TaskKey(request.campaign, answer.workflow, answer.unit)
        for answer in answers
        if not answer.refusal
    ]
    reached = consumers(roots, _tasks_before(request))
    by_workflow: dict[str, list[Target]] = {}
    for task in reached:
        # A new task takes the new version anyway, and what a person skipped stays skipped.
        if task.status in TAKEN or task.status is TaskStatus.PROCESSING:
            by_workflow.setdefault(task.key.workflow, []).append(
                Target(task.key, task.members, task)
            )
    return tuple(
        answer
        for workflow, targets in by_workflow.items()
        for answer in _reprocess_consumers(request, workflow, targets)
    )


def _reprocess_consumers(
    request: Request, workflow: str, targets: Sequence[Target]
) -> tuple[Answer, ...]:
    """Reprocess tasks downstream, or leave them alone if they are not those agreed to."""
    try:
        return _reprocess_targets(request, workflow, targets)
    except Changed:
        return tuple(
            Answer(
                workflow,
                task.key.unit,
                task.members,
                task.status,
                None,
                task.version,
                f"{task.key} is left alone: {workflow} has changed since this was shown.",
            )
            for task in found_tasks(targets)
        )


def _tasks_before(request: Request) -> list[TaskRecord]:
    """Return the campaign's tasks as they were before this very request renewed some of them."""
    tasks = request.store.tasks(Selection(request.campaign))
    renewed = _renewed(request, tasks)
    versions = {key: step.after.version for key, step in renewed.items()}
    before = {key: step.before for key, step in renewed.items()}
    return [forget_inputs(before.get(task.key, task), versions) for task in tasks]


def _renewed(request: Request, tasks: Iterable[TaskRecord]) -> dict[TaskKey, Step]:
    """Return what this very request has renewed of these tasks before it was interrupted."""
    steps = {
        task.key: find_step(request, task, lambda one, mover: _renew(one, mover, _keep_members))
        for task in tasks
    }
    return {key: step for key, step in steps.items() if step is not None}


def _keep_members(task: TaskRecord) -> tuple[int, ...]:
    return task.members


def _regroup(request: Request, workflow: str, targets: Sequence[Target]) -> Members:
    """Return the function that freezes a unit's members anew."""
    if not any(is_group(target.key.unit) for target in targets):
        return _keep_members
    state = find_workflow(request.store, request.campaign, workflow)
    wanted = find_campaign(request.store, request.campaign).wanted()
    values = {
        run.number: run.attributes
        for run in request.store.runs().records
        if wanted is None or run.number in wanted
    }
    return lambda task: _members(task, values, state)


def _members(
    task: TaskRecord, attributes: Mapping[int, Mapping[str, object]], state: WorkflowState | None
) -> tuple[int, ...]:
    attribute, _, value = task.key.unit.partition(":")
    belonging = {
        number for number, known in attributes.items() if str(known.get(attribute)) == value
    }
    if state is not None and state.late is not None:
        belonging &= {*task.members, *state.late_runs(task.key.unit)}
    return tuple(sorted(belonging)) or task.members
