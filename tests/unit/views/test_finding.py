"""The runs that fit a filter."""

from __future__ import annotations

from typing import Any

import pytest

from autoctrl.model.status import TaskStatus
from autoctrl.views import finding
from autoctrl.views.filter import FilterText
from autoctrl.views.finding import Reading, find_runs, possible_runs, understand
from autoctrl.views.standing import Question, Standing, read_standing
from tests.unit.scene import Scene

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
RUNS = range(1, 41)


@pytest.fixture
def scene() -> Scene:
    """Return forty runs, every tenth failed in ``reco``, run 7 with an alarm."""
    made = Scene()
    made.runs(*(run for run in RUNS if run % 2), kind="cosmics")
    made.runs(*(run for run in RUNS if not run % 2), kind="physics")
    made.workflow("reco")
    made.workflow("plots", after=["reco"])
    for run in RUNS:
        reason = "alarm: hot" if run == 7 else ""
        made.task(run, "reco", DONE if run % 10 else FAILED, reason=reason)
    return made


def stand(scene: Scene, limit: int | None = None, **text: Any) -> Standing:
    reading = Reading({"kind": "str"}, scene.clock.now(), scene.clock.now().tzinfo)  # type: ignore[arg-type]  # aware
    asked = FilterText(**text)
    chosen = understand(scene.store, "prompt", asked, reading)
    return read_standing(scene.store, "prompt", RUNS, Question(asked, chosen, limit))


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ({"status": "failed"}, [10, 20, 30, 40]),
        ({"status": "failed", "runs": "15-35"}, [20, 30]),
        ({"status": "failed", "where": ("kind=cosmics",)}, []),
        ({"where": ("kind=physics",), "runs": "1-4"}, [2, 4]),
        ({"alarm": True}, [7]),
        ({"alarm": True, "status": "new"}, []),
        ({"workflow": "plots"}, []),
        ({"status": "new"}, []),
        ({"status": "done", "runs": "9-11"}, [9, 11]),
        ({"since": "1h", "runs": "3"}, [3]),
    ],
)
def test_the_runs_that_fit_are_found(scene: Scene, text: dict[str, Any], runs: list[int]) -> None:
    """Whatever is asked for; rows stand by run number."""
    assert [row.run for row in stand(scene, **text).overview.runs] == runs


def test_the_newest_that_fit_are_shown_first(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few of them are found at a time, and whether there are more is known."""
    monkeypatch.setattr(finding, "FIRST_STEP", 1)
    seen = stand(scene, 2, status="done", workflow="reco")
    assert ([row.run for row in seen.overview.runs], seen.has_more) == ([38, 39], True)
    assert seen.overview.workflows == ("reco",)
    assert not stand(scene, 4, status="failed").has_more
    whole = stand(scene, 3)
    assert ([row.run for row in whole.overview.runs], whole.has_more) == ([38, 39, 40], True)
    assert whole.overview.total == len(RUNS)


def test_all_failures_have_their_reasons(scene: Scene) -> None:
    """Though only the newest run is shown."""
    seen = stand(scene, 1)
    assert [shared.units for shared in seen.reasons] == ["7"]
    scene.task(41, "reco", FAILED, reason="exit code 3")
    scene.task(42, "reco", FAILED, reason="exit code 4")
    scene.runs(41, 42)
    values = stand(scene, 1).values()
    assert values["totals"]["runs"]["failed"] == 4
    assert [row["run"] for row in values["runs"]] == [40]


def test_only_runs_that_can_fit_are_looked_at(scene: Scene) -> None:
    """Unless it is not known yet which runs came too late for their group, or nobody looked."""

    def possible(**text: Any) -> object:
        reading = Reading({}, scene.clock.now(), scene.clock.now().tzinfo)  # type: ignore[arg-type]  # aware
        chosen = understand(scene.store, "prompt", FilterText(**text), reading)
        return possible_runs(scene.store, "prompt", chosen)

    assert possible(status="failed") == {10, 20, 30, 40}
    assert possible(status="done") is None
    assert possible(status="new") == set()
    scene.runs(50)
    assert possible(status="new") is None
    scene.workflow("sums", group_by="fill")
    assert possible(status="failed") is None
    assert possible(status="failed", workflow="reco") == {10, 20, 30, 40}


def test_a_walk_without_runs_finds_none(scene: Scene) -> None:
    """And says which workflows there are."""
    reading = Reading({}, scene.clock.now(), scene.clock.now().tzinfo)  # type: ignore[arg-type]  # aware
    chosen = understand(scene.store, "prompt", FilterText(status="failed"), reading)
    found = find_runs(scene.store, "prompt", [], chosen)
    assert (found.seen.runs, found.has_more) == ((), False)
