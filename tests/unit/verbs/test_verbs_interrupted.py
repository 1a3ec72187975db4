"""Verbs that were begun before and did not end: what is done stays, and is answered as done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl import verbs
from autoctrl.errors import UsageError
from autoctrl.incidents import join_failures, list_incidents
from autoctrl.model.actor import Actor
from autoctrl.model.pairs import type_values
from autoctrl.model.status import TaskStatus
from autoctrl.verbs.campaign_text import CampaignText
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from autoctrl.verbs import Request

BERT = Actor("bert", "web")


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.runs(1)
    made.workflow("reco")
    return made


def begun(scene: Scene) -> Request:
    """Return a request that was begun a second ago."""
    since = scene.clock.now()
    scene.clock.advance(1)
    return scene.request(since=since)


def test_a_pause(scene: Scene) -> None:
    """It is not said twice, and not after somebody else has resumed."""
    request = begun(scene)
    assert verbs.pause(request, "reco")
    marks = scene.store.marks("pause", "prompt")
    assert verbs.pause(request, "reco")
    assert scene.store.marks("pause", "prompt") == marks
    verbs.resume(scene.request(actor=BERT), "reco")
    with pytest.raises(UsageError, match="bert has changed the same thing since"):
        verbs.pause(request, "reco")
    assert verbs.pause(scene.request(), "reco")


def test_an_incident(scene: Scene) -> None:
    """What was said of it is not said again; where it was not said, it is."""
    task = scene.newest(scene.task(1, "reco", TaskStatus.FAILED, reason="boom"))
    scene.store.append(join_failures(scene.store, "prompt", "reco", [task], scene.clock.now()))
    (found,) = list_incidents(scene.store, "prompt")
    request = begun(scene)
    acked = verbs.acknowledge(request, found.id)
    scene.clock.advance(1)
    assert verbs.acknowledge(request, found.id) == acked
    muted = verbs.mute(request, found.id, timedelta(hours=1))
    scene.clock.advance(1)
    assert verbs.mute(request, found.id, timedelta(hours=1)) == muted
    closed = verbs.dismiss(request, found.id)
    assert verbs.dismiss(request, found.id) == closed


def test_what_is_said_of_a_campaign() -> None:
    """Only what is said is changed; an empty parent is none."""
    assert CampaignText().changes() == {}
    said = CampaignText(workflows="a, b", parent="", settings={"year": "2026"}, reopen=True)
    assert said.changes() == {
        "workflows": ("a", "b"),
        "parent": None,
        "settings": {"year": 2026},
        "closed": False,
    }
    assert CampaignText("a").campaign("c").parent == "prompt"


def test_whole_numbers_are_numbers() -> None:
    """Others stay as they are written."""
    given = {"a": "7", "b": "-7", "c": "007", "d": "7.5", "e": 8}
    assert type_values(given) == {"a": 7, "b": -7, "c": "007", "d": "7.5", "e": 8}
