"""Records of tasks and jobs: complete, in sequence, never going back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autoctrl.errors import TransitionRefused
from autoctrl.model.actor import CYCLE, Actor
from autoctrl.model.job import MERGE_INDEX, attempt_path, index_text, tag, unit_folder, version_path
from autoctrl.model.status import Failure, JobStatus, Role, TaskStatus
from autoctrl.model.succession import TICK
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey
from tests.unit.given import KEY, NOW, SPEC, file, job, later, task

PERSON = Actor("ada", "cli")


def test_a_task_is_born_new() -> None:
    """The first record is new, version 1, sequence 1, its members frozen and its status beginning
    now.
    """
    record = new_task(KEY, (1, 2), NOW, epoch=4)
    assert (record.status, record.version, record.sequence, record.members) == (
        TaskStatus.NEW,
        1,
        1,
        (1, 2),
    )
    assert (record.since, record.epoch, record.is_open) == (NOW, 4, True)


def test_each_record_follows_the_one_before() -> None:
    """The sequence grows by one; reason, time to wait for and actor start afresh; the rest is
    carried over.
    """
    before = task(
        reason="because",
        until=NOW,
        actor=PERSON,
        sequence=5,
        inputs=(),
        provenance="d1",
        renewals=2,
    )
    after = before.moved(TaskStatus.DONE, NOW)
    assert (after.sequence, after.time, after.since) == (6, NOW, NOW)
    assert (after.reason, after.until, after.actor) == ("", None, CYCLE)
    assert (after.provenance, after.renewals, after.members, after.key) == ("d1", 2, (4521,), KEY)
    assert not after.is_open


def test_the_same_status_keeps_its_beginning() -> None:
    """A new reason does not make a status younger."""
    before = task(TaskStatus.NEW)
    assert before.moved(TaskStatus.NEW, NOW, reason="still waits").since == before.since


def test_time_never_goes_back() -> None:
    """Under a clock that is behind, a record is one microsecond younger than its predecessor."""
    record = task(time=later(60))
    assert record.moved(TaskStatus.DONE, NOW).time == later(60) + TICK
    attempt = job(time=later(60))
    assert attempt.moved(JobStatus.IDLE, NOW).time == later(60) + TICK
    assert attempt.again(NOW, SPEC, used=2).time == later(60) + TICK
    assert timedelta(microseconds=1) == TICK


def test_a_record_cannot_make_a_refused_transition() -> None:
    """Neither a task nor a final job moves where the table does not let it."""
    with pytest.raises(TransitionRefused, match="run 4521 / reco is new; it cannot become done"):
        task(TaskStatus.NEW).moved(TaskStatus.DONE, NOW)
    with pytest.raises(
        TransitionRefused, match=r"run 4521 / reco v1 job 0\.1 is lost, which is final"
    ):
        job(JobStatus.LOST).moved(JobStatus.RUNNING, NOW)


def test_a_sampled_job_stays_the_same_attempt() -> None:
    """Another status of an attempt keeps what is known of it and takes the next sequence."""
    before = job(JobStatus.IDLE, sequence=2, reason="queued", actor=PERSON)
    after = before.moved(JobStatus.RUNNING, NOW, host="node1")
    assert (after.attempt, after.sequence, after.handle, after.host) == (1, 3, "h0", "node1")
    assert (after.reason, after.actor, after.is_final) == ("", CYCLE, False)


def test_another_attempt_starts_from_nothing() -> None:
    """The next attempt has its own number and takes over neither handle, nor exit, nor files."""
    before = job(
        JobStatus.FAILED,
        exit_code=1,
        failure=Failure.USER,
        files=(file(),),
        host="node1",
        environment="e",
    )
    after = before.again(NOW, SPEC, used=2)
    assert (after.attempt, after.used, after.status, after.sequence) == (
        2,
        2,
        JobStatus.SUBMITTING,
        2,
    )
    assert (after.handle, after.exit_code, after.failure, after.files, after.host) == (
        "",
        None,
        None,
        (),
        "",
    )
    assert (after.key, after.role, after.environment, after.asked) == (
        before.key,
        Role.PART,
        "e",
        None,
    )


def test_a_tag_names_store_campaign_workflow_unit_version_index_and_attempt() -> None:
    """The identity towards an executor is the path of the attempt behind the store's id."""
    second = job(attempt=2)
    assert tag("s1", second) == "s1/prompt/reco/4521/v1/0.2"
    merge = job(index=MERGE_INDEX)
    assert tag("s1", merge) == "s1/prompt/reco/4521/v1/merge.1"
    assert (index_text(3), index_text(MERGE_INDEX)) == ("3", "merge")


def test_paths_contain_version_and_attempt() -> None:
    """No two attempts share a folder, so no file is ever overwritten."""
    paths = {
        attempt_path(job(index=index, attempt=attempt))
        for index in (-1, 0, 1)
        for attempt in (1, 2)
    }
    assert len(paths) == 6
    assert version_path(KEY, 2) == "prompt/reco/4521/v2"


@pytest.mark.parametrize(
    ("unit", "folder"),
    [("4521", "4521"), ("fill:8222", "fill-8222"), ("kind:a b/c", "kind-a%20b%2Fc")],
)
def test_a_unit_makes_one_plain_folder(unit: str, folder: str) -> None:
    """A group's colon becomes a dash and odd characters are encoded, so a value can never leave its
    folder.
    """
    assert unit_folder(unit) == folder
    assert version_path(TaskKey("prompt", "reco", unit), 1).count("/") == 3
