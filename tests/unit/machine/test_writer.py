"""Who writes a cycle's records, and under which lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import LeaseHeld, LeaseLost
from autoctrl.machine.writer import LeasedWriter
from autoctrl.process import this_process
from tests.contract.samples import job, mark, task

if TYPE_CHECKING:
    from tests.unit.machine.room import Room


class Watch:
    """A clock that only goes on when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def writer(room: Room, watch: Watch) -> LeasedWriter:
    """Return the writer of workflow reco, which has written nothing yet."""
    return LeasedWriter(room.context, "reco", watch)


def test_what_is_written_carries_the_stamp_of_its_lease(room: Room) -> None:
    """Tasks and jobs say under which lease and in which environment; marks belong to neither."""
    writer = LeasedWriter(room.context, "reco")
    room.store.lease("prompt/reco", "somebody", 5)
    room.store.lease("prompt/reco", "somebody", 0)
    fact, first = mark(), task()
    written = writer.write([fact, first, job(first)])
    assert written[0] is fact
    assert [record.epoch for record in written[1:]] == [2, 2]  # type: ignore[union-attr]
    assert writer.written == 3


def test_nothing_is_claimed_for_nothing(room: Room, writer: LeasedWriter) -> None:
    """Somebody else may work while there is nothing to write."""
    assert writer.write([]) == []
    writer.give_up()
    assert room.store.lease("prompt/reco", "somebody", 5).epoch == 1


def test_the_lease_is_kept_until_it_is_given_up(room: Room, writer: LeasedWriter) -> None:
    """Nobody else can claim it in between."""
    first = writer.hold()
    assert writer.hold() is first
    with pytest.raises(LeaseHeld):
        room.store.lease("prompt/reco", "somebody", 5)
    writer.give_up()
    assert room.store.lease("prompt/reco", "somebody", 5).epoch == 2


def test_a_renewed_lease_keeps_its_epoch(writer: LeasedWriter, watch: Watch) -> None:
    """Long work renews it."""
    first = writer.hold()
    watch.now += 3600
    again = writer.hold()
    assert again is not first
    assert again.epoch == first.epoch


def test_a_lease_that_was_lost_ends_the_writing(
    room: Room, writer: LeasedWriter, watch: Watch
) -> None:
    """A holder that wakes up after its lease went to another writes nothing under the new one."""
    writer.hold()
    room.store.lease("prompt/reco", this_process(), 0)
    watch.now += 3600
    with pytest.raises(LeaseLost, match="ran out and was claimed anew"):
        writer.write([task()])
