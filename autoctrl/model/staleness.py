"""What follows from recorded inputs: which tasks are stale, and which consumed whose outputs.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from autoctrl.model.task import InputRef, TaskRecord


def upstream_versions(task: TaskRecord) -> dict[TaskKey, int]:
    """Return the version of each upstream task that this task's version reads; raw files do not
    count.
    """
    return {
        TaskKey(ref.campaign, ref.workflow, ref.unit): ref.version
        for ref in task.inputs
        if ref.workflow
    }


def is_stale(
    task: TaskRecord, upstream: Mapping[TaskKey, TaskRecord], changed: Collection[InputRef] = ()
) -> bool:
    """Say whether a done task reads an input of which a newer version is done, or a file that has
    ``changed``.
    """
    if task.status is not TaskStatus.DONE:
        return False
    newest = ((upstream.get(key), version) for key, version in upstream_versions(task).items())
    return any(ref in changed for ref in task.inputs) or any(
        record is not None and record.status is TaskStatus.DONE and record.version > version
        for record, version in newest
    )


def consumers(roots: Iterable[TaskKey], tasks: Iterable[TaskRecord]) -> list[TaskRecord]:
    """Return every task that consumed an output of a root, directly or through others; nearest
    first, without roots.
    """
    by_input: dict[TaskKey, list[TaskRecord]] = {}
    for task in tasks:
        for key in upstream_versions(task):
            by_input.setdefault(key, []).append(task)
    reached = dict.fromkeys(roots)
    found: list[TaskRecord] = []
    queue = list(reached)
    for key in queue:
        for task in by_input.get(key, ()):
            if task.key not in reached:
                reached[task.key] = None
                found.append(task)
                queue.append(task.key)
    return found


def forget_inputs(task: TaskRecord, versions: Mapping[TaskKey, int]) -> TaskRecord:
    """Return a task as if it had read nothing of the versions that are named, or later ones."""
    kept = tuple(
        ref
        for ref in task.inputs
        if ref.version
        < versions.get(TaskKey(ref.campaign, ref.workflow, ref.unit), ref.version + 1)
    )
    return task if kept == task.inputs else task._replace(inputs=kept)


def by_workflow(keys: Iterable[TaskKey]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the units of these tasks by campaign and workflow, so that each workflow is one
    question to a store.
    """
    units: dict[tuple[str, str], list[str]] = {}
    for key in sorted(keys):
        units.setdefault((key.campaign, key.workflow), []).append(key.unit)
    return {place: tuple(wanted) for place, wanted in units.items()}
