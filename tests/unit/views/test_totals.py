"""Totals over everything, and which tasks ask for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.incidents import join_failures
from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.views import Spelling, read_overview, totals
from autoctrl.views.filter import FilterText
from autoctrl.views.totals import DoneTasks, read_everything, urgent_for
from autoctrl.views.totals_text import spell_totals
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from autoctrl.model.unit import TaskKey

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
RUNS = range(1, 13)
UTC = Spelling("UTC")


@pytest.fixture
def scene() -> Scene:
    """Return a campaign that has one of everything in ``reco``; run 12 is wanted by nobody."""
    made = Scene()
    made.runs(*RUNS, fill=7)
    made.workflow("reco")
    made.workflow("plots", after=["reco"])
    made.task(1, "reco", FAILED, reason="first")
    made.clock.advance(60)
    made.task(2, "reco", FAILED, reason="last")
    made.task(3, "reco", NEW)
    made.task(4, "reco", DONE)
    made.task(4, "plots", NEW)
    made.task(5, "reco", PROCESSING)
    made.task(6, "reco", SKIPPED)
    reco = made.task(7, "reco", DONE, version=2)
    made.task(7, "plots", DONE, reads=[(reco, 1)])
    alarm(made, 8)
    for run in (9, 10, 11):
        made.task(run, "reco", DONE)
    return made


def alarm(scene: Scene, run: int) -> TaskKey:
    """Let a done version raise an alarm, of which people are told."""
    key = scene.task(run, "reco", DONE, reason="alarm: 3 hot pixels")
    now = scene.clock.now()
    scene.store.append(join_failures(scene.store, "prompt", "reco", [scene.newest(key)], now))
    return key


def count(scene: Scene, campaign: str = "prompt", **known: Any) -> totals.Totals:
    return read_everything(scene.store, campaign, RUNS, **known).totals


@pytest.mark.parametrize("is_small", [True, False])
def test_runs_are_counted_as_the_overview_shows_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, is_small: bool
) -> None:
    """In a large campaign without reading what is done, with the same result."""
    monkeypatch.setattr(totals, "COUNTED_WHOLE", 10_000 if is_small else 0)
    shown = [row.status for row in read_overview(scene.store, "prompt").runs]
    found = count(scene)
    assert found.runs == {status: shown.count(status) for status in found.runs}
    assert found.runs == {FAILED: 2, NEW: 1, PROCESSING: 2, DONE: 7}
    assert found.all_runs == len(RUNS)
    assert (found.alarms, found.incidents, found.conditions) == (1, 1, 0)
    assert found.stale == (1 if is_small else None)
    done = (6, 1) if is_small else (None, None)
    assert (found.tasks["reco"][DONE], found.tasks["plots"][DONE]) == done
    assert found.tasks_of(NEW) == 2


@pytest.mark.parametrize("is_small", [True, False])
def test_runs_at_which_nobody_has_looked_are_new(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, is_small: bool
) -> None:
    """Between their discovery and the next cycle; what has a task is not among them."""
    monkeypatch.setattr(totals, "COUNTED_WHOLE", 10_000 if is_small else 0)
    scene.runs(13, 14)
    scene.task(14, "reco", DONE)
    found = read_everything(scene.store, "prompt", range(1, 15)).totals
    assert found.runs[NEW] == (3 if is_small else 2)  # run 12 is no news


def test_a_run_that_came_too_late_counts_as_its_group(scene: Scene) -> None:
    """As its row shows it."""
    scene.workflow("sums", group_by="fill", late={"fill:7": [12]})
    scene.task("fill:7", "sums", FAILED, members=(11,))
    assert count(scene).runs[FAILED] == 4


def test_what_was_counted_before_is_not_counted_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of done tasks of a large campaign."""
    monkeypatch.setattr(totals, "COUNTED_WHOLE", 0)
    found = count(scene, known_done={("prompt", "reco"): DoneTasks(70, 2, 5)})
    assert (found.stale, found.tasks["reco"][DONE], found.tasks["plots"][DONE]) == (5, 70, 0)


def test_the_oldest_and_the_newest_failure_are_known(scene: Scene) -> None:
    """By when they failed."""
    found = count(scene)
    assert found.oldest_failure is not None
    assert found.newest_failure is not None
    assert (found.oldest_failure.unit, found.newest_failure.unit) == ("1", "2")
    assert found.newest_failure.since - found.oldest_failure.since == timedelta(seconds=60)


def test_a_campaign_counts_what_it_inherits(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """For its own runs only."""
    scene.campaign(Campaign("again", "prompt", ("plots",), runs="1,8"))
    scene.workflow("plots", "again")
    monkeypatch.setattr(totals, "COUNTED_WHOLE", 0)
    found = read_everything(scene.store, "again", [1, 8]).totals
    assert found.runs == {FAILED: 1, NEW: 0, PROCESSING: 0, DONE: 1}
    assert (found.alarms, found.incidents) == (1, 0)


def test_alarms_of_other_workflows_are_none_of_ours(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign that has the workflow itself does not show its parent's alarms."""
    scene.campaign(Campaign("again", "prompt", ("reco",), runs="1,8"))
    scene.workflow("reco", "again")
    monkeypatch.setattr(totals, "COUNTED_WHOLE", 0)
    assert read_everything(scene.store, "again", [1, 8]).totals.alarms == 0


@pytest.mark.parametrize(
    ("text", "runs", "units"),
    [
        ({}, None, ["2", "1", "8", "5"]),
        ({}, {1, 5}, ["1", "5"]),
        ({"status": "failed"}, None, ["2", "1"]),
        ({"workflow": "plots"}, None, []),
        ({"alarm": True}, None, ["8"]),
        ({"since": "1h"}, None, []),
    ],
)
def test_who_filters_is_told_what_the_filter_takes(
    scene: Scene, text: dict[str, Any], runs: set[int] | None, units: list[str]
) -> None:
    """Without a filter all that is failed, the newest first, raises an alarm or is processing."""
    everything = read_everything(scene.store, "prompt", RUNS)
    some = None if runs is None else frozenset(runs)
    found = urgent_for(everything, some, FilterText(**text))
    assert [task.key.unit for task in found] == units


def test_totals_are_two_lines_and_one_for_each_workflow_that_waits(scene: Scene) -> None:
    """What asks for a person comes first; nothing is said of what is not there."""
    scene.mark("pause", "prompt", "plots", {"paused": True})
    scene.workflow("idle", after=["plots"])
    assert spell_totals(count(scene), UTC) == [
        (
            "12 runs: 2 failed, 1 new, 2 processing, 7 done. Tasks: 2 failed, 2 new, 1 processing, "
            "1 skipped. 1 alarm, 1 stale task, 1 open incident, 1 condition."
        ),
        (
            "Failed last: run 2 / reco since 2026-01-01 00:01:00 UTC; first: run 1 / reco since "
            "2026-01-01 00:00:00 UTC."
        ),
        "  reco: 2 failed, 1 new, 1 processing, 1 skipped, 6 done.",
        "  plots: 1 new, 1 done.",
    ]


def test_one_failure_is_the_last_and_the_first() -> None:
    """And is named once; where all is well there is one line."""
    made = Scene()
    made.runs(1)
    assert spell_totals(read_everything(made.store, "prompt", [1]).totals, UTC) == ["1 run: 1 new."]
    made.workflow("reco")
    made.task(1, "reco", FAILED)
    assert spell_totals(read_everything(made.store, "prompt", [1]).totals, UTC)[1] == (
        "Failed last: run 1 / reco since 2026-01-01 00:00:00 UTC."
    )


def test_totals_are_plain_values(scene: Scene) -> None:
    """For JSON."""
    values = count(scene).values()
    assert values["runs"] == {"new": 1, "processing": 2, "done": 7, "failed": 2}
    assert values["newest_failure"]["unit"] == "2"
    assert values["tasks"]["plots"]["done"] == 1
