"""One workflow of a campaign as a whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.views.workflow import sample_workflow, summarize_workflow
from tests.unit.scene import Scene, scene_of_a_chain

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


@pytest.fixture
def scene() -> Scene:
    return scene_of_a_chain()


def test_tasks_are_counted_and_failures_grouped(scene: Scene) -> None:
    """Each status, since when the oldest waits, when one was done last, and what failed since
    when.
    """
    start = scene.clock.now()
    scene.task(1, "reco", NEW)
    for run in (2, 3):
        scene.clock.advance(60)
        scene.task(run, "reco", FAILED, reason=f"exit code {run}", log=f"/log{run}")
    done = scene.task(4, "reco", DONE)
    scene.task(5, "reco", SKIPPED)
    seen = summarize_workflow(scene.store, "prompt", "reco")
    assert dict(seen.counts) == {NEW: 1, PROCESSING: 0, DONE: 1, FAILED: 2, SKIPPED: 1}
    assert seen.total == 5
    assert seen.oldest_open == start
    assert seen.newest_done == scene.newest(done).since
    assert seen.pause is None
    (group,) = seen.failures
    assert (group.units, group.size, group.log) == ("2-3", 2, "/log2")
    assert group.since is not None
    assert timedelta(seconds=60) <= group.since - start < timedelta(seconds=120)


def test_a_pause_is_seen_until_it_is_over(scene: Scene) -> None:
    """With who said so and why; that of another workflow is not ours."""
    scene.mark("pause", "prompt", "friends", {"paused": True})
    scene.mark("pause", "prompt", "reco", {"paused": True}, reason="storage is full")
    pause = summarize_workflow(scene.store, "prompt", "reco").pause
    assert pause is not None
    assert pause.reason == "storage is full"
    scene.mark("pause", "prompt", "reco", {"paused": False})
    assert summarize_workflow(scene.store, "prompt", "reco").pause is None


def test_a_workflow_that_a_parent_keeps_is_looked_up_there(scene: Scene) -> None:
    """And one that nobody has is refused."""
    scene.task(1, "reco", DONE)
    scene.campaign(Campaign("redo", parent="prompt", workflows=("friends",), follow=True))
    seen = summarize_workflow(scene.store, "redo", "reco")
    assert (seen.column.campaign, seen.counts[DONE]) == ("prompt", 1)
    with pytest.raises(UsageError, match="no workflow 'nowhere'"):
        summarize_workflow(scene.store, "redo", "nowhere")


def test_the_newest_done_tasks_tell_how_long_and_what_they_reported(scene: Scene) -> None:
    """Wall times of the jobs that were done are added up; numbers of the present version count,
    texts do not.
    """
    for run in (1, 2, 3):
        scene.runs(run)
        key = scene.task(run, "reco", PROCESSING)
        if run != 3:
            scene.job(key, JobStatus.RUNNING, JobStatus.DONE, wall_s=10.0 * run)
            scene.job(key, JobStatus.RUNNING, JobStatus.DONE, index=1, wall_s=5.0)
            scene.job(key, JobStatus.RUNNING, JobStatus.FAILED, index=2, wall_s=99.0)
        fields: dict[str, float | str] = {"rms": 0.5 * run, "camera": "LIME"}
        now = scene.clock.now()
        scene.store.append([FieldsRecord(key, 1, fields, now)])
        scene.move(key, DONE)
        if run == 3:
            scene.move(key, NEW, version=2)
            scene.move(key, PROCESSING, DONE)
    column = summarize_workflow(scene.store, "prompt", "reco").column
    sample = sample_workflow(scene.store, column, size=2)
    assert [one.run for one in sample.reported] == [2, 3]
    assert [one.wall_s for one in sample.reported] == [25.0, None]
    assert [dict(one.fields) for one in sample.reported] == [{"rms": 1.0}, {}]
    assert sample.fields == ["rms"]
    assert {row.tasks for row in sample.latency if row.begin == "running"} == {1}


def test_a_workflow_without_done_tasks_tells_nothing(scene: Scene) -> None:
    """There are no times and no numbers, and that is no error."""
    scene.task(1, "reco", FAILED)
    column = summarize_workflow(scene.store, "prompt", "reco").column
    sample = sample_workflow(scene.store, column)
    assert (sample.reported, sample.fields) == ((), [])
    assert {row.tasks for row in sample.latency} == {0}
