"""Whole cycles of jobs, with a store in memory and an executor that does what the test says."""

from __future__ import annotations

import pytest

from autoctrl import verbs
from autoctrl.config import parse_settings
from autoctrl.errors import ServiceDown
from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.inputs import Output
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.ports import JobReport
from autoctrl.views import explain
from tests.unit.given import file
from tests.unit.machine.room import RECO, Room

NEW, PROCESSING, DONE, FAILED = (
    TaskStatus.NEW,
    TaskStatus.PROCESSING,
    TaskStatus.DONE,
    TaskStatus.FAILED,
)


def test_a_run_goes_through_a_workflow_to_done(room: Room) -> None:
    """Born, started, submitted, sampled, done: each step is written, and the output is published
    with the last.
    """
    summary = room.cycle(RECO)
    assert (summary.counts, summary.open, summary.problems) == (
        {"birth": 1, "start": 1},
        (0, 1),
        (),
    )
    (order,) = room.jobs.orders
    assert order.tag == f"{room.store.store_id}/prompt/reco/1/v1/0.1"
    assert order.folder.endswith("outputs/prompt/reco/1/v1/0.1")
    assert order.spec.argv == ("tool", "1", "reco1.txt")
    room.jobs.report("1/v1/0.1", JobStatus.RUNNING)
    room.cycle(RECO)
    assert room.outputs("reco") == []
    room.jobs.finish("1/v1/0.1", files=[file()], fields={"n": 2.0})
    summary = room.cycle(RECO)
    assert (summary.counts, summary.open) == ({"sample": 1, "finish": 1}, (0, 0))
    assert [record.status for record in room.history("reco")] == [
        "submitting",
        "idle",
        "running",
        "done",
    ]
    assert [output.url for output in room.outputs("reco")] == ["/out/reco.txt"]
    assert room.task("reco").status is DONE
    assert room.jobs.acknowledged == [order.tag]
    assert room.alarms == []


def test_nothing_to_do_writes_nothing(room: Room) -> None:
    """A cycle after everything is done, or while nothing has changed, leaves no record."""
    room.cycle(RECO)
    summary = room.cycle(RECO)
    assert (summary.counts, summary.moved, summary.open) == ({}, 0, (0, 1))
    room.jobs.finish("1/v1/0.1")
    room.cycle(RECO)
    summary = room.cycle(RECO)
    assert (summary.counts, summary.moved, summary.open) == ({}, 0, (0, 0))


def test_a_task_that_can_never_start_fails_and_goes_on_once_it_can(room: Room) -> None:
    """A value that does not fit the line is told once, holds nobody else, and can be repaired."""
    handler = BatchHandler("reco", "tool {run.fill:05d}")
    room.has_run(1, fill="last")
    room.has_run(2, fill=5)
    summary = room.cycle(handler)
    reason = "{run.fill:05d} does not fit 'last': Unknown format code 'd'"
    failed = room.task("reco")
    assert (failed.status, failed.reason.startswith(reason)) == (TaskStatus.FAILED, True)
    assert [incident.reason.startswith(reason) for incident in room.incidents] == [True]
    assert len(summary.failed) == 1
    assert [order.spec.argv for order in room.jobs.orders] == [("tool", "00005")]
    assert room.cycle(handler).failed == ()
    room.has_run(1, fill=4)
    verbs.retry(room.request("the fill is a number"), "1", "reco")
    room.cycle(handler)
    assert room.jobs.orders[-1].spec.argv == ("tool", "00004")


def test_a_chain_goes_from_output_to_input(room: Room) -> None:
    """The second workflow waits with the reason, then reads the first one's output; the version
    read is recorded.
    """
    after = BatchHandler("friends", "friend {reco}", inputs={"reco": Output("reco")})
    room.cycle(RECO)
    room.cycle(after)
    assert room.task("friends").reason == "waits for reco of run 1 (processing)"
    room.jobs.finish("1/v1/0.1", files=[file(entries={"Events": 5})])
    room.cycle(RECO)
    assert room.cycle(after).after == ("reco",)
    assert room.jobs.orders[-1].spec.argv == ("friend", "/out/reco.txt")
    (read,) = room.task("friends").inputs
    assert (read.workflow, read.unit, read.version, read.checksum, read.events) == (
        "reco",
        "1",
        1,
        "sha256:ab",
        5,
    )


def test_a_failed_task_is_told_exactly_once(room: Room) -> None:
    """The cycle in which it fails reports it and alarms; later cycles are silent."""
    room.cycle(RECO)
    room.jobs.finish("1/v1/0.1", exit_code=3)
    summary = room.cycle(RECO)
    assert summary.failed == ("run 1 / reco: job 0.1 failed (user code): exit code 3",)
    for _ in range(3):
        assert room.cycle(RECO).failed == ()
    assert [one.reason for one in room.incidents] == ["job 0.1 failed (user code): exit code 3"]
    assert room.alarms == ["[reco]: run 1 permanently marked as failed."]
    assert room.task("reco").reason == "job 0.1 failed (user code): exit code 3"


@pytest.mark.parametrize("tasks", [2, 30])
def test_a_fault_that_fails_many_tasks_is_one_incident(room: Room, tasks: int) -> None:
    """It names the runs; each cycle's failures join it."""
    for number in range(2, tasks + 1):
        room.has_run(number)
    room.cycle(RECO)
    for number in range(1, tasks + 1):
        room.jobs.finish(f"{number}/v1/0.1", exit_code=3)
    assert len(room.cycle(RECO).failed) == tasks
    assert room.alarms == [f"[reco]: runs 1-{tasks} permanently marked as failed."]
    room.has_run(tasks + 1)
    room.cycle(RECO)
    room.jobs.finish(f"{tasks + 1}/v1/0.1", exit_code=4)
    room.cycle(RECO)
    assert room.alarms == [f"[reco]: runs 1-{tasks + 1} permanently marked as failed."]


def test_a_lost_job_is_tried_again_until_the_budget_is_spent(room: Room) -> None:
    """Each attempt waits out its back-off; the third is the last, and then people are told once."""
    room.cycle(RECO)
    for attempt in (1, 2, 3):
        room.jobs.report(f"1/v1/0.{attempt}", JobStatus.LOST, "node died")
        room.cycle(RECO)
        assert len(room.jobs.orders) == attempt, "the back-off is waited out"
        room.cycle(RECO, pass_s=60)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1", "0.2", "0.3"]
    assert room.task("reco").status is FAILED
    assert len(room.alarms) == 1


def test_a_retry_continues_the_numbers_with_a_fresh_budget(room: Room) -> None:
    """After a person's retry the next attempt is the fourth, and three more may follow."""
    room.cycle(RECO)
    for attempt in (1, 2, 3):
        room.jobs.report(f"1/v1/0.{attempt}", JobStatus.LOST)
        room.cycle(RECO)
        room.cycle(RECO, pass_s=60)
    verbs.retry(room.request(), "1", "reco")
    room.cycle(RECO)
    assert room.jobs.orders[-1].tag.endswith("1/v1/0.4")
    last = room.history("reco")[-1]
    assert (last.attempt, last.used) == (4, 1)
    room.jobs.finish("1/v1/0.4", files=[file()])
    room.cycle(RECO)
    assert room.task("reco").status is DONE


def test_a_late_result_is_recorded_once_and_not_accepted(room: Room) -> None:
    """A lost attempt whose result turns up leaves a sentence in the history; the attempt that lives
    decides.
    """
    room.cycle(RECO)
    room.jobs.report("1/v1/0.1", JobStatus.LOST, "node died")
    room.cycle(RECO)
    room.cycle(RECO, pass_s=60)
    room.jobs.finish("1/v1/0.1", files=[file(url="/out/late")])
    for _ in range(3):
        room.cycle(RECO)
    said = [
        record.reason
        for record in room.history("reco")
        if "late result of attempt 1" in record.reason
    ]
    assert said == ["a late result of attempt 1 (exit code 0) was recorded and not accepted"]
    room.jobs.report("1/v1/0.2", JobStatus.LOST)
    room.cycle(RECO)
    room.cycle(RECO, pass_s=60)
    room.jobs.finish("1/v1/0.3", files=[file()])
    room.cycle(RECO)
    assert [output.url for output in room.outputs("reco")] == ["/out/reco.txt"]
    assert (
        len(
            [
                record
                for record in room.history("reco")
                if "late result of attempt 1" in record.reason
            ]
        )
        == 1
    )


def test_a_service_that_is_down_delays_and_never_concludes(room: Room) -> None:
    """However long it lasts nothing is lost, failed or alarmed; when it is back the result is
    taken.
    """
    room.cycle(RECO)
    room.jobs.is_down = True
    for _ in range(5):
        summary = room.cycle(RECO, pass_s=3600)
        assert summary.problems == ("executor local: executor local does not answer",)
        assert (summary.counts, summary.open, summary.failed) == ({}, (0, 1), ())
    room.jobs.is_down = False
    room.jobs.finish("1/v1/0.1", files=[file()])
    room.cycle(RECO)
    assert room.task("reco").status is DONE
    assert room.alarms == []


def test_a_submission_without_an_answer_is_not_repeated_before_the_deadline(room: Room) -> None:
    """Nothing is known of it: only a clear answer, newer than intent and deadline, permits the same
    attempt again.
    """
    room.jobs.is_down = True
    assert "does not answer" in room.cycle(RECO).problems[0]
    room.cycle(RECO, pass_s=3600)
    room.jobs.is_down = False
    room.clock.advance(-3600)
    room.cycle(RECO, pass_s=5)
    assert room.jobs.orders == []
    room.cycle(RECO, pass_s=60)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1"]
    assert {record.used for record in room.history("reco")} == {1}


def test_a_submission_whose_answer_was_lost_is_adopted(room: Room) -> None:
    """The executor has the job although nobody was told: its tag is found, and nothing is submitted
    again.
    """
    room.jobs.is_down = True
    room.cycle(RECO)
    room.jobs.is_down = False
    tag = f"{room.store.store_id}/prompt/reco/1/v1/0.1"
    room.jobs.reports[tag] = JobReport(JobStatus.IDLE)
    room.cycle(RECO, pass_s=3600)
    last = room.history("reco")[-1]
    assert (last.status, last.handle, room.jobs.orders) == (JobStatus.IDLE, tag, [])


def test_a_refused_submission_is_asked_for_again_later_and_does_not_count(room: Room) -> None:
    """The refusal is the job's reason; the same attempt follows, as often as it takes."""
    room.jobs.refusal = "quota exceeded"
    for _ in range(5):
        summary = room.cycle(RECO, pass_s=40)
        assert summary.problems == ("executor local refused 1 job: quota exceeded",)
    last = room.history("reco")[-1]
    assert (last.attempt, last.used, last.reason) == (1, 1, "quota exceeded")
    room.jobs.refusal = ""
    room.cycle(RECO, pass_s=1)
    assert room.jobs.orders == [], "a pause lies between two tries"
    room.cycle(RECO, pass_s=40)
    assert len(room.jobs.orders) == 1


def test_a_submission_that_nobody_answers_says_so_once(room: Room) -> None:
    """The silence is the job's reason, written when it begins and not with every further try."""

    def be_silent(_: object) -> dict[str, str]:
        message = "no answer within 20 s"
        raise ServiceDown(message)

    room.jobs.has_safe_resubmit = True
    take, room.jobs.submit = room.jobs.submit, be_silent  # type: ignore[method-assign,assignment]
    for _ in range(3):
        assert room.cycle(RECO).problems == ("executor local: no answer within 20 s",)
    last = room.history("reco")[-1]
    assert (last.status, last.attempt, last.reason) == (
        JobStatus.SUBMITTING,
        1,
        "no answer within 20 s",
    )
    assert explain(room.store, "prompt", "1", "reco").notes[-1] == (
        "job 0.1 could not be submitted yet: no answer within 20 s"
    )
    room.jobs.submit = take  # type: ignore[method-assign]
    room.cycle(RECO)
    assert (room.history("reco")[-1].status, room.history("reco")[-1].reason) == (
        JobStatus.IDLE,
        "",
    )


def test_a_job_that_was_refused_alone_does_not_hold_the_others(room: Room) -> None:
    """An executor may take some of a batch; the rest is asked for again."""
    room.has_run(2)
    take = room.jobs.submit
    room.jobs.submit = lambda orders: take(orders[:1])  # type: ignore[method-assign]
    room.cycle(RECO)
    first, second = room.history("reco", "1")[-1], room.history("reco", "2")[-1]
    assert (first.status, second.status) == (JobStatus.IDLE, JobStatus.SUBMITTING)
    assert second.reason == "executor local did not take it"


def test_an_executor_that_is_gone_from_the_settings_is_a_problem_of_its_jobs_only(
    room: Room,
) -> None:
    """Other tasks go on, and nothing is concluded about the jobs that it has."""
    room.cycle(BatchHandler("reco", "tool"))
    room.executors["other"] = room.executors.pop("local")
    room.has_run(2)
    text = 'executor = "other"\n[executors.other]\ntype = "local"\n'
    room.context = room.context._replace(
        settings=parse_settings(text, room.settings.folder, environ={})
    )
    summary = room.cycle(BatchHandler("reco", "tool"))
    assert summary.problems == ("executor local: There is no executor 'local'.",)
    assert (room.task("reco", "2").status, room.history("reco", "1")[-1].status) == (
        PROCESSING,
        JobStatus.IDLE,
    )


def test_an_attempt_for_an_executor_that_is_gone_is_a_problem_and_waits(room: Room) -> None:
    """The intent names its executor and is never sent to another; once it is back the attempt is
    made.
    """
    room.cycle(RECO)
    room.jobs.report("1/v1/0.1", JobStatus.LOST)
    room.cycle(RECO)
    gone = room.executors.pop("local")
    for _ in range(2):
        assert room.cycle(RECO, pass_s=60).problems == (
            "executor local: There is no executor 'local'.",
        )
    room.executors["local"] = gone
    room.cycle(RECO, pass_s=60)
    assert [order.tag[-3:] for order in gone.orders] == ["0.1", "0.2"]
