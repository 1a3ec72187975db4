"""Which done tasks are stale: their inputs have a newer version by now, or are other files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.files import digest_of
from autoctrl.model.staleness import by_workflow, is_stale, upstream_versions
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.model.task import InputRef, TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Store


def find_stale(store: Store, tasks: Iterable[TaskRecord]) -> frozenset[TaskKey]:
    """Return those tasks that are done and read an input that has changed or has a newer version.

    Tasks upstream that are not among the given ones are fetched, with one question per workflow.
    """
    known = {task.key: task for task in tasks}
    done = [task for task in known.values() if task.status is TaskStatus.DONE]
    upstream = {key for task in done for key in upstream_versions(task)}
    newest = {**find_tasks(store, upstream - known.keys()), **known}
    changed = changed_files(done)
    return frozenset(task.key for task in done if is_stale(task, newest, changed))


def find_tasks(store: Store, keys: Iterable[TaskKey]) -> dict[TaskKey, TaskRecord]:
    """Return the newest records of these tasks, with one question per workflow."""
    return {
        task.key: task
        for (campaign, workflow), units in by_workflow(keys).items()
        for task in store.tasks(Selection(campaign, (workflow,), units))
    }


def changed_files(tasks: Iterable[TaskRecord]) -> frozenset[InputRef]:
    """Return the inputs of these tasks that no workflow made and that are other files now.

    Only inputs that were recorded with a SHA-256 count, and each file is read once. A file that is
    gone has changed; where its folder cannot be seen either, nothing is known.
    """
    refs = {
        ref
        for task in tasks
        for ref in task.inputs
        if ref.checksum.startswith("sha256:") and not ref.workflow
    }
    return frozenset(ref for ref in refs if _has_changed(ref))


def _has_changed(ref: InputRef) -> bool:
    path = Path(ref.url)
    try:
        return digest_of(path).checksum != ref.checksum
    except OSError:
        return path.parent.is_dir() and not path.exists()
