"""What has failed for good and waits for a person: one line for all that share a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.model.gist import gist_of
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import format_units
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store


class FailedTasks(NamedTuple):
    """Failed tasks of one workflow that say the same, apart from figures, run numbers and paths.

    workflow  its name
    units     the tasks as a selection, which a verb takes: ``4500-4510,fill:8222``
    size      number of tasks
    reason    the first task's reason
    log       address of the first log, empty if there is none
    since     when the first of them failed
    """

    workflow: str
    units: str
    size: int
    reason: str
    log: str
    since: datetime


def list_failed(store: Store, campaign: str) -> list[FailedTasks]:
    """Return what has failed in a campaign, by workflow, the most first.

    Raises ``UsageError`` for an unknown campaign.
    """
    find_campaign(store, campaign)
    return group_failed(store.tasks(Selection(campaign, statuses=(TaskStatus.FAILED,))))


def group_failed(tasks: Iterable[TaskRecord]) -> list[FailedTasks]:
    """Return those of the tasks that have failed, by workflow, the most first."""
    alike: dict[tuple[str, str], list[TaskRecord]] = {}
    for task in tasks:
        if task.status is TaskStatus.FAILED:
            alike.setdefault((task.key.workflow, gist_of(task.reason)), []).append(task)
    found = [_join(workflow, tasks) for (workflow, _), tasks in alike.items()]
    return sorted(found, key=lambda one: (one.workflow, -one.size))


def _join(workflow: str, tasks: list[TaskRecord]) -> FailedTasks:
    log = next((task.log for task in tasks if task.log), "")
    units = format_units(task.key.unit for task in tasks)
    since = min(task.since or task.time for task in tasks)
    return FailedTasks(workflow, units, len(tasks), tasks[0].reason, log, since)
