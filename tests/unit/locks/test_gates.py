"""The locks that come with autoctrl, each with its reason to wait."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import WorkflowError
from autoctrl.locks import After, FileExists, Has, Quiet, RunClosed, Wait, Window
from autoctrl.locks.gates import Newest
from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from tests.unit.given import NOW, later, run, view
from tests.unit.locks.looking import World

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.locks import Lock
    from autoctrl.model.task import Task


def reason(lock: Lock, task: Task, world: World, campaign: str = "prompt") -> str:
    """Return the reason why the task waits, empty if it may go."""
    waits = lock.check([task], world.look(campaign))
    assert set(waits) <= {task.unit}
    return waits[task.unit].reason if waits else ""


def fill(*members: int) -> Task:
    return view(*members, unit="fill:5", runs={n: run(n, fill=5) for n in members})


def test_after_opens_when_the_same_unit_is_done() -> None:
    """A run waits, with the reason, until the workflow has looked, has its task, and is done with
    it.
    """
    world = World()
    assert reason(After("reco"), view(7), world) == "waits for reco, of which no cycle is known yet"
    world.declares("reco")
    assert (
        reason(After("reco"), view(7), world) == "waits for reco, which has no task for run 7 yet"
    )
    record = world.has("reco", "7", TaskStatus.PROCESSING)
    assert reason(After("reco"), view(7), world) == "waits for reco of run 7 (processing)"
    world.store.append([record.moved(TaskStatus.DONE, NOW)])
    assert reason(After("reco"), view(7), world) == ""


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.NEW])
def test_after_takes_nothing_but_done(status: TaskStatus) -> None:
    """Failed, skipped and new upstream tasks hold what comes after."""
    world = World().declares("reco")
    world.has("reco", "7", status)
    assert reason(After("reco"), view(7), world) == f"waits for reco of run 7 ({status})"


def test_after_may_take_a_skipped_task_for_a_done_one() -> None:
    """skipped=True opens for skipped as for done, and for nothing else."""
    world = World().declares("reco")
    world.has("reco", "7", TaskStatus.SKIPPED)
    world.has("reco", "8", TaskStatus.FAILED)
    lock = After("reco", skipped=True)
    assert reason(lock, view(7), world) == ""
    assert reason(lock, view(8), world) == "waits for reco of run 8 (failed)"


def test_after_several_names_the_first_that_is_missing() -> None:
    """Every workflow must be done; many tasks are answered at once."""
    world = World().declares("a").declares("b")
    for workflow, unit in (("a", "1"), ("b", "1"), ("b", "2"), ("a", "3")):
        world.has(workflow, unit)
    waits = After("a", "b").check([view(1), view(2), view(3), view(4)], world.look())
    assert {unit: wait.reason for unit, wait in waits.items()} == {
        "2": "waits for a, which has no task for run 2 yet",
        "3": "waits for b, which has no task for run 3 yet",
        "4": "waits for a, which has no task for run 4 yet",
    }


def test_after_seen_from_a_group_wants_all_members() -> None:
    """A fill waits until the run-by-run workflow is done for each of its runs."""
    world = World().declares("reco")
    world.has("reco", "1")
    assert (
        reason(After("reco"), fill(1, 2), world)
        == "waits for reco, which has no task for run 2 yet"
    )
    world.has("reco", "2")
    assert reason(After("reco"), fill(1, 2), world) == ""


def test_after_seen_from_a_run_wants_its_group() -> None:
    """A run behind a workflow that works by fill waits for its fill, and until its fill is
    known.
    """
    world = World().has_runs(run(1, fill=5), run(2)).declares("timing", group_by="fill")
    assert (
        reason(After("timing"), view(1), world)
        == "waits for timing, which has no task for fill 5 yet"
    )
    assert (
        reason(After("timing"), view(2), world)
        == "waits for timing, which groups by fill; run 2 has none yet"
    )
    assert (
        reason(After("timing"), view(3), world)
        == "waits for timing, which has not looked at run 3 yet"
    )
    world.has("timing", "fill:5", members=(1,))
    assert reason(After("timing"), view(1), world) == ""


def test_a_run_that_came_after_its_group_was_processed_waits_for_reprocess() -> None:
    """The fill is done, but without this run; the reason says what takes it in."""
    world = World().has_runs(run(1, fill=5), run(9, fill=5)).declares("timing", group_by="fill")
    world.has("timing", "fill:5", members=(1,))
    assert reason(After("timing"), view(9), world) == (
        "fill 5 was processed without it by timing; reprocess takes it in"
    )


def test_after_between_two_groupings() -> None:
    """The same grouping asks for the same unit, another one for every group that a member belongs
    to.
    """
    world = World().has_runs(run(1, fill=5, week=1), run(2, fill=5, week=2))
    world.declares("timing", group_by="fill").declares("weekly", group_by="week")
    world.has("timing", "fill:5", members=(1, 2))
    task = fill(1, 2)
    assert reason(After("timing"), task, world) == ""
    world.has("weekly", "week:1", members=(1,))
    assert (
        reason(After("weekly"), task, world) == "waits for weekly, which has no task for week 2 yet"
    )


def test_after_looks_up_in_the_parent_what_the_campaign_does_not_have() -> None:
    """A campaign's own workflow counts only there; any other is looked up in the nearest parent
    that has it.
    """
    world = World(Campaign("again", "prompt", ("reco",))).declares("reco").declares("pedestal")
    world.has("pedestal", "7")
    world.has("reco", "7")
    assert reason(After("pedestal"), view(7), world, "again") == ""
    assert (
        reason(After("reco"), view(7), world, "again")
        == "waits for reco, of which no cycle is known yet"
    )


def test_after_nothing_is_refused() -> None:
    """An After() that names no workflow is a mistake of the author."""
    with pytest.raises(WorkflowError, match=r"names no workflow.*After"):
        After()


def test_newest_takes_the_newest_run_at_or_before() -> None:
    """The newest pedestal before the run counts, an older or later one does not, nor one that was
    skipped.
    """
    world = World().declares("pedestal")
    assert (
        reason(Newest("pedestal"), view(7), world)
        == "waits for pedestal: there is none at or before run 7"
    )
    world.has("pedestal", "3", TaskStatus.FAILED)
    world.has("pedestal", "5")
    world.has("pedestal", "6", TaskStatus.SKIPPED)
    world.has("pedestal", "8", TaskStatus.PROCESSING)
    assert reason(Newest("pedestal"), view(7), world) == ""
    assert reason(Newest("pedestal"), view(4), world) == "waits for pedestal of run 3 (failed)"
    assert reason(Newest("pedestal"), view(8), world) == "waits for pedestal of run 8 (processing)"


def test_newest_waits_until_the_workflow_has_looked_at_all_runs() -> None:
    """A run that the pedestal workflow has not seen yet may be the pedestal that is wanted."""
    world = World().has_runs(run(5))
    text = "waits for pedestal, which has not looked at all runs yet"
    assert reason(Newest("pedestal"), view(7), world) == text
    world.declares("pedestal").has("pedestal", "5")
    assert reason(Newest("pedestal"), view(7), world) == ""
    world.has_runs(run(6))
    assert reason(Newest("pedestal"), view(7), world) == text


def test_newest_does_not_wait_for_a_campaign_that_no_longer_follows() -> None:
    """A fixed or closed campaign looks at no further runs, so nobody waits for that."""
    world = World(Campaign("fixed", "prompt", ("pedestal",), runs="1-9")).declares(
        "pedestal", "fixed"
    )
    world.has("pedestal", "5", campaign="fixed")
    world.has_runs(run(6))
    assert reason(Newest("pedestal"), view(7), world, "fixed") == ""


def test_newest_of_a_group_is_at_or_before_its_first_run() -> None:
    """A group of runs takes the pedestal that all of its runs have behind them."""
    world = World().declares("pedestal")
    world.has("pedestal", "2")
    world.has("pedestal", "4", TaskStatus.FAILED)
    assert reason(Newest("pedestal"), fill(3, 5), world) == ""


def test_has_waits_for_attributes_of_every_member() -> None:
    """The first run that lacks one is named with all that it lacks; an unknown run lacks
    everything.
    """
    world = World().has_runs(run(1, a=1, b=2), run(2, b=2))
    assert reason(Has("a", "b"), view(1), world) == ""
    assert reason(Has("a", "b"), fill(1, 2), world) == "run 2 has no a yet"
    assert reason(Has("a", "b"), view(3), world) == "run 3 has no a, b yet"


def test_quiet_waits_until_nothing_changed_for_a_while() -> None:
    """The reason carries no countdown; when it may pass stands beside it."""
    world = World().has_runs(run(1, time=later(-60)), run(2, time=later(-660)))
    lock = Quiet(minutes=10)
    waits = lock.check([view(1), view(2), view(3)], world.look())
    assert waits == {"1": Wait("run 1 changed less than 10 minutes ago", later(540))}
    assert lock.check([view(1)], world.look(now=later(540))) == {}


def test_a_misspelt_workflow_is_said_with_the_nearest() -> None:
    """Unless it has a folder, or none is spelled alike."""
    world = World().declares("friends")
    said = "waits for friend, of which no cycle is known yet"
    nearest = "; there is no folder of that name. Did you mean 'friends'?"
    assert reason(After("friend"), view(7), world) == said + nearest
    assert reason(After("zzz"), view(7), world) == "waits for zzz, of which no cycle is known yet"


def test_run_closed_waits_for_the_end_of_every_run() -> None:
    """The first run that is still open is named."""
    world = World().has_runs(run(1), run(2, is_closed=False), run(3, is_closed=False))
    assert reason(RunClosed(), view(1), world) == ""
    said = "run 2 is still open until files says that it has ended"
    assert reason(RunClosed(), fill(1, 3, 2), world) == said


def test_file_exists_looks_below_the_project(tmp_path: Path) -> None:
    """A file per run must be there."""
    world = World()
    (tmp_path / "map1").touch()
    look = world.look()
    look.folder = tmp_path
    waits = FileExists("map{run}").check([view(1), fill(1, 2)], look)
    assert waits == {"fill:5": Wait("waits for file map2")}


@pytest.mark.parametrize("pattern", ["map{fill}", "map{", "map{0}"])
def test_file_exists_takes_only_the_run_in_its_pattern(pattern: str) -> None:
    """Another placeholder is refused when the module loads."""
    with pytest.raises(WorkflowError, match=r"is not a pattern.*\{run:05d\}"):
        FileExists(pattern)


@pytest.mark.parametrize(
    ("now", "window", "opens"),
    [
        ("2026-01-15T21:30", ("22:00", "06:00"), None),
        ("2026-01-15T03:00", ("22:00", "06:00"), None),
        ("2026-01-15T12:00", ("22:00", "06:00"), "2026-01-15T21:00"),
        ("2026-01-15T05:00", ("22:00", "06:00"), "2026-01-15T21:00"),
        ("2026-01-15T12:00", ("08:00", "17:00"), None),
        ("2026-01-15T06:00", ("08:00", "17:00"), "2026-01-15T07:00"),
        ("2026-01-15T16:00", ("08:00", "17:00"), "2026-01-16T07:00"),
        ("2026-03-28T20:00", ("02:30", "02:45"), "2026-03-29T01:30"),
    ],
)
def test_window_is_open_between_two_times_of_day(
    now: str, window: tuple[str, str], opens: str | None
) -> None:
    """Times are local, the window may pass midnight, and the wait ends when it opens, also across
    summer time.
    """
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    waits = Window(*window).check([view(1)], World().look(now=moment, timezone="Europe/Zurich"))
    if opens is None:
        assert waits == {}
    else:
        until = datetime.fromisoformat(opens).replace(tzinfo=UTC)
        assert waits == {"1": Wait(f"runs only between {window[0]} and {window[1]}", until)}


def test_a_window_of_nonsense_is_refused() -> None:
    """What is no time of day is refused with an example."""
    with pytest.raises(WorkflowError, match=r"is not a window.*22:00"):
        Window("late", "06:00")
