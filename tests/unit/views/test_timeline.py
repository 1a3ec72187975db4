"""How the tasks of a run stood over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.model.unit import TaskKey
from autoctrl.views.timeline import timeline
from tests.unit.scene import scene_of_a_chain

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
RECO = ("reco", "1")


def moved(*steps: tuple[float, TaskStatus]) -> list[TaskRecord]:
    """Return the records of a task that was born at the start and moved after so many minutes."""
    records = [new_task(TaskKey("prompt", "reco", "1"), (1,), START)]
    for minutes, status in steps:
        records.append(records[-1].moved(status, START + timedelta(minutes=minutes)))
    return records


def test_each_status_is_a_bar_until_the_next() -> None:
    """An open task lasts until now; a record that moves nothing begins no bar."""
    records = moved((10, PROCESSING), (15, PROCESSING))
    found = timeline({RECO: records}, START + timedelta(minutes=40))
    assert found is not None
    (line,) = found.lines
    assert (line.workflow, line.unit) == RECO
    assert [(bar.status, bar.left, bar.width, bar.is_lasting) for bar in line.bars] == [
        (NEW, 0.0, 0.25, False),
        (PROCESSING, 0.25, 0.75, True),
    ]
    assert [bar.text for bar in line.bars] == ["new for 10 min", "processing for 30 min so far"]


def test_what_has_come_to_rest_ends_soon_after() -> None:
    """Years later the bars are still as wide, and a task's end is seen."""
    found = timeline({RECO: moved((10, PROCESSING), (20, DONE))}, START + timedelta(days=900))
    assert found is not None
    assert found.end == START + timedelta(minutes=21)
    assert found.lines[0].bars[-1].width > 0.04


def test_tasks_lie_on_one_line_of_time() -> None:
    """The one that began first begins at the left edge, and nothing leaves the frame."""
    scene = scene_of_a_chain()
    reco = scene.task(1, "reco", DONE)
    scene.job(reco, JobStatus.DONE)
    scene.clock.advance(100)
    friends = scene.task(1, "friends", PROCESSING)
    histories = {
        ("reco", "1"): scene.store.history(reco),
        ("friends", "1"): scene.store.history(friends),
        ("none", "1"): [],
    }
    found = timeline(histories, scene.clock.now())
    assert found is not None
    assert [line.workflow for line in found.lines] == ["reco", "friends"]
    assert found.lines[0].bars[0].left == 0.0
    assert found.lines[1].bars[0].left > 0.9
    for line in found.lines:
        assert all(0 <= bar.left <= bar.left + bar.width <= 1.0001 for bar in line.bars)


@pytest.mark.parametrize(
    ("minutes", "marks"), [(4, 4), (20, 4), (60 * 12, 4), (60 * 24 * 300, 5), (0, 1)]
)
def test_a_few_round_times_are_marked(minutes: float, marks: int) -> None:
    """Whether it took seconds or a year."""
    found = timeline({RECO: moved()}, START + timedelta(minutes=minutes))
    assert found is not None
    assert len(found.marks) == marks
    assert all(0 <= mark.at <= 1 for mark in found.marks)


def test_nothing_has_no_timeline() -> None:
    """Without a task there is none."""
    assert timeline({}, START) is None
    assert timeline({RECO: []}, START) is None
