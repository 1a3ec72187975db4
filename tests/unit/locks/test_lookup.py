"""What locks and inputs ask of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey
from tests.unit.given import run, view
from tests.unit.locks.looking import World

if TYPE_CHECKING:
    from autoctrl.ports import Store


class Counting:
    """A store that counts the questions by name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.store, name)


def test_each_question_is_asked_once() -> None:
    """Runs, tasks, declarations, outputs and the position are read at most once in a cycle, in
    bulk.
    """
    world = World().has_runs(run(1), run(2)).declares("reco")
    record = world.has("reco", "1")
    counting = Counting(world.store)
    world.store = counting
    look = world.look()
    counting.asked.clear()
    keys = [TaskKey("prompt", "reco", unit) for unit in ("1", "2", "3")]
    for _ in range(3):
        assert sorted(look.runs([1, 2])) == [1, 2]
        assert look.tasks(keys) == {record.key: record}
        assert look.all_tasks("reco") == [record]
        assert look.outputs(record.key) == []
        assert look.position == 2
        assert look.declaration("friends") is None
    assert sorted(counting.asked) == ["find_outputs", "marks", "runs", "runs", "tasks", "tasks"]


def test_the_newest_task_at_or_before_a_run_is_found_without_reading_again() -> None:
    """However often it is asked, the tasks are read once; skipped ones are passed over."""
    world = World().declares("pedestal")
    tasks = {unit: world.has("pedestal", unit) for unit in ("10", "2", "7")}
    world.has("pedestal", "8", TaskStatus.SKIPPED)
    world.store = counting = Counting(world.store)
    look = world.look()
    counting.asked.clear()
    found = [look.newest_task("pedestal", number) for number in (1, 2, 6, 9, 10, 99)]
    assert found == [None, *(tasks[unit] for unit in ("2", "2", "7", "10", "10"))]
    assert counting.asked.count("tasks") == 1


def test_an_unknown_campaign_is_refused_with_the_nearest() -> None:
    """A misspelt campaign names the one that was probably meant."""
    with pytest.raises(UsageError, match=r"no campaign 'promt'. Did you mean 'prompt'\?"):
        World().look("promt")


def test_settings_come_from_the_campaign_and_else_from_its_parents() -> None:
    """The nearest campaign that says a setting wins."""
    base = Campaign("base", settings={"tag": "v1", "gain": 2})
    world = World(base, Campaign("again", "base", settings={"tag": "v2"}))
    assert world.look("again").settings == {"tag": "v2", "gain": 2}


def test_a_workflow_that_no_campaign_of_the_lineage_has_is_not_declared() -> None:
    """Neither tasks nor upstream tasks are known of it."""
    look = World(Campaign("alone", None, ("reco",))).declares("pedestal").look("alone")
    assert look.declaration("pedestal") is None
    assert look.all_tasks("pedestal") == []
    assert look.upstream_keys("pedestal", view(1)) is None


def test_runs_that_nobody_knows_are_absent() -> None:
    """An unknown number is no error."""
    assert World().look().runs([99]) == {}
