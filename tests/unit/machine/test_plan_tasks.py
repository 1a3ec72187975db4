"""What a cycle decides about tasks: wait, start, grow, merge, finish, fail."""

from __future__ import annotations

import pytest

from autoctrl.locks import Wait
from autoctrl.machine.failures import Policy
from autoctrl.machine.plan import plan
from autoctrl.machine.situation import ActionKind, Impossible, Situation, Startable, apply_records
from autoctrl.model.actor import Actor
from autoctrl.model.job import MERGE_INDEX
from autoctrl.model.output import OutputRecord
from autoctrl.model.status import Failure, JobStatus, Role, TaskStatus
from autoctrl.model.task import TaskRecord
from tests.unit.given import KEY, NOW, SPEC, ended, file, job, later, result, situation, task
from tests.unit.machine.planning import MERGE, RAW, jobs_of, only, ready, task_of, written

NEW, PROCESSING = TaskStatus.NEW, TaskStatus.PROCESSING


def test_a_task_that_nobody_has_asked_about_is_left_alone() -> None:
    """Without an answer of the locks nothing is decided."""
    assert plan(situation(task(NEW))) == []


def test_a_task_that_can_never_start_fails_without_a_job() -> None:
    """It goes through processing, as the table wants, and people are told why."""
    answers = {KEY.unit: Impossible("{reco} stands for 2 files")}
    action = only(plan(situation(task(NEW), readiness=answers)))
    assert [record.status for record in action.records if isinstance(record, TaskRecord)] == [
        PROCESSING,
        TaskStatus.FAILED,
    ]
    assert (action.kind, action.text) == (ActionKind.FAIL, "{reco} stands for 2 files")
    assert action.alert == f"{KEY} v1 failed: {{reco}} stands for 2 files"
    assert action.submit == ()


def test_a_reason_to_wait_is_stored_when_its_text_changes() -> None:
    """The first cycle writes it with its time, the next says it again and writes nothing, whatever
    the time is then.
    """
    gates = {"4521": Wait("run 4521 changed", later(9))}
    first = only(plan(situation(task(NEW), readiness=gates)))
    record = task_of(first)
    assert (record.status, record.reason, record.until) == (NEW, "run 4521 changed", later(9))
    assert record.since == later(-60)
    again = only(plan(situation(record, readiness={"4521": Wait("run 4521 changed", later(99))})))
    assert (again.kind, again.records, again.text) == (ActionKind.WAIT, (), "run 4521 changed")
    other = only(plan(situation(record, readiness={"4521": Wait("something else")})))
    assert task_of(other).reason == "something else"


def test_starting_freezes_everything_in_the_intent() -> None:
    """One write holds the task in processing with its inputs, and an intent per part; the same
    parts are submitted.
    """
    action = only(
        plan(situation(task(NEW, reason="waited", stopping=True), readiness={"4521": ready(2)}))
    )
    record, *intents = action.records
    assert isinstance(record, TaskRecord)
    assert (record.status, record.inputs, record.provenance, record.reason) == (
        PROCESSING,
        (RAW,),
        "digest",
        "",
    )
    assert (record.since, record.stopping, record.is_growing) == (NOW, False, False)
    jobs = jobs_of(action)
    assert list(action.submit) == jobs == intents
    assert [(one.key.index, one.attempt, one.status, one.asked) for one in jobs] == [
        (0, 1, JobStatus.SUBMITTING, NOW),
        (1, 1, JobStatus.SUBMITTING, NOW),
    ]
    assert [one.spec.events for one in jobs] == [(0, 200), (200, 400)]
    assert all(one.role is Role.PART for one in jobs)
    assert (action.kind, action.text) == (ActionKind.START, "start 2 jobs")


def test_a_single_job_is_said_in_the_singular() -> None:
    """People read the text."""
    assert only(plan(situation(task(NEW), readiness={"4521": ready()}))).text == "start 1 job"


def test_a_paused_workflow_starts_nothing_and_says_so() -> None:
    """The reason is the pause, even where the locks are open."""
    action = only(
        plan(situation(task(NEW), readiness={"4521": ready()}, paused="paused by ada: beam tests"))
    )
    assert (action.kind, task_of(action).reason, action.submit) == (
        ActionKind.WAIT,
        "paused by ada: beam tests",
        (),
    )


def test_a_retry_keeps_done_jobs_and_continues_the_numbers() -> None:
    """Only parts that are not done start again, as the attempt that follows their last, with a
    budget of their own.
    """
    old = [
        job(JobStatus.DONE, 0, files=(file(),)),
        job(JobStatus.FAILED, 1, attempt=4, used=3, spent=(Failure.TIME,), late=2, sequence=9),
    ]
    action = only(plan(situation(task(NEW, renewals=1), *old, readiness={"4521": ready(2)})))
    (again,) = jobs_of(action)
    assert (again.key.index, again.attempt, again.used, again.spent, again.sequence) == (
        1,
        5,
        1,
        (),
        10,
    )
    assert (again.late, again.asked) == (2, NOW)
    assert action.submit == (again,)


@pytest.mark.parametrize(
    ("before", "asked", "cap", "after"),
    [(3072, 2000, 16000, 3072), (3072, 4000, 16000, 4000), (9000, 2000, 8000, 8000)],
)
def test_a_retry_keeps_grown_memory(before: int, asked: int, cap: int, after: int) -> None:
    """Memory that an attempt was given because it lacked it is not taken away again, within the
    cap.
    """
    old = job(JobStatus.FAILED, spec=SPEC._replace(memory_mb=before))
    gate = Startable((), (SPEC._replace(memory_mb=asked),))
    action = only(
        plan(situation(task(NEW), old, readiness={"4521": gate}, policy=Policy(max_memory_mb=cap)))
    )
    assert jobs_of(action)[0].spec.memory_mb == after


def test_a_task_is_finished_only_when_every_part_is_done() -> None:
    """While one part lives nothing is concluded; when the last has ended the outputs are
    published.
    """
    done = job(JobStatus.DONE, 0, files=(file(url="/out/0"),))
    assert plan(situation(task(), done, job(JobStatus.RUNNING, 1))) == []
    last = job(JobStatus.RUNNING, 1)
    end = ended(last, result(files=(file(url="/out/1"),)))
    actions = plan(situation(task(), done, last, seen={1: end}))
    assert [action.kind for action in actions] == [ActionKind.SAMPLE, ActionKind.FINISH]
    assert [r.url for r in written(actions) if isinstance(r, OutputRecord)] == ["/out/0", "/out/1"]
    assert task_of(actions[1]).status is TaskStatus.DONE


def test_a_task_without_jobs_is_done_at_once() -> None:
    """A version whose handler lists no job has nothing to wait for."""
    assert only(plan(situation(task()))).kind is ActionKind.FINISH


def test_a_failed_part_fails_the_task_once_no_other_lives() -> None:
    """Running parts are collected first; then one record and one alert tell of the failure."""
    bad = job(JobStatus.FAILED, 0, failure=Failure.USER, reason="exit code 3", log="/log")
    assert plan(situation(task(), bad, job(JobStatus.RUNNING, 1))) == []
    action = only(plan(situation(task(), bad, job(JobStatus.DONE, 1))))
    assert (action.kind, task_of(action).status) == (ActionKind.FAIL, TaskStatus.FAILED)
    assert action.alert.count("exit code 3") == 1


def test_a_stopping_task_fails_when_its_jobs_are_gone() -> None:
    """Even parts that were done do not make it done; no alert is sent for what a person asked."""
    person = Actor("ada", "cli")
    record = task(stopping=True, reason="wrong", actor=person)
    action = only(plan(situation(record, job(JobStatus.DONE, 0), job(JobStatus.REMOVED, 1))))
    failed = task_of(action)
    assert (failed.status, failed.reason, failed.actor, action.alert) == (
        "failed",
        "wrong",
        person,
        "",
    )
    assert only(plan(situation(record, job(JobStatus.DONE)))).kind is ActionKind.FAIL


def test_parts_are_merged_when_all_are_done() -> None:
    """The merge's intent is written then, names the parts' attempts through its specification, and
    is submitted.
    """
    parts = [job(JobStatus.DONE, 0, attempt=2), job(JobStatus.DONE, 1)]
    asked: list[list[str]] = []

    def merge(record: TaskRecord, jobs: object) -> object:
        assert record.key == KEY
        asked.append([str(one) for one in jobs])  # type: ignore[attr-defined]
        return MERGE

    action = only(plan(situation(task(), *parts, merge=merge)))
    (intent,) = jobs_of(action)
    assert (intent.key.index, intent.role, intent.attempt, intent.spec) == (
        MERGE_INDEX,
        Role.MERGE,
        1,
        MERGE,
    )
    assert (action.kind, action.submit, action.text) == (
        ActionKind.MERGE,
        (intent,),
        "merge 2 parts",
    )
    assert asked == [["run 4521 / reco v1 job 0.2", "run 4521 / reco v1 job 1.1"]]


def test_what_need_not_be_merged_is_published_as_it_is() -> None:
    """A single part, and a handler that does not merge, publish the parts themselves."""
    parts = [
        job(JobStatus.DONE, 0, files=(file(url="/a"),)),
        job(JobStatus.DONE, 1, files=(file(url="/b"),)),
    ]
    for mine, merge in ((parts[:1], lambda *_: MERGE), (parts, lambda *_: None), (parts, None)):
        action = only(plan(situation(task(), *mine, merge=merge)))
        assert action.kind is ActionKind.FINISH
        assert action.discard == ()


def test_a_paused_workflow_submits_no_merge() -> None:
    """The parts stay until the pause is over."""
    parts = [job(JobStatus.DONE, 0), job(JobStatus.DONE, 1)]
    assert plan(situation(task(), *parts, merge=lambda *_: MERGE, paused="paused")) == []


def test_a_merge_that_failed_fails_the_task_and_a_retry_merges_again() -> None:
    """The parts stay done; the new merge is the next attempt, and the old one counts no more."""
    parts = [job(JobStatus.DONE, n, files=(file(url=f"/{n}"),)) for n in (0, 1)]
    bad = job(JobStatus.FAILED, MERGE_INDEX, failure=Failure.USER, reason="no space", time=NOW)
    fields = {"merge": lambda *_: MERGE}
    failed = task_of(only(plan(situation(task(), *parts, bad, **fields))))
    assert failed.status is TaskStatus.FAILED
    retried = failed.moved(NEW, NOW, renewals=1)
    gate = Startable(retried.inputs, (SPEC, SPEC), retried.provenance)
    started = only(plan(situation(retried, *parts, bad, readiness={"4521": gate}, **fields)))
    assert jobs_of(started) == []
    record = task_of(started)
    merging = only(plan(situation(record, *parts, bad, **fields)))
    (intent,) = jobs_of(merging)
    assert (merging.kind, intent.attempt, intent.sequence) == (
        ActionKind.MERGE,
        2,
        bad.sequence + 1,
    )
    done = ended(intent, result(files=(file(url="/all"),)))
    actions = plan(situation(record, *parts, intent, seen={MERGE_INDEX: done}, **fields))
    finish = actions[-1]
    assert [r.url for r in finish.records if isinstance(r, OutputRecord)] == ["/all"]
    assert finish.discard == ("/0", "/1")


def test_parts_that_a_retry_does_not_list_count_no_more() -> None:
    """A failed part of a former budget, which the specification has lost since, does not fail the
    retry.
    """
    record = task(since=later(-10))
    old = job(JobStatus.FAILED, 1, time=later(-30))
    assert only(plan(situation(record, job(JobStatus.DONE, 0), old))).kind is ActionKind.FINISH


def test_tasks_are_decided_in_their_order_and_apart() -> None:
    """One task's answer is not another's."""
    second = KEY._replace(unit="4522")
    both = situation(task(NEW))
    tasks = [*both.tasks, both.tasks[0]._replace(task=task(NEW, key=second))]
    gates: dict[str, Wait | Startable] = {"4521": Wait("a"), "4522": ready()}
    actions = plan(Situation(NOW, tasks, gates, {}))
    assert [(action.task, action.kind) for action in actions] == [
        (KEY, ActionKind.WAIT),
        (second, ActionKind.START),
    ]


def test_tasks_stand_after_a_write_as_the_store_would_say() -> None:
    """Newly written tasks and jobs are taken in, and a task that is no longer open is left out."""
    first, other = task(NEW), task(NEW, key=KEY._replace(unit="4522"))
    opened = situation(first).tasks
    started = written(plan(situation(first, readiness={"4521": ready(2)})))
    stand = apply_records(opened, [*started, other])
    assert [(one.task.status, len(one.jobs)) for one in stand] == [(PROCESSING, 2), (NEW, 0)]
    assert apply_records(stand, [stand[0].task.moved(TaskStatus.DONE, NOW)]) == [stand[1]]
