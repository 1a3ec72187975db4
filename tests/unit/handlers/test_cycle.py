"""Whole cycles of jobs, with a store in memory and an executor that does what the test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl import verbs
from autoctrl.config import parse_settings
from autoctrl.errors import LeaseLost
from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.cycle import Cycle
from autoctrl.handlers.inputs import Files, Output
from autoctrl.locks import After, Lock
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import Where
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.owner import this_process
from autoctrl.ports import JobReport, Selection
from tests.unit.given import file
from tests.unit.handlers.room import Room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from autoctrl.locks import Lookup, Wait
    from autoctrl.model.view import Task

NEW, PROCESSING, DONE, FAILED = TaskStatus.NEW, TaskStatus.PROCESSING, TaskStatus.DONE, TaskStatus.FAILED
RECO = BatchHandler("reco", "tool {run} {output}", outputs={"output": "reco{run}.txt"})


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Return a room in which run 1 has been taken."""
    made = Room(tmp_path, '[executors.other]\ntype = "local"\n[defaults]\nback_off_s = 10\n')
    made.has_run(1, kind="physics")
    return made


def test_a_run_goes_through_a_workflow_to_done(room: Room) -> None:
    """Born, started, submitted, sampled, done: each step is written, and the output is published with the last."""
    summary = room.cycle(RECO)
    assert (summary.counts, summary.open, summary.problems) == ({"birth": 1, "start": 1}, (0, 1), ())
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
    assert [record.status for record in room.history("reco")] == ["submitting", "idle", "running", "done"]
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


def test_a_chain_goes_from_output_to_input(room: Room) -> None:
    """The second workflow waits with the reason, then reads the first one's output; the version read is recorded."""
    after = BatchHandler("friends", "friend {reco}", locks=After("reco"), inputs={"reco": Output("reco")})
    room.cycle(RECO)
    room.cycle(after)
    assert room.task("friends").reason == "waits for reco of run 1 (processing)"
    room.jobs.finish("1/v1/0.1", files=[file(entries={"Events": 5})])
    room.cycle(RECO)
    assert room.cycle(after).after == ("reco",)
    assert room.jobs.orders[-1].spec.argv == ("friend", "/out/reco.txt")
    (read,) = room.task("friends").inputs
    assert (read.workflow, read.unit, read.version, read.checksum, read.events) == ("reco", "1", 1, "sha256:ab", 5)


def test_a_failed_task_is_told_exactly_once(room: Room) -> None:
    """The cycle in which it fails reports it and alarms; later cycles are silent."""
    room.cycle(RECO)
    room.jobs.finish("1/v1/0.1", exit_code=3)
    summary = room.cycle(RECO)
    assert summary.failed == ("run 1 / reco: job 0.1 failed (user code): exit code 3",)
    for _ in range(3):
        assert room.cycle(RECO).failed == ()
    assert room.alarms == ["run 1 / reco v1 failed: job 0.1 failed (user code): exit code 3"]
    assert room.task("reco").reason == "job 0.1 failed (user code): exit code 3"


@pytest.mark.parametrize(("tasks", "alarms"), [(3, 3), (4, 1), (30, 1)])
def test_a_fault_that_fails_many_tasks_is_told_once(room: Room, tasks: int, alarms: int) -> None:
    """A few alarms come one by one; more in one cycle are one, which says how many."""
    for number in range(2, tasks + 1):
        room.has_run(number)
    room.cycle(RECO)
    for number in range(1, tasks + 1):
        room.jobs.finish(f"{number}/v1/0.1", exit_code=3)
    assert len(room.cycle(RECO).failed) == tasks
    assert len(room.alarms) == alarms
    assert (f"and {tasks - 1} more tasks" in room.alarms[0]) == (alarms == 1)


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
    """A lost attempt whose result turns up leaves a sentence in the history; the attempt that lives decides."""
    room.cycle(RECO)
    room.jobs.report("1/v1/0.1", JobStatus.LOST, "node died")
    room.cycle(RECO)
    room.cycle(RECO, pass_s=60)
    room.jobs.finish("1/v1/0.1", files=[file(url="/out/late")])
    for _ in range(3):
        room.cycle(RECO)
    said = [record.reason for record in room.history("reco") if "late result of attempt 1" in record.reason]
    assert said == ["a late result of attempt 1 (exit code 0) was recorded and not accepted"]
    room.jobs.report("1/v1/0.2", JobStatus.LOST)
    room.cycle(RECO)
    room.cycle(RECO, pass_s=60)
    room.jobs.finish("1/v1/0.3", files=[file()])
    room.cycle(RECO)
    assert [output.url for output in room.outputs("reco")] == ["/out/reco.txt"]
    assert len([record for record in room.history("reco") if "late result of attempt 1" in record.reason]) == 1


def test_a_service_that_is_down_delays_and_never_concludes(room: Room) -> None:
    """However long it lasts nothing is lost, failed or alarmed; when it is back the result is taken."""
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
    """Nothing is known of it: only a clear answer, newer than intent and deadline, permits the same attempt again."""
    room.jobs.is_down = True
    assert "does not answer" in room.cycle(RECO).problems[0]
    room.cycle(RECO, pass_s=3600)
    room.jobs.is_down = False
    room.clock.advance(-3600)
    room.cycle(RECO, pass_s=5)
    assert room.jobs.orders == []
    room.cycle(RECO, pass_s=60)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1"]
    assert [record.used for record in room.history("reco")] == [1, 1, 1]


def test_a_submission_whose_answer_was_lost_is_adopted(room: Room) -> None:
    """The executor has the job although nobody was told: its tag is found, and nothing is submitted again."""
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
        assert summary.problems == ("executor local refused 1 jobs: quota exceeded",)
    last = room.history("reco")[-1]
    assert (last.attempt, last.used, last.reason) == (1, 1, "quota exceeded")
    room.jobs.refusal = ""
    room.cycle(RECO, pass_s=1)
    assert room.jobs.orders == [], "a pause lies between two tries"
    room.cycle(RECO, pass_s=40)
    assert len(room.jobs.orders) == 1


def test_a_job_that_was_refused_alone_does_not_hold_the_others(room: Room) -> None:
    """An executor may take some of a batch; the rest is asked for again."""
    room.has_run(2)
    take = room.jobs.submit
    room.jobs.submit = lambda orders: take(orders[:1])  # type: ignore[method-assign]
    room.cycle(RECO)
    first, second = room.history("reco", "1")[-1], room.history("reco", "2")[-1]
    assert (first.status, second.status) == (JobStatus.IDLE, JobStatus.SUBMITTING)
    assert second.reason == "executor local did not take it"


def test_an_executor_that_is_gone_from_the_settings_is_a_problem_of_its_jobs_only(room: Room) -> None:
    """Other tasks go on, and nothing is concluded about the jobs that it has."""
    room.cycle(BatchHandler("reco", "tool"))
    room.executors["other"] = room.executors.pop("local")
    room.has_run(2)
    text = 'executor = "other"\n[executors.other]\ntype = "local"\n'
    room.context = room.context._replace(settings=parse_settings(text, room.settings.folder, environ={}))
    summary = room.cycle(BatchHandler("reco", "tool"))
    assert summary.problems == ("executor local: There is no executor 'local'.",)
    assert (room.task("reco", "2").status, room.history("reco", "1")[-1].status) == (PROCESSING, JobStatus.IDLE)


def test_an_attempt_for_an_executor_that_is_gone_is_a_problem_and_waits(room: Room) -> None:
    """The intent names its executor and is never sent to another; once it is back the attempt is made."""
    room.cycle(RECO)
    room.jobs.report("1/v1/0.1", JobStatus.LOST)
    room.cycle(RECO)
    gone = room.executors.pop("local")
    for _ in range(2):
        assert room.cycle(RECO, pass_s=60).problems == ("executor local: There is no executor 'local'.",)
    room.executors["local"] = gone
    room.cycle(RECO, pass_s=60)
    assert [order.tag[-3:] for order in gone.orders] == ["0.1", "0.2"]


def test_a_task_whose_jobs_cannot_be_listed_waits(room: Room) -> None:
    """The reason is stored, and an attribute that arrives lets it go."""
    handler = BatchHandler("timing", "tool {run.fill}")
    room.cycle(handler)
    assert room.task("timing").reason == "{run.fill} has no value yet"
    room.has_run(1, fill=5)
    room.cycle(handler)
    assert room.jobs.orders[0].spec.argv == ("tool", "5")


def test_a_second_cycle_says_who_holds_the_lease(room: Room) -> None:
    """While another process works the cycle does nothing, and names it."""
    room.store.lease("prompt/reco", "node7:4711", 60)
    summary = room.cycle(RECO)
    assert "held by node7:4711 until" in summary.error
    assert (summary.moved, room.jobs.orders) == (0, [])
    room.store.lease("prompt/reco", "node7:4711", 0)
    assert room.cycle(RECO).error == ""


def test_a_cycle_gives_its_lease_up(room: Room) -> None:
    """Nobody waits for a cycle that is over, not even for one that failed."""
    room.cycle(RECO)
    room.store.lease("prompt/reco", "somebody", 5)
    room.store.lease("prompt/reco", "somebody", 0)
    room.context = room.context._replace(campaign="nowhere")
    assert "no campaign 'nowhere'" in room.cycle(RECO).error
    room.store.lease("nowhere/reco", "somebody", 5)


def test_a_lease_that_was_lost_ends_the_cycle(room: Room) -> None:
    """A holder that wakes up after its lease went to another writes nothing under the new one."""
    cycle = Cycle(RECO, room.context)
    first = cycle.hold()
    assert cycle.hold() is first
    cycle.tick()
    room.store.lease("prompt/reco", this_process(), 0)
    cycle.renewed -= 3600
    with pytest.raises(LeaseLost, match="ran out and was claimed anew"):
        cycle.hold()


def test_a_renewed_lease_keeps_its_epoch(room: Room) -> None:
    """Long work renews it, and gives a sign of life."""
    signs: list[str] = []
    cycle = Cycle(RECO, room.context, lambda: signs.append("alive"))
    first = cycle.hold()
    cycle.renewed -= 3600
    cycle.tick()
    assert cycle.hold().epoch == first.epoch
    assert signs == ["alive"]


def test_records_carry_the_epoch_of_the_lease(room: Room) -> None:
    """Each cycle writes under its own epoch."""
    room.cycle(RECO)
    room.jobs.finish("1/v1/0.1")
    room.cycle(RECO)
    epochs = [record.epoch for record in room.history("reco")]
    assert epochs == sorted(epochs)
    assert (epochs[0], epochs[-1], room.task("reco").epoch) == (1, 2, 2)


def test_pausing_submits_nothing_and_still_collects(room: Room) -> None:
    """The pause and its reason are shown at what waits; running jobs end as ever; resuming goes on."""
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
    """The executor is asked to remove them; when they are gone the task fails with the person's reason, unalarmed."""
    room.cycle(RECO)
    verbs.fail(room.request("wrong settings"), "1", "reco")
    room.cycle(RECO)
    assert (room.task("reco").status, len(room.jobs.removed)) == (PROCESSING, 1)
    room.cycle(RECO)
    failed = room.task("reco")
    assert (failed.status, failed.reason, failed.actor) == (FAILED, "wrong settings", ("ada", "cli"))
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


def test_a_closed_campaign_starts_nothing_more(room: Room) -> None:
    """Runs bring forth nothing, what is new stays new and says so, and what runs is collected."""
    room.cycle(RECO)
    waiting = BatchHandler("late", "tool", locks=lambda _: "not yet")
    room.cycle(waiting)
    room.has_campaign(Campaign("prompt", follow=True, closed=True))
    room.has_run(2)
    room.jobs.finish("1/v1/0.1")
    room.cycle(RECO)
    room.cycle(BatchHandler("late", "tool"))
    assert [len(room.store.open_tasks("prompt", name)) for name in ("reco", "late")] == [0, 1]
    assert room.task("late").reason == "campaign prompt is closed"


def test_a_workflow_at_another_commit_than_the_campaign_wants_waits(room: Room) -> None:
    """Pinned code is compared with the workflow's folder; outside any repository there is no commit."""
    room.has_campaign(Campaign("prompt", follow=True, code="0123456789abcdef"))
    handler = BatchHandler("reco", "tool")
    handler.folder = room.settings.folder
    room.cycle(handler)
    assert room.task("reco").reason == "campaign prompt wants code 0123456789ab; the workflow is at no commit"


def test_a_changed_filter_looks_at_all_runs_once(room: Room) -> None:
    """Tasks that were born keep their place, newly admitted runs are born, and then only changes are looked at."""
    room.has_run(2, kind="pedestal")
    narrow = BatchHandler("reco", "tool", runs=Where(kind="physics"))
    assert room.cycle(narrow).counts["birth"] == 1
    wide = BatchHandler("reco", "tool", runs=Where(kind={"physics", "pedestal"}))
    assert room.cycle(wide).counts["birth"] == 1
    assert "birth" not in room.cycle(wide).counts
    (mark,) = room.store.marks("workflow", "prompt")
    assert (mark.values["position"], mark.sequence) == (2, 2)


def test_a_task_is_not_withdrawn_when_its_run_changes(room: Room) -> None:
    """An attribute that no longer fits brings no second task and takes none away."""
    handler = BatchHandler("reco", "tool", runs=Where(kind="physics"))
    room.cycle(handler)
    room.has_run(1, kind="pedestal")
    room.cycle(handler)
    assert room.task("reco").status is PROCESSING


def test_a_fill_is_born_whole_and_takes_no_late_run(room: Room) -> None:
    """Its members are frozen when the next fill begins; what arrives afterwards is left for reprocess."""
    handler = BatchHandler("timing", "tool {group}", group_by="fill")
    room.has_run(3, fill=5)
    room.has_run(4, fill=5)
    assert room.cycle(handler).open == (0, 0)
    room.has_run(9, fill=6)
    room.cycle(handler)
    room.has_run(2, fill=5)
    room.cycle(handler)
    assert room.task("timing", "fill:5").members == (3, 4)
    assert room.jobs.orders[0].spec.argv == ("tool", "5")


def test_a_campaign_with_fixed_runs_takes_only_those(tmp_path: Path) -> None:
    """Runs outside its list, and runs that arrive later outside of it, bring forth nothing."""
    room = Room(tmp_path, campaign="again")
    room.has_campaign(Campaign("again", "prompt", ("reco",), runs="1-2"))
    for number in (1, 2, 3):
        room.has_run(number)
    assert room.cycle(RECO).counts["birth"] == 2


def test_what_a_workflow_waits_for_is_declared_anew_when_it_changes(room: Room) -> None:
    """The chain that others see follows the module, without a new run and without a look at the old ones."""
    room.cycle(RECO)
    room.cycle(BatchHandler("reco", "tool", locks=After("calib")))
    (mark,) = room.store.marks("workflow", "prompt")
    assert mark.values["after"] == ["calib"]
    assert "birth" not in room.cycle(RECO).counts


class Broken(Lock):
    """A lock of an author that raises."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        raise ZeroDivisionError(len(tasks), look.campaign)


def test_a_lock_class_that_raises_holds_its_tasks_and_running_jobs_go_on(room: Room) -> None:
    """The error is the reason to wait, and what runs is still collected."""
    room.cycle(RECO)
    room.has_run(2)
    room.jobs.finish("1/v1/0.1")
    room.cycle(BatchHandler("reco", "tool", locks=Broken()))
    assert room.task("reco", "1").status is DONE
    assert room.task("reco", "2").reason == "the lock raised ZeroDivisionError: (1, 'prompt')"


def test_a_store_that_fails_is_no_reason_to_wait(room: Room) -> None:
    """What a lock cannot ask the store ends the cycle with the store's error, and nothing is written."""

    class Lost(Lock):
        def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
            raise LeaseLost(tasks[0].unit, hint=look.campaign)

    summary = room.cycle(BatchHandler("reco", "tool", locks=Lost()))
    assert (summary.error, room.task("reco").reason) == ("1 prompt", "")


def test_a_run_that_is_still_open_is_waited_for(room: Room) -> None:
    """Unless the workflow says otherwise."""
    room.has_run(2, is_closed=False)
    room.cycle(RECO)
    assert room.task("reco", "2").reason == "run 2 is still open"


def test_looking_ahead_writes_nothing(room: Room) -> None:
    """It says what a cycle would do, of tasks that are not born yet too."""
    handler = BatchHandler("reco", "tool")
    actions, problems = Cycle(handler, room.context).look_ahead()
    assert [(action.kind, action.text) for action in actions] == [("start", "start 1 job")]
    assert problems == []
    assert (room.store.tasks(Selection("prompt")), room.jobs.orders, room.store.marks("workflow")) == ([], [], [])
    room.has_campaign(Campaign("prompt", follow=True))
    held = BatchHandler("reco", "tool", locks=lambda _: "not yet")
    assert [action.text for action in Cycle(held, room.context).look_ahead()[0]] == ["not yet"]


GROWING = {"split_events": 200, "inputs": {"raw": Files("run{run}.gz")}, "while_open": True}


def test_a_growing_task_takes_new_ranges_and_ends_with_its_run(room: Room) -> None:
    """A job per whole range while the run is open; the rest, and done, come with its end."""
    handler = BatchHandler("reco", "tool {first}:{last}", **GROWING)  # type: ignore[arg-type]
    (room.settings.folder / "run7.gz").touch()
    room.has_run(7, is_closed=False, events=250)
    room.cycle(handler)
    room.has_run(7, is_closed=False, events=450)
    room.cycle(handler)
    assert [order.spec.argv[1] for order in room.jobs.orders] == ["0:200", "200:400"]
    for index in (0, 1):
        room.jobs.finish(f"7/v1/{index}.1")
    room.cycle(handler)
    assert room.task("reco", "7").status is PROCESSING
    room.has_run(7, events=450)
    room.cycle(handler)
    assert room.jobs.orders[-1].spec.argv[1] == "400:450"
    room.jobs.finish("7/v1/2.1")
    room.cycle(handler)
    assert room.task("reco", "7").status is DONE


def test_a_retried_growing_task_loses_no_events(room: Room) -> None:
    """Parts that are done stay, and the ranges that came meanwhile follow them."""
    handler = BatchHandler("reco", "tool {first}:{last}", **GROWING)  # type: ignore[arg-type]
    (room.settings.folder / "run7.gz").touch()
    room.has_run(7, is_closed=False, events=400)
    room.cycle(handler)
    room.jobs.finish("7/v1/0.1")
    room.jobs.finish("7/v1/1.1", exit_code=1)
    room.cycle(handler)
    assert room.task("reco", "7").status is FAILED
    room.has_run(7, events=650)
    verbs.retry(room.request(), "7", "reco")
    room.cycle(handler)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1", "1.1", "1.2", "2.1", "3.1"]
    assert [order.spec.argv[1] for order in room.jobs.orders[2:]] == ["200:400", "400:600", "600:650"]


def test_parts_are_merged_published_and_deleted(room: Room) -> None:
    """The merge reads the parts; only its output is published, and the parts' files go after that record."""
    handler = BatchHandler("reco", None, jobs=lambda _: [["a"], ["b"]], merge_line="m {parts}", outputs={"output": "o"})
    room.cycle(handler)
    parts = [room.settings.folder / f"part{n}" for n in (0, 1)]
    for index, part in enumerate(parts):
        part.touch()
        room.jobs.finish(f"1/v1/{index}.1", files=[file(url=str(part))])
    room.cycle(handler)
    assert room.jobs.orders[-1].spec.argv == ("m", *map(str, parts))
    assert all(part.exists() for part in parts)
    room.jobs.finish("1/v1/merge.1", files=[file(url="/out/all")])
    parts[0].unlink()
    room.cycle(handler)
    assert [output.url for output in room.outputs("reco")] == ["/out/all"]
    assert not any(part.exists() for part in parts), "one that is gone already is no error"


def test_a_retry_keeps_done_parts_with_their_inputs(room: Room) -> None:
    """What the version read is not looked up again; only the failed part runs once more."""
    raw = room.settings.folder / "run1.gz"
    raw.touch()
    handler = BatchHandler("reco", None, jobs=lambda _: [["a"], ["b"]], inputs={"raw": Files("run{run}.gz")})
    room.cycle(handler)
    room.jobs.finish("1/v1/0.1")
    room.jobs.finish("1/v1/1.1", exit_code=1)
    room.cycle(handler)
    raw.unlink()
    verbs.retry(room.request(), "1", "reco")
    room.cycle(handler)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1", "1.1", "1.2"]
    assert [ref.url for ref in room.task("reco").inputs] == [str(raw)]


def test_a_held_job_is_removed_and_follows_its_class(room: Room) -> None:
    """Out of memory while held: the next attempt asks for more."""
    room.cycle(RECO)
    room.jobs.report("1/v1/0.1", JobStatus.HELD, "memory exceeded", Failure.MEMORY)
    room.cycle(RECO)
    room.cycle(RECO)
    room.cycle(RECO, pass_s=60)
    assert [order.spec.memory_mb for order in room.jobs.orders] == [2000, 3072]


def test_the_declaration_says_how_the_workflow_groups(room: Room) -> None:
    """Other workflows learn from the mark where and how its tasks are kept."""
    room.cycle(BatchHandler("timing", "tool", group_by="fill", locks=After("reco")))
    (mark,) = room.store.marks("workflow", "prompt")
    assert isinstance(mark, MarkRecord)
    assert (mark.values["group_by"], mark.values["after"], mark.values["position"]) == ("fill", ["reco"], 1)
