"""By what runs are sorted."""

from __future__ import annotations

from typing import Any

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.status import TaskStatus
from autoctrl.views import finding
from autoctrl.views.filter import FilterText
from autoctrl.views.finding import Reading, find_sorted, understand
from autoctrl.views.sorting import Sort, read_sort
from autoctrl.views.standing import Question, Standing, read_standing
from tests.unit.scene import Scene

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
RUNS = range(1, 7)


@pytest.fixture
def scene() -> Scene:
    """Return six runs of which one waits, one has failed since, and one raises an alarm."""
    made = Scene()
    for run in RUNS:
        attributes: dict[str, Any] = {"fill": 10 - run} if run != 3 else {}
        made.runs(run, **attributes)
    made.workflow("reco")
    made.workflow("plots", after=["reco"])
    made.task(5, "reco", NEW)
    made.clock.advance(60)
    made.task(2, "reco", FAILED)
    made.task(4, "reco", DONE, reason="alarm: hot")
    made.task(6, "reco", DONE)
    made.task(6, "plots", SKIPPED)
    made.task(1, "reco", DONE)
    return made


def stand(scene: Scene, limit: int | None = None, skip: int = 0, **text: Any) -> Standing:
    reading = Reading({"fill": "int"}, scene.clock.now(), scene.clock.now().tzinfo)  # type: ignore[arg-type]  # aware
    asked = FilterText(**text)
    chosen = understand(scene.store, "prompt", asked, reading)
    question = Question(asked, chosen, limit, skip=skip)
    return read_standing(scene.store, "prompt", RUNS, question)


@pytest.mark.parametrize(
    ("word", "runs"),
    [
        ("newest", [6, 5, 4, 3, 2, 1]),
        ("oldest", [1, 2, 3, 4, 5, 6]),
        ("-oldest", [6, 5, 4, 3, 2, 1]),
        ("status", [2, 5, 6, 4, 3, 1]),
        ("-status", [6, 4, 3, 1, 5, 2]),
        ("age", [5, 2, 6, 4, 3, 1]),
        ("-age", [2, 5, 6, 4, 3, 1]),
        ("reco", [2, 4, 5, 6, 1, 3]),
        ("plots", [6, 5, 4, 3, 2, 1]),
        ("fill", [6, 5, 4, 2, 1, 3]),
        ("-fill", [1, 2, 4, 5, 6, 3]),
    ],
)
def test_runs_are_sorted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, word: str, runs: list[int]
) -> None:
    """By words and names; those that are alike stand newest first, what nobody knows last."""
    monkeypatch.setattr(finding, "LONGEST_STEP", 4)
    assert [row.run for row in stand(scene, sort=word).overview.runs] == runs


@pytest.mark.parametrize("word", ["oldest", "fill"])
def test_they_are_read_part_by_part(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """Which together are all of them, in the same order."""
    monkeypatch.setattr(finding, "LONGEST_STEP", 2)
    whole = [row.run for row in stand(scene, sort=word).overview.runs]
    parts = [stand(scene, 2, skip, sort=word) for skip in (0, 2, 4)]
    assert [row.run for part in parts for row in part.overview.runs] == whole
    assert [part.has_more for part in parts] == [True, True, False]


def test_what_is_filtered_is_sorted(scene: Scene) -> None:
    """And has only the workflow that is asked for."""
    seen = stand(scene, sort="-fill", workflow="reco", status="done").overview
    assert [row.run for row in seen.runs] == [1, 4, 6]
    assert seen.workflows == ("reco",)
    assert not FilterText(sort="fill").narrows_tasks


def test_without_a_word_the_newest_come_first(scene: Scene) -> None:
    """Whoever asks for parts of a walk has it in its own order."""
    chosen = understand(
        scene.store,
        "prompt",
        FilterText(),
        Reading({}, scene.clock.now(), scene.clock.now().tzinfo),  # type: ignore[arg-type]  # aware
    )
    found = find_sorted(scene.store, "prompt", RUNS[::-1], chosen, part=slice(0, 2))
    assert [row.run for row in found.seen.runs] == [6, 5]


def test_a_word_that_means_nothing_is_refused() -> None:
    """Naming the nearest; nothing is no word."""
    assert read_sort("", (), ()) is None
    assert read_sort("-newest", (), ()) == Sort("oldest")
    with pytest.raises(UsageError, match=r"not sorted by 'rec'\. Did you mean 'reco'"):
        read_sort("-rec", ("reco",), ("fill",))
