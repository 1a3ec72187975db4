"""Cycles in which jobs are not submitted, or removed: pauses, people who fail a task, held jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl import verbs
from autoctrl.handlers.batch import BatchHandler
from autoctrl.model.actor import Actor
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from tests.unit.machine.room import RECO, Room

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


def test_pausing_submits_nothing_and_still_collects(room: Room) -> None:
    """The pause and its reason are shown at what waits; running jobs end as ever; resuming goes
    on.
    """
    room.cycle(RECO)
    verbs.pause(room.request("beam tests"), "reco")
    room.has_run(2)
    room.jobs.finish("1/v1/0.1")
    room.cycle(RECO)
    assert (room.task("reco", "1").status, room.task("reco", "2").status) == (DONE, NEW)
    assert room.task("reco", "2").reason == "paused by ada: beam tests"
    verbs.resume(room.request(), "reco")
    room.cycle(RECO)
    assert room.task("reco", "2").status is PROCESSING
    other = BatchHandler("other", "tool")
    verbs.pause(room.request(), "reco")
    room.cycle(other)
    assert room.task("other").status is PROCESSING


def test_failing_a_task_removes_its_jobs_first(room: Room) -> None:
    """The executor is asked to remove them; when they are gone the task fails with the person's
    reason, unalarmed.
    """
    room.cycle(RECO)
    verbs.fail(room.request("wrong settings"), "1", "reco")
    room.cycle(RECO)
    assert (room.task("reco").status, len(room.jobs.removed)) == (PROCESSING, 1)
    room.cycle(RECO)
    failed = room.task("reco")
    assert (failed.status, failed.reason, failed.actor) == (
        FAILED,
        "wrong settings",
        Actor("ada", "cli"),
    )
    assert room.alarms == []


def test_a_removal_that_was_not_answered_is_asked_for_again(room: Room) -> None:
    """A service that is down at the wrong moment only delays it."""
    room.cycle(RECO)
    verbs.fail(room.request(), "1", "reco")
    remove = room.jobs.remove

    def refuse(handles: Sequence[str]) -> None:
        room.jobs.is_down = True
        remove(handles)

    room.jobs.remove = refuse  # type: ignore[method-assign]
    assert "does not answer" in room.cycle(RECO).problems[0]
    room.jobs.remove, room.jobs.is_down = remove, False  # type: ignore[method-assign]
    room.cycle(RECO)
    room.cycle(RECO)
    assert room.task("reco").status is FAILED


def test_a_held_job_is_removed_and_follows_its_class(room: Room) -> None:
    """Out of memory while held: the next attempt asks for more."""
    room.cycle(RECO)
    room.jobs.report("1/v1/0.1", JobStatus.HELD, "memory exceeded", Failure.MEMORY)
    room.cycle(RECO)
    room.cycle(RECO)
    room.cycle(RECO, pass_s=60)
    assert [order.spec.memory_mb for order in room.jobs.orders] == [2000, 3072]
