"""Who may make a cycle, which tasks it brings forth, and why they wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import LeaseHeld, LeaseLost
from autoctrl.handlers.batch import BatchHandler
from autoctrl.locks import After, Lock
from autoctrl.machine.cycle import Cycle
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import Where
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from tests.unit.machine.room import Room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from autoctrl.locks import Lookup, Wait
    from autoctrl.model.task import Task

from tests.unit.machine.room import RECO

NEW, PROCESSING, DONE, FAILED = (
    TaskStatus.NEW,
    TaskStatus.PROCESSING,
    TaskStatus.DONE,
    TaskStatus.FAILED,
)


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


def test_long_work_keeps_the_lease_and_gives_a_sign_of_life(room: Room) -> None:
    """What waits for long says so to the cycle, which tells whoever watches over it."""
    signs: list[str] = []
    cycle = Cycle(RECO, room.context, lambda: signs.append("alive"))
    cycle.keep_alive()
    assert signs == ["alive"]
    with pytest.raises(LeaseHeld):
        room.store.lease("prompt/reco", "somebody", 5)


def test_records_carry_the_epoch_of_the_lease(room: Room) -> None:
    """Each cycle writes under its own epoch."""
    room.cycle(RECO)
    room.jobs.finish("1/v1/0.1")
    room.cycle(RECO)
    epochs = [record.epoch for record in room.history("reco")]
    assert epochs == sorted(epochs)
    assert (epochs[0], epochs[-1], room.task("reco").epoch) == (1, 2, 2)


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
    """Pinned code is compared with the workflow's folder; outside any repository there is no
    commit.
    """
    room.has_campaign(Campaign("prompt", follow=True, code="0123456789abcdef"))
    handler = BatchHandler("reco", "tool")
    handler.folder = room.settings.folder
    room.cycle(handler)
    assert (
        room.task("reco").reason
        == "campaign prompt wants code 0123456789ab; the workflow is at no commit"
    )


def test_a_changed_filter_looks_at_all_runs_once(room: Room) -> None:
    """Tasks that were born keep their place, newly admitted runs are born, and then only changes
    are looked at.
    """
    room.has_run(2, kind="pedestal")
    narrow = BatchHandler("reco", "tool", runs=Where(kind="physics"))
    assert room.cycle(narrow).counts["birth"] == 1
    wide = BatchHandler("reco", "tool", runs=Where(kind={"physics", "pedestal"}))
    assert room.cycle(wide).counts["birth"] == 1
    assert "birth" not in room.cycle(wide).counts
    (mark,) = room.store.marks("workflow", "prompt")
    assert (mark.values["position"], mark.sequence) == (2, 2)


def test_a_store_that_history_was_moved_to_is_looked_at_afresh(room: Room) -> None:
    """A cursor counts in the positions of the store that it was written in, which say nothing about
    another one.
    """
    room.cycle(RECO)
    (mark,) = room.store.marks("workflow", "prompt")
    moved = {
        **mark.values,
        "position": 10**15,
        "digest": mark.values["digest"].replace(room.store.store_id, "elsewhere"),
    }
    room.store.append([mark._replace(values=moved, sequence=2)])
    room.has_run(2, kind="physics")
    assert room.cycle(RECO).counts["birth"] == 1


def test_a_task_is_not_withdrawn_when_its_run_changes(room: Room) -> None:
    """An attribute that no longer fits brings no second task and takes none away."""
    handler = BatchHandler("reco", "tool", runs=Where(kind="physics"))
    room.cycle(handler)
    room.has_run(1, kind="pedestal")
    room.cycle(handler)
    assert room.task("reco").status is PROCESSING


def test_a_fill_is_born_whole_and_takes_no_late_run(room: Room) -> None:
    """Its members are frozen when the next fill begins; what arrives afterwards is left for
    reprocess.
    """
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


def test_a_group_that_cannot_have_a_folder_fails_alone(room: Room) -> None:
    """A value of too many bytes fails its own group, which says so; the next one starts."""
    handler = BatchHandler("timing", "tool {group}", group_by="period")
    room.has_run(3, period="a" * 300)
    room.has_run(4, period="b")
    room.has_run(5, period="c")
    room.cycle(handler)
    unfit = room.task("timing", f"period:{'a' * 300}")
    assert unfit.status is FAILED
    assert "cannot be the name of a folder: it has 307 bytes" in unfit.reason
    assert room.task("timing", "period:b").status is PROCESSING


def test_a_campaign_with_fixed_runs_takes_only_those(tmp_path: Path) -> None:
    """Runs outside its list, and runs that arrive later outside of it, bring forth nothing."""
    room = Room(tmp_path, campaign="again")
    room.has_campaign(Campaign("again", "prompt", ("reco",), runs="1-2"))
    for number in (1, 2, 3):
        room.has_run(number)
    assert room.cycle(RECO).counts["birth"] == 2


def test_what_a_workflow_waits_for_is_declared_anew_when_it_changes(room: Room) -> None:
    """The chain that others see follows the module, without a new run and without a look at the old
    ones.
    """
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
    """What a lock cannot ask the store ends the cycle with the store's error, and nothing is
    written.
    """

    class Lost(Lock):
        def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
            raise LeaseLost(tasks[0].unit, hint=look.campaign)

    summary = room.cycle(BatchHandler("reco", "tool", locks=Lost()))
    assert (summary.error, room.task("reco").reason) == ("1 prompt", "")


def test_a_run_that_is_still_open_is_waited_for(room: Room) -> None:
    """Unless the workflow says otherwise."""
    room.has_run(2, is_closed=False)
    room.cycle(RECO)
    assert room.task("reco", "2").reason.startswith("run 2 is still open until files")


def test_looking_ahead_writes_nothing(room: Room) -> None:
    """It says what a cycle would do, of tasks that are not born yet too."""
    handler = BatchHandler("reco", "tool")
    actions, problems = Cycle(handler, room.context).look_ahead()
    assert [(action.kind, action.text) for action in actions] == [("start", "start 1 job")]
    assert problems == []
    assert (
        room.store.tasks(Selection("prompt")),
        room.jobs.orders,
        room.store.marks("workflow"),
    ) == ([], [], [])
    room.has_campaign(Campaign("prompt", follow=True))
    held = BatchHandler("reco", "tool", locks=lambda _: "not yet")
    assert [action.text for action in Cycle(held, room.context).look_ahead()[0]] == ["not yet"]


def test_the_declaration_says_how_the_workflow_groups(room: Room) -> None:
    """Other workflows learn from the mark where and how its tasks are kept."""
    room.cycle(BatchHandler("timing", "tool", group_by="fill", locks=After("reco")))
    (mark,) = room.store.marks("workflow", "prompt")
    assert isinstance(mark, MarkRecord)
    assert (mark.values["group_by"], mark.values["after"], mark.values["position"]) == (
        "fill",
        ["reco"],
        1,
    )


def test_a_misspelt_attribute_of_a_filter_is_told(tmp_path: Path) -> None:
    """A filter over an attribute that no run can have takes no run for ever, so every cycle and
    plan says so.
    """
    room = Room(tmp_path, '[runs.attributes]\nkind = "str"\n')
    room.has_run(1, kind="physics")
    handler = BatchHandler("reco", "tool", runs=Where(knd="physics"), group_by="fil")
    problems = room.cycle(handler).problems
    assert [problem.partition(", which")[0] for problem in problems] == [
        "reco chooses or groups runs by 'knd'",
        "reco chooses or groups runs by 'fil'",
    ]
    assert "Did you mean 'kind'? Declare it in autoctrl.toml" in problems[0]
    assert Cycle(handler, room.context).look_ahead() == ([], list(problems))
    assert room.cycle(BatchHandler("dq", "tool", runs=Where(kind="physics"))).problems == ()
