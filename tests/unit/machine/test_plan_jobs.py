"""What a cycle decides about jobs: sample, accept, try again, submit again, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.machine.failures import Policy
from autoctrl.machine.plan import plan
from autoctrl.machine.plan_jobs import plan_job
from autoctrl.machine.situation import ActionKind, LateResult, ObservedJob
from autoctrl.model.job import JobRecord
from autoctrl.model.status import FINAL_JOBS, Failure, JobStatus
from autoctrl.ports import JobReport
from tests.unit.given import NOW, SPEC, ended, failed, file, job, later, result, situation, task

if TYPE_CHECKING:
    from autoctrl.machine.situation import Action

LIVE = [status for status in JobStatus if status not in FINAL_JOBS]
STOPPING = task(stopping=True, reason="wrong")
UNKNOWN = ObservedJob("", None)


def seen(
    status: JobStatus, reason: str = "", failure: Failure | None = None, **fields: object
) -> ObservedJob:
    """Return what the executor says of a live job."""
    return ObservedJob("h0", JobReport(status, reason, failure, **fields), log="/log")  # type: ignore[arg-type]


def decide(
    one: JobRecord, sighting: ObservedJob | None, record: object = None, **fields: object
) -> tuple[JobRecord, list[Action]]:
    kept = task() if record is None else record
    given = {} if sighting is None else {one.key.index: sighting}
    step = plan_job(kept, one, situation(kept, one, seen=given, **fields))  # type: ignore[arg-type]
    return step.job, list(step.actions)


@pytest.mark.parametrize("status", sorted(FINAL_JOBS))
@pytest.mark.parametrize(
    "said", [seen(JobStatus.RUNNING), ended(job()), failed(job(), Failure.NODE), None]
)
def test_a_final_job_never_changes(status: JobStatus, said: ObservedJob | None) -> None:
    """Whatever the executor says afterwards, the attempt stands as it was accepted."""
    one = job(status)
    assert decide(one, said) == (one, [])


def test_no_answer_is_no_transition() -> None:
    """An executor that is silent about a job changes nothing."""
    for status in LIVE:
        one = job(status)
        assert decide(one, None) == (one, [])
        assert decide(one, ObservedJob("h0", None)) == (one, [])


def test_a_sample_is_written_when_something_changed() -> None:
    """Status, reason, host, starts and log are taken over once; the same again writes nothing."""
    after, (action,) = decide(
        job(JobStatus.IDLE), seen(JobStatus.RUNNING, "slot 3", starts=1, host="node1")
    )
    assert (after.status, after.reason, after.host, after.starts, after.log) == (
        "running",
        "slot 3",
        "node1",
        1,
        "/log",
    )
    assert (action.kind, action.records, action.submit, action.remove) == (
        ActionKind.SAMPLE,
        (after,),
        (),
        (),
    )
    assert decide(after, seen(JobStatus.RUNNING, "slot 3", starts=1, host="node1")) == (after, [])
    restarted, _ = decide(after, seen(JobStatus.RUNNING, "slot 3", starts=2, host="node2"))
    assert (restarted.attempt, restarted.starts, restarted.host) == (1, 2, "node2")


def test_a_submission_that_was_cut_off_is_adopted() -> None:
    """An executor that knows the tag has the job: its handle is taken over, and nothing is
    submitted.
    """
    after, (action,) = decide(job(JobStatus.SUBMITTING), seen(JobStatus.IDLE))
    assert (after.status, after.handle, after.attempt) == (JobStatus.IDLE, "h0", 1)
    assert action.submit == ()


def test_a_job_found_finished_is_accepted_at_once() -> None:
    """A submission whose answer was lost may have ended meanwhile."""
    after, _ = decide(job(JobStatus.SUBMITTING), ended(job()))
    assert (after.status, after.handle, after.exit_code) == (JobStatus.DONE, "h0", 0)


@pytest.mark.parametrize(
    ("age", "said", "is_safe", "is_repeated"),
    [
        (1, UNKNOWN, True, True),
        (1, UNKNOWN, False, False),
        (59.9, UNKNOWN, False, False),
        (60.1, UNKNOWN, False, True),
        (9999, None, True, False),
        (9999, None, False, False),
    ],
)
def test_a_submission_is_repeated_only_after_a_clear_answer(
    age: float, said: ObservedJob | None, *, is_safe: bool, is_repeated: bool
) -> None:
    """Unless repeating is known to be safe, the answer must be newer than intent and deadline;
    silence never counts.
    """
    one = job(JobStatus.SUBMITTING, asked=later(-age), reason="attempt 1 failed")
    after, actions = decide(
        one, said, is_resubmit_safe={"local": is_safe}, policy=Policy(submit_limit_s=60)
    )
    assert bool(actions) == is_repeated
    if is_repeated:
        (action,) = actions
        assert (action.kind, action.submit, action.records) == (
            ActionKind.SUBMIT,
            (after,),
            (after,),
        )
        assert (after.attempt, after.asked, after.reason, after.spec) == (
            1,
            NOW,
            "attempt 1 failed",
            one.spec,
        )


def test_an_executor_of_another_name_is_not_taken_for_safe() -> None:
    """The promise counts for the executor that the intent names."""
    one = job(JobStatus.SUBMITTING, asked=later(-1))
    assert decide(one, UNKNOWN, is_resubmit_safe={"other": True}) == (one, [])


@pytest.mark.parametrize(
    ("wait_s", "is_submitted"), [(1, False), (0, True), (-1, True), (None, True)]
)
def test_a_further_attempt_waits_out_its_back_off(
    wait_s: float | None, *, is_submitted: bool
) -> None:
    """Before its time it is not submitted; an attempt that was never asked for needs no answer
    first.
    """
    until = None if wait_s is None else later(wait_s)
    one = job(JobStatus.SUBMITTING, attempt=2, asked=None, not_before=until)
    after, actions = decide(one, None)
    assert [action.submit for action in actions] == ([(after,)] if is_submitted else [])


def test_a_paused_workflow_submits_nothing_but_collects() -> None:
    """Attempts that wait stay, running jobs are still sampled and accepted, and their next attempt
    is only noted.
    """
    waiting = job(JobStatus.SUBMITTING, asked=None)
    assert decide(waiting, None, paused="paused") == (waiting, [])
    done, (action,) = decide(job(), ended(job()), paused="paused")
    assert (done.status, action.acknowledge) == (JobStatus.DONE, (done,))
    following, (noted,) = decide(job(), failed(job(), Failure.NODE), paused="paused")
    assert (following.attempt, noted.submit) == (2, ())


def test_a_result_is_accepted_in_the_write_that_moves_the_job() -> None:
    """Everything the wrapper measured is in the record that makes it done; then the executor may
    forget it.
    """
    end = result(
        host="node7",
        starts=2,
        wall_s=5.0,
        cpu_s=4.0,
        peak_memory_mb=321.0,
        files=(file(),),
        fields={"n": 1.0},
    )
    after, (action,) = decide(job(), ended(job(), end)._replace(log="/log"))
    assert (after.status, after.exit_code, after.signal, after.failure, after.reason) == (
        "done",
        0,
        None,
        None,
        "",
    )
    assert (after.host, after.starts, after.wall_s, after.cpu_s, after.peak_memory_mb) == (
        "node7",
        2,
        5.0,
        4.0,
        321.0,
    )
    assert (after.files, after.fields, after.log) == ((file(),), {"n": 1.0}, "/log")
    assert (action.records, action.acknowledge, action.submit) == ((after,), (after,), ())


def test_what_is_remarked_of_a_job_that_is_done_is_kept() -> None:
    """A field that was left out costs nothing, but its author can read of it."""
    end = result(reason="fields left out: gain")
    after, _ = decide(job(), ended(job(), end))
    assert (after.status, after.reason) == (JobStatus.DONE, "fields left out: gain")


def test_a_job_whose_output_is_wrong_publishes_nothing() -> None:
    """Exit 0 with a wrong output is a failure of the class output, without files and without
    another attempt.
    """
    sighting = ended(job(), result(files=(file(),)))._replace(
        problem="output x has 3 entries for 5 events"
    )
    after, (action,) = decide(job(), sighting)
    assert (after.status, after.failure, after.files) == (JobStatus.FAILED, Failure.OUTPUT, ())
    assert after.reason == "output x has 3 entries for 5 events"
    assert action.records == (after,)


def test_a_failed_attempt_and_the_next_intent_are_one_write() -> None:
    """No moment is left in which the job has neither a live attempt nor a final one; it is
    submitted later.
    """
    after, (action,) = decide(job(sequence=4), failed(job(), Failure.NODE, "evicted"))
    first, second = action.records
    assert isinstance(first, JobRecord)
    assert (first.status, first.failure, first.reason, first.attempt, first.sequence) == (
        "failed",
        "node",
        "evicted",
        1,
        5,
    )
    assert second == after
    assert (after.attempt, after.sequence, after.status) == (2, 6, JobStatus.SUBMITTING)
    assert (action.acknowledge, action.submit) == ((first,), ())


def test_a_failure_without_repetition_ends_the_job() -> None:
    """User code is not repeated, unless its exit code was declared."""
    end = ended(job(), result(75))
    after, _ = decide(job(), end)
    assert (after.status, after.failure, after.exit_code) == (JobStatus.FAILED, Failure.USER, 75)
    following, _ = decide(job(), end, policy=Policy(retry_exit_codes=frozenset({75})))
    assert following.attempt == 2


def test_a_lost_job_is_not_acknowledged() -> None:
    """Its result may still arrive, and is to be recorded then; the next attempt starts
    meanwhile.
    """
    lost = ended(job(), status=JobStatus.LOST, reason="the node died")
    after, (action,) = decide(job(), lost)
    first, second = action.records
    assert isinstance(first, JobRecord)
    assert (first.status, first.failure, first.handle) == (JobStatus.LOST, Failure.NODE, "h0")
    assert (after.attempt, second, action.acknowledge) == (2, after, ())
    final, (last,) = decide(job(used=3), lost)
    assert (final.status, last.acknowledge) == (JobStatus.LOST, ())


def test_a_late_result_is_recorded_and_never_accepted() -> None:
    """The attempt that lives goes on; the record says what came late, once, and publishes
    nothing.
    """
    live = job(attempt=2)
    after, (action,) = decide(live, seen(JobStatus.RUNNING)._replace(late=LateResult(1, 0)))
    assert (after.status, after.attempt, after.late, after.files) == (JobStatus.RUNNING, 2, 1, ())
    assert after.reason == "a late result of attempt 1 (exit code 0) was recorded and not accepted"
    assert (action.records, action.acknowledge) == ((after,), ())


def test_a_held_job_that_cannot_go_on_is_removed_and_tried_again_for_its_reason() -> None:
    """It is removed, keeps the class of its failure, and once it is gone the rule of that class
    holds.
    """
    held = seen(JobStatus.HELD, "memory exceeded", Failure.MEMORY, starts=1, host="node1")
    removing, (action,) = decide(job(), held)
    assert (removing.status, removing.failure, action.remove) == (
        JobStatus.REMOVING,
        Failure.MEMORY,
        (removing,),
    )
    still, (again,) = decide(removing, held)
    assert (still, again.remove, again.records) == (removing, (removing,), ())
    following, (gone,) = decide(
        removing, ObservedJob("h0", JobReport(JobStatus.REMOVED, "by autoctrl"))
    )
    first = gone.records[0]
    assert isinstance(first, JobRecord)
    assert (first.status, first.failure, first.reason) == (
        JobStatus.REMOVED,
        Failure.MEMORY,
        "memory exceeded",
    )
    assert (following.attempt, following.spec.memory_mb > SPEC.memory_mb) == (2, True)


def test_a_job_that_ends_well_before_it_is_removed_is_done() -> None:
    """The result decides, and no trace of the hold is left on it."""
    done, _ = decide(job(JobStatus.REMOVING, failure=Failure.HELD, reason="held"), ended(job()))
    assert (done.status, done.failure, done.reason) == (JobStatus.DONE, None, "")


def test_a_job_that_a_person_holds_is_left_alone() -> None:
    """Held without a class of failure is only sampled."""
    after, (action,) = decide(job(), seen(JobStatus.HELD, "by ada"))
    assert (after.status, after.failure, action.remove) == (JobStatus.HELD, None, ())


@pytest.mark.parametrize("status", [JobStatus.IDLE, JobStatus.RUNNING, JobStatus.HELD])
def test_stopping_removes_every_live_job(status: JobStatus) -> None:
    """The job becomes removing and the executor is asked, in every cycle, until it is gone."""
    removing, (action,) = decide(job(), seen(status, starts=1), STOPPING)
    assert (removing.status, action.kind, action.remove) == (
        JobStatus.REMOVING,
        ActionKind.REMOVE,
        (removing,),
    )
    again, (repeat,) = decide(removing, seen(status, starts=1), STOPPING)
    assert (again, repeat.remove, repeat.records) == (removing, (removing,), ())


@pytest.mark.parametrize("failure", [Failure.NODE, Failure.SERVICE, Failure.REMOVED])
def test_stopping_starts_no_further_attempt(failure: Failure) -> None:
    """Whatever the job's end is, it is the last."""
    after, _ = decide(job(), failed(job(), failure), STOPPING)
    assert (after.status, after.attempt) == (JobStatus.FAILED, 1)


@pytest.mark.parametrize(
    ("asked", "said", "is_gone"),
    [(None, None, True), (-1, UNKNOWN, False), (-61, UNKNOWN, True), (-61, None, False)],
)
def test_stopping_lets_go_of_a_submission_only_when_it_cannot_be_under_way(
    asked: float | None, said: ObservedJob | None, *, is_gone: bool
) -> None:
    """An attempt that waits is removed at once; one that was asked for only after a clear answer
    past the deadline.
    """
    one = job(
        JobStatus.SUBMITTING, asked=None if asked is None else later(asked), not_before=later(999)
    )
    after, actions = decide(one, said, STOPPING)
    assert (after.status is JobStatus.REMOVED) == bool(actions) == is_gone
    assert not any(action.submit for action in actions)


def test_a_job_that_a_person_removed_fails_its_task_without_another_attempt() -> None:
    """Removal outside autoctrl is a decision: it is reported, not repeated."""
    gone = ObservedJob("h0", JobReport(JobStatus.REMOVED, "via condor_rm by ada"))
    actions = plan(situation(task(), job(), seen={0: gone}))
    assert [action.kind for action in actions] == [ActionKind.SAMPLE, ActionKind.FAIL]
    assert (
        actions[1].alert
        == "run 4521 / reco v1 failed: job 0.1 removed (removed): via condor_rm by ada"
    )
