"""What a cycle decides about tasks that grow while their run goes on."""

from __future__ import annotations

import pytest

from autoctrl.locks import Wait
from autoctrl.machine.plan import plan
from autoctrl.machine.situation import ActionKind, Impossible
from autoctrl.model.status import JobStatus, TaskStatus
from tests.unit.given import KEY, NOW, job, later, situation, task
from tests.unit.machine.planning import MERGE, RAW, jobs_of, only, ready, task_of


def test_a_part_that_a_retry_had_dropped_may_grow_back() -> None:
    """It goes on as the attempt after its last: no number is used twice."""
    record = task(is_growing=True, since=later(-10))
    old = job(JobStatus.FAILED, 1, attempt=3, sequence=7, time=later(-30))
    gate = {"4521": ready(2, is_growing=True)}
    for done in (job(JobStatus.DONE, 0), job(JobStatus.RUNNING, 0, time=NOW)):
        (again,) = jobs_of(only(plan(situation(record, done, old, readiness=gate))))
        assert (again.key.index, again.attempt, again.sequence) == (1, 4, 8)
    rest = [job(JobStatus.DONE, 0), old, job(JobStatus.DONE, 2)]
    between = only(plan(situation(record, *rest, readiness={"4521": ready(3, is_growing=True)})))
    assert [one.key.index for one in jobs_of(between)] == [1]


def test_a_task_grows_with_its_run() -> None:
    """While the run is open new ranges become new jobs beside those that live; what is there is not
    touched.
    """
    record = task(is_growing=True, inputs=())
    live = job(JobStatus.RUNNING, 0)
    gate = {"4521": ready(3, is_growing=True)}
    action = only(plan(situation(record, live, readiness=gate)))
    assert (action.kind, [one.key.index for one in jobs_of(action)]) == (ActionKind.GROW, [1, 2])
    assert (task_of(action).inputs, task_of(action).is_growing, task_of(action).since) == (
        (RAW,),
        True,
        record.since,
    )
    assert action.submit == tuple(jobs_of(action))
    assert (
        plan(
            situation(record, job(JobStatus.DONE, 0), readiness={"4521": ready(1, is_growing=True)})
        )
        == []
    )


def test_merge_and_done_wait_for_the_runs_end() -> None:
    """With every part done an open run is not concluded; at its end the last range is added, then
    all is merged.
    """
    record = task(is_growing=True)
    parts = [job(JobStatus.DONE, 0), job(JobStatus.DONE, 1)]
    fields = {"merge": lambda *_: MERGE}
    assert (
        plan(situation(record, *parts, readiness={"4521": ready(2, is_growing=True)}, **fields))
        == []
    )
    last = only(plan(situation(record, *parts, readiness={"4521": ready(3)}, **fields)))
    assert [one.key.index for one in jobs_of(last)] == [2]
    assert not task_of(last).is_growing
    closed = only(plan(situation(record, *parts, readiness={"4521": ready(2)}, **fields)))
    assert (closed.kind, jobs_of(closed)) == (ActionKind.GROW, [])
    assert only(plan(situation(task_of(closed), *parts, **fields))).kind is ActionKind.MERGE


@pytest.mark.parametrize(
    "changes",
    [
        {"readiness": {}},
        {"readiness": {"4521": Wait("the number of events is not known yet")}},
        {"readiness": {"4521": ready(3, is_growing=True)}, "paused": "paused"},
    ],
)
def test_a_task_does_not_grow_without_permission(changes: dict[str, object]) -> None:
    """No answer, a reason to wait, and a pause add nothing."""
    assert plan(situation(task(is_growing=True), job(JobStatus.RUNNING), **changes)) == []


def test_a_task_that_can_never_grow_fails_when_its_jobs_have_ended() -> None:
    """Once it is clear that no part can follow, what runs may end; then the task fails with the
    reason.
    """
    record, answers = task(is_growing=True), {"4521": Impossible("{reco} stands for 2 files")}
    assert plan(situation(record, job(JobStatus.RUNNING), readiness=answers)) == []
    action = only(plan(situation(record, job(JobStatus.DONE), readiness=answers)))
    assert (action.kind, action.alert) == (
        ActionKind.FAIL,
        f"{KEY} v1 failed: {{reco}} stands for 2 files",
    )
    failed = task_of(action)
    assert (failed.status, failed.is_growing) == (TaskStatus.FAILED, False)


def test_a_stopping_task_does_not_grow() -> None:
    """Once a person has asked to fail it, no job is added."""
    record = task(is_growing=True, stopping=True, reason="wrong")
    live = job(JobStatus.REMOVING)
    assert plan(situation(record, live, readiness={"4521": ready(3, is_growing=True)})) == []
