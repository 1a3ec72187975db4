"""Lists that are read some at a time, the last ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import TaskStatus
from autoctrl.views import backwards
from autoctrl.views.backwards import Place, Question, part_of, part_of_fields, part_of_outputs
from autoctrl.views.choice import Choice, find_allowed, understand_choice
from autoctrl.views.fields import list_fields
from autoctrl.views.outputs import list_outputs
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = TaskStatus.DONE
TYPES = {"kind": "str", "fill": "int"}
CHOICES: list[dict[str, Any]] = [
    {},
    {"runs": "2-11"},
    {"runs": "fill:1,9"},
    {"where": ("kind=physics",)},
    {"quality": "usable"},
    {"runs": "3-12", "where": ("kind=cosmic",), "quality": "good"},
    {"runs": "77"},
]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Return twelve runs in fills of four, two outputs of each run, sums of each fill, old ones
    too.
    """
    monkeypatch.setattr(backwards, "UNITS_AT_ONCE", 3)
    made = Scene()
    for run in range(1, 13):
        made.runs(run, kind="cosmic" if run % 5 == 0 else "physics", fill=(run - 1) // 4)
    made.workflow("reco")
    made.workflow("sums", after=["reco"], group_by="fill", late={})
    for run in range(1, 13):
        reason = "alarm: light is low" if run == 7 else ""
        key = made.task(run, "reco", DONE, reason=reason)
        made.output(key)
        made.output(key, name="plot", url=f"/data/plot{run}")
        made.store.append([FieldsRecord(key, 1, {"light": float(run)}, made.clock.now())])
    for fill in range(3):
        members = range(4 * fill + 1, 4 * fill + 5)
        made.output(made.task(f"fill:{fill}", "sums", DONE, members=members))
    return made


def walk(read: Callable[[str], Any]) -> list[Any]:
    """Return the lines of all parts, in the order of the whole."""
    found: list[Any] = []
    before = ""
    while True:
        part = read(before)
        found = [*part.lines, *found]
        if not part.before:
            return found
        before = part.before


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
@pytest.mark.parametrize("choice", CHOICES)
def test_the_parts_are_the_whole(scene: Scene, choice: dict[str, Any], limit: int) -> None:
    """Whatever is chosen and however few lines a part may have: nothing is left out, nothing comes
    twice, and the order is that of the list.
    """
    store, asked = scene.store, Choice(**choice)
    chosen = understand_choice(store, "prompt", asked, TYPES)
    allowed = find_allowed(store, "prompt", asked, TYPES)
    for workflow in ("", "reco", "sums"):
        question = Question(workflow, chosen)
        expected = list_outputs(store, "prompt", workflow or None, allowed=allowed)
        found = walk(lambda b, q=question: part_of_outputs(store, q, Place(limit, b)))  # type: ignore[misc]
        assert found == expected
    question = Question("reco", chosen)
    fields = walk(lambda before: part_of_fields(store, question, Place(limit, before)))
    assert fields == list_fields(store, "prompt", "reco", allowed)


def test_outputs_of_one_task_are_never_parted(scene: Scene) -> None:
    """A part has fewer lines than it may, or more where a single task has more."""
    chosen = understand_choice(scene.store, "prompt", Choice(), TYPES)
    asked = Question("reco", chosen)
    first = part_of_outputs(scene.store, asked, Place(3))
    assert ([line.unit for line in first.lines], first.before) == (["12", "12"], "reco/12")
    again = part_of_outputs(scene.store, asked, Place(1, "reco/11"))
    assert [line.unit for line in again.lines] == ["10", "10"]
    assert part_of_outputs(scene.store, asked, Place(5, "reco/1")).lines == []


def test_a_place_holds_although_it_is_gone(scene: Scene) -> None:
    """What comes before a unit does so whether there is such a task or not; what is no place of
    this list is refused.
    """
    chosen = understand_choice(scene.store, "prompt", Choice(), TYPES)
    asked = Question("", chosen)
    part = part_of_outputs(scene.store, asked, Place(1, "sums/fill:1"))
    assert [line.unit for line in part.lines] == ["fill:0"]
    part = part_of_outputs(scene.store, asked, Place(1, "reco/3x"))
    assert part.lines == [] or part.lines[0].workflow == "reco"
    for wrong in ("dq/1", "reco", "reco/"):
        with pytest.raises(UsageError, match="is no place in this list"):
            part_of_outputs(scene.store, asked, Place(1, wrong))
    with pytest.raises(UsageError, match="Did you mean 'reco'"):
        part_of_outputs(scene.store, Question("rco", chosen), Place(1))


def test_a_campaign_of_few_runs_has_those(scene: Scene) -> None:
    """Its parent's outputs of other runs are not its own."""
    scene.campaign(Campaign("few", runs="2-3", parent="prompt", workflows=()))
    chosen = understand_choice(scene.store, "few", Choice(), TYPES)
    found = part_of_outputs(scene.store, Question("reco", chosen), Place(100))
    assert found.lines == list_outputs(scene.store, "few", "reco")
    assert {line.unit for line in found.lines} == {"2", "3"}


def test_the_last_ones_of_a_list_that_grows() -> None:
    """Positions count from the beginning, so they hold when it has grown."""
    items = list("abcde")
    assert part_of(items, 2, None) == (["d", "e"], 3)
    assert part_of([*items, "f"], 2, 3) == (["b", "c"], 1)
    assert part_of(items, 2, 1) == (["a"], 0)
    assert part_of(items, 2, 0) == ([], 0)
    assert part_of(items, 9, 99) == (items, 0)
