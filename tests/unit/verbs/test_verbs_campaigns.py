"""The operator's verbs about workflows, runs and campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.campaigns import find_campaign
from autoctrl.errors import LeaseHeld, UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.names import CAMPAIGNS_LEASE
from autoctrl.model.succession import TICK
from autoctrl.verbs import (
    add_runs,
    close_campaign,
    create_campaign,
    edit_campaign,
    list_campaigns,
    pause,
    resume,
)
from tests.unit.scene import ANNA, Scene

if TYPE_CHECKING:
    from datetime import datetime


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.runs(1, 2, 3, fill=7)
    made.workflow("reco")
    return made


def test_pausing_twice_changes_nothing_the_second_time(scene: Scene) -> None:
    """Pause and resume write one mark each, with person and reason, and only if something
    changes.
    """
    assert not resume(scene.request(), "reco")
    assert pause(scene.request("full"), "reco")
    assert not pause(scene.request("again"), "reco")
    (mark,) = scene.store.marks("pause", "prompt")
    assert (mark.values, mark.actor, mark.reason, mark.sequence) == (
        {"paused": True},
        ANNA,
        "full",
        1,
    )
    assert resume(scene.request(), "reco")
    assert scene.store.marks("pause", "prompt")[0].sequence == 2


def test_a_clock_that_was_set_back_writes_no_earlier_time(scene: Scene) -> None:
    """What follows a record is later than it, by a microsecond if need be."""
    close_campaign(scene.request(), "prompt")
    pause(scene.request(), "reco")
    add_runs(scene.request(), "9", {}, {})
    before = times(scene)
    scene.clock.advance(-60)
    edit_campaign(scene.request(), "prompt", {"closed": False}, known=())
    resume(scene.request(), "reco")
    add_runs(scene.request(), "9", {}, {}, is_closed=False)
    assert times(scene) == [time + TICK for time in before]


def times(scene: Scene) -> list[datetime]:
    """Return when the newest records of campaigns, pauses and run 9 were written."""
    marks = [*scene.store.marks("campaign"), *scene.store.marks("pause")]
    return [*(mark.time for mark in marks), *(run.time for run in scene.store.runs(0, [9])[0])]


def test_runs_are_registered_with_typed_attributes(scene: Scene) -> None:
    """New runs are closed unless said otherwise, and their attributes have the declared types."""
    done = add_runs(scene.request(), "10-11", {"fill": "8"}, {"fill": "int"})
    assert done == ((10, 11), (), ())
    (run,) = scene.store.runs(0, [10])[0]
    assert (run.attributes, run.is_closed, run.actor) == ({"fill": 8}, True, ANNA)
    add_runs(scene.request(), "12", {}, {}, is_closed=False)
    assert not scene.store.runs(0, [12])[0][0].is_closed


def test_a_known_run_is_written_again_only_if_something_is_different(scene: Scene) -> None:
    """Setting an attribute keeps the others and makes a new revision; saying the same again writes
    nothing.
    """
    types = {"fill": "int", "kind": "str"}
    assert add_runs(scene.request(), "1-2", {"kind": "physics"}, types) == ((), (1, 2), ())
    (run,) = scene.store.runs(0, [1])[0]
    assert (run.attributes, run.sequence, run.is_closed) == (
        {"fill": 7, "kind": "physics"},
        2,
        True,
    )
    position = scene.store.runs()[1]
    assert add_runs(scene.request(), "1-2", {"kind": "physics"}, types) == ((), (), (1, 2))
    assert scene.store.runs()[1] == position
    assert add_runs(scene.request(), "1", {}, types, is_closed=False).changed == (1,)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"fil": "8"}, "'fil' is not declared. Did you mean 'fill'?"),
        ({"fill": "eight"}, "declared as int, which 'eight' is not"),
    ],
)
def test_undeclared_and_mistyped_attributes_are_refused(
    scene: Scene, given: dict[str, str], text: str
) -> None:
    """An attribute that the settings do not declare, or a value of another type, writes nothing."""
    with pytest.raises(UsageError, match=r"Run attribute") as caught:
        add_runs(scene.request(), "10", given, {"fill": "int"})
    assert text in str(caught.value)
    assert not scene.store.runs(0, [10])[0]


def made_campaign(scene: Scene, **fields: object) -> Campaign:
    """Create the campaign ``again`` with two workflows known."""
    plain = Campaign("again", "prompt", ("reco",), {"tag": "v7"})
    return create_campaign(scene.request("why not"), plain._replace(**fields), {"reco", "friends"})  # type: ignore[arg-type]


def test_a_campaign_freezes_the_runs_that_are_registered(scene: Scene) -> None:
    """Without runs a campaign takes those of now; with runs, those; when it follows, all."""
    assert made_campaign(scene).runs == "1-3"
    assert made_campaign(scene, name="b", runs="2,1,7").runs == "1-2,7"
    assert made_campaign(scene, name="c", follow=True).runs is None
    assert find_campaign(scene.store, "again").wanted() == frozenset({1, 2, 3})
    assert [campaign.name for campaign in list_campaigns(scene.store)] == [
        "again",
        "b",
        "c",
        "prompt",
    ]
    mark = next(mark for mark in scene.store.marks("campaign") if mark.name == "again")
    assert (mark.actor, mark.reason) == (ANNA, "why not")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": "../x"}, "cannot be the name"),
        ({"name": "a" * 201}, "has 201 letters. It becomes a folder: use 200 at most"),
        ({"name": "prompt"}, "Campaign 'prompt' already exists"),
        ({"parent": "promt"}, "no campaign 'promt'"),
        (
            {"workflows": ("rco",)},
            "There is no workflow 'rco' in this project. Did you mean 'reco'?",
        ),
        ({"runs": "1", "follow": True}, "not both"),
        ({"runs": "x"}, "not a run selection"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(
    scene: Scene, fields: dict[str, object], text: str
) -> None:
    """An unfit or taken name, an unknown parent or workflow, and contradictory runs are refused."""
    with pytest.raises(UsageError) as caught:
        made_campaign(scene, **fields)
    assert text in str(caught.value)
    assert [mark.name for mark in scene.store.marks("campaign")] == ["prompt"]


def test_a_campaign_without_any_run_is_refused() -> None:
    """Where no run is registered, a fixed list of runs would be empty."""
    with pytest.raises(UsageError, match="none is registered yet"):
        made_campaign(Scene())


def test_a_campaign_may_have_no_parent(scene: Scene) -> None:
    """A campaign without a parent looks nothing up anywhere."""
    assert made_campaign(scene, parent=None).parent is None


def test_editing_merges_settings_and_keeps_the_rest(scene: Scene) -> None:
    """What is not given stays; an edit that changes nothing writes nothing."""
    made_campaign(scene)
    after, is_changed = edit_campaign(
        scene.request(), "again", {"settings": {"x": 1}, "code": "abc"}, ()
    )
    assert is_changed
    assert (after.settings, after.code, after.runs) == ({"tag": "v7", "x": 1}, "abc", "1-3")
    assert edit_campaign(scene.request(), "again", {"code": "abc"}, ()) == (after, False)


def test_following_and_a_fixed_list_replace_each_other(scene: Scene) -> None:
    """A campaign told to follow loses its list, one that gets a list stops following, and both at
    once are refused.
    """
    made_campaign(scene)
    assert edit_campaign(scene.request(), "again", {"follow": True}, ())[0].runs is None
    after = edit_campaign(scene.request(), "again", {"runs": "5"}, ())[0]
    assert (after.runs, after.follow) == ("5", False)
    with pytest.raises(UsageError, match="not both"):
        edit_campaign(scene.request(), "again", {"runs": "5", "follow": True}, ())


def test_a_campaign_cannot_descend_from_itself(scene: Scene) -> None:
    """A circle of parents is refused."""
    made_campaign(scene)
    made_campaign(scene, name="child", parent="again")
    with pytest.raises(UsageError, match="Campaign child cannot be the parent of again"):
        edit_campaign(scene.request(), "again", {"parent": "child"}, ())
    assert edit_campaign(scene.request(), "child", {"parent": "prompt"}, ())[1]
    assert edit_campaign(scene.request(), "child", {"parent": None}, ())[0].parent is None


def test_closing_twice_changes_nothing_the_second_time(scene: Scene) -> None:
    """Closing says whether it changed anything; a campaign can be opened again."""
    made_campaign(scene)
    assert close_campaign(scene.request(), "again")[1]
    assert not close_campaign(scene.request(), "again")[1]
    assert edit_campaign(scene.request(), "again", {"closed": False}, ())[1]


def test_marks_are_written_under_their_own_lease(scene: Scene) -> None:
    """Two people who change campaigns at once do not overwrite each other: the second waits, then
    is told.
    """
    scene.store.lease(CAMPAIGNS_LEASE, "boris", 60)
    with pytest.raises(LeaseHeld, match="boris"):
        made_campaign(scene)
