"""Where a task or a job stands, and which changes are permitted: the machine, as a table."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from autoctrl.errors import TransitionRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class TaskStatus(StrEnum):
    """Where a task stands."""

    NEW = "new"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class JobStatus(StrEnum):
    """Where a job stands, as last sampled."""

    SUBMITTING = "submitting"
    IDLE = "idle"
    RUNNING = "running"
    HELD = "held"
    REMOVING = "removing"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    REMOVED = "removed"


class Role(StrEnum):
    """What a job is for: one part of the work, or the merge of all parts."""

    PART = "part"
    MERGE = "merge"


class Failure(StrEnum):
    """Why a job did not succeed; decides whether it is tried again and how."""

    MEMORY = "memory"
    TIME = "time limit"
    NODE = "node"
    HELD = "held"
    SERVICE = "service"
    REMOVED = "removed"
    USER = "user code"
    OUTPUT = "output"


TASK_TRANSITIONS: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.NEW: frozenset({TaskStatus.PROCESSING, TaskStatus.SKIPPED}),
    TaskStatus.PROCESSING: frozenset({TaskStatus.DONE, TaskStatus.FAILED}),
    TaskStatus.DONE: frozenset({TaskStatus.NEW}),
    TaskStatus.FAILED: frozenset({TaskStatus.NEW, TaskStatus.SKIPPED}),
    TaskStatus.SKIPPED: frozenset({TaskStatus.NEW}),
}

WAYS_OUT: Mapping[TaskStatus, str] = {
    TaskStatus.NEW: "it has not begun; a cycle begins it, skip takes it out",
    TaskStatus.PROCESSING: "it is at work; fail ends it, or it ends by itself",
    TaskStatus.DONE: "it is over; reprocess begins its next version",
    TaskStatus.FAILED: "it is over; retry tries again, skip takes it out",
    TaskStatus.SKIPPED: "it is out of the processing; retry takes it in again",
}
"""How a task leaves a status, for whoever asks for what is not permitted."""

OPEN_TASKS = frozenset({TaskStatus.NEW, TaskStatus.PROCESSING})
FINAL_JOBS = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.LOST, JobStatus.REMOVED})


def combine_statuses(statuses: Iterable[TaskStatus]) -> TaskStatus:
    """Return the status of all of them together: failed if any is, processing if any is or if done
    and new mix, else new if any is, else done.
    """
    found = set(statuses)
    if TaskStatus.FAILED in found:
        return TaskStatus.FAILED
    if TaskStatus.PROCESSING in found or {TaskStatus.DONE, TaskStatus.NEW} <= found:
        return TaskStatus.PROCESSING
    return TaskStatus.NEW if TaskStatus.NEW in found else TaskStatus.DONE


def check_task(what: str, before: TaskStatus, after: TaskStatus) -> None:
    """Raise ``TransitionRefused`` unless ``before`` may become ``after``; the same status again is
    not a transition.

    ``what`` names the task for the reader, e.g. ``run 4521 / friends``.
    """
    if after == before or after in TASK_TRANSITIONS[before]:
        return
    message = f"{what} is {before}; it cannot become {after}: {WAYS_OUT[before]}."
    raise TransitionRefused(message)


def check_job(what: str, before: JobStatus, after: JobStatus) -> None:
    """Raise ``TransitionRefused`` if ``before`` is final and ``after`` is another status.

    Jobs are sampled, so any status may follow any that is not final.
    """
    if before in FINAL_JOBS and after != before:
        message = f"{what} is {before}, which is final; it cannot become {after}."
        raise TransitionRefused(message)
