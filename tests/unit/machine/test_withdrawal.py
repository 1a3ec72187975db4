"""Runs that a filter took and does not take any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.handlers.batch import BatchHandler
from autoctrl.locks import Has
from autoctrl.machine.cycle import Cycle
from autoctrl.model.run import Where
from autoctrl.model.status import TaskStatus
from autoctrl.verbs import retry
from autoctrl.views import explain
from tests.unit.machine.room import Room

if TYPE_CHECKING:
    from pathlib import Path

PHYSICS = BatchHandler("physics", "tool {run}", runs=Where(kind="physics"), locks=Has("lumi"))
FILLED = BatchHandler("filled", "tool {group}", runs=Where(kind="physics"), group_by="fill")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Return a room with one run whose task waits."""
    room = Room(tmp_path, '[runs.attributes]\nkind = "str"\nfill = "int"\nlumi = "float"\n')
    room.has_run(1, kind="physics")
    room.cycle(PHYSICS)
    return room


def test_a_task_that_has_not_begun_is_withdrawn(room: Room) -> None:
    """Nothing is submitted for a run that the filter does not take any more, though its lock is
    open now.
    """
    room.has_run(1, kind="pedestal", lumi=3.0)
    assert room.cycle(PHYSICS).open == (0, 0)
    task = room.task("physics")
    assert (task.status, task.reason) == (
        TaskStatus.SKIPPED,
        "withdrawn: the filter no longer takes run 1",
    )
    assert room.jobs.orders == []


def test_a_withdrawn_task_comes_back(room: Room) -> None:
    """A run that is wanted again goes on with the same version."""
    room.has_run(1, kind="pedestal")
    room.cycle(PHYSICS)
    room.has_run(1, kind="physics", lumi=3.0)
    assert room.cycle(PHYSICS).counts["birth"] == 1
    assert (room.task("physics").status, room.task("physics").version) == (TaskStatus.PROCESSING, 1)


def test_looking_ahead_neither_starts_nor_announces_a_withdrawn_task(room: Room) -> None:
    """What the next cycle withdraws, a plan does not show as something that would start or be
    born.
    """
    room.has_run(1, kind="pedestal", lumi=3.0)
    assert Cycle(PHYSICS, room.context).look_ahead() == ([], [])


def test_a_task_that_has_begun_stays_and_why_says_so(room: Room) -> None:
    """It is not withdrawn, and the reader learns that the filter decides otherwise now, until it
    does not.
    """
    room.has_run(1, kind="physics", lumi=3.0)
    room.cycle(PHYSICS)
    room.has_run(1, kind="pedestal", lumi=3.0)
    room.cycle(PHYSICS)
    assert room.task("physics").status is TaskStatus.PROCESSING
    note = "the filter no longer takes run 1; a task that has begun is not withdrawn"
    assert explain(room.store, "prompt", "1", "physics").notes[1:] == (note,)
    room.has_run(2, kind="cosmic")
    room.cycle(PHYSICS)
    assert explain(room.store, "prompt", "1", "physics").notes[1:] == (note,)
    room.has_run(1, kind="physics", lumi=4.0)
    room.cycle(PHYSICS)
    assert explain(room.store, "prompt", "1", "physics").notes[1:] == ()


def test_a_task_that_a_person_sent_back_is_not_withdrawn(room: Room) -> None:
    """Whoever retries a withdrawn task wants it, whatever the filter says of the run."""
    room.has_run(1, kind="pedestal")
    room.cycle(PHYSICS)
    retry(room.request(), "1", "physics")
    room.has_run(1, kind="pedestal", lumi=3.0)
    room.cycle(PHYSICS)
    assert room.task("physics").status is TaskStatus.PROCESSING


def test_a_changed_filter_withdraws_what_has_not_begun(room: Room) -> None:
    """The one look at all runs after a change of the filter works both ways."""
    room.has_run(2, kind="cosmic", lumi=1.0)
    room.cycle(PHYSICS)
    other = BatchHandler("physics", "tool {run}", runs=Where(kind="cosmic"), locks=Has("lumi"))
    room.cycle(other)
    assert room.task("physics", "1").status is TaskStatus.SKIPPED
    assert room.task("physics", "2").status is TaskStatus.PROCESSING


def test_a_group_is_not_withdrawn(tmp_path: Path) -> None:
    """Its members are frozen; the reader of a member that is not wanted any more is told."""
    room = Room(tmp_path, '[runs.attributes]\nfill = "int"\n')
    for number, fill in ((1, 7), (2, 7), (3, 8)):
        room.has_run(number, kind="physics", fill=fill)
    room.cycle(FILLED)
    room.has_run(1, kind="pedestal", fill=7)
    room.cycle(FILLED)
    task = room.task("filled", "fill:7")
    assert (task.status, task.members) == (TaskStatus.PROCESSING, (1, 2))
    assert "no longer takes" in explain(room.store, "prompt", "1", "filled").notes[-1]
    assert explain(room.store, "prompt", "2", "filled").notes[1:] == ()
