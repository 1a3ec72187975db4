"""What cannot be done, as people read it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import WATCH, ConditionKind, Verdict, judge
from autoctrl.ports import Heartbeat
from autoctrl.views import (
    conditions_of,
    explain,
    limit_silence,
    list_conditions,
    read_overview,
    spell_condition,
)
from autoctrl.views.conditions import broken_module, with_verdict
from autoctrl.views.spelling import Spelling
from tests.unit.scene import Scene

BROKEN = Verdict(ConditionKind.MODULE, "fits", "fits/handler.py cannot be loaded")
GONE = Verdict(ConditionKind.SOURCE, "table", "runs.csv is gone")


@pytest.fixture
def scene() -> Scene:
    """Return a store whose cycles found two things wrong, and a workflow that is paused."""
    made = Scene()
    made.runs(1, kind="physics")
    made.workflow("reco")
    made.workflow("fits", position=0)
    made.store.append(judge([], [BROKEN, GONE], "prompt", made.clock.now()))
    made.clock.advance(10)
    made.mark("pause", "prompt", "reco", {"paused": True}, "HV trip")
    made.mark("pause", "prompt", "fits", {"paused": False})
    return made


def test_conditions_are_listed_the_oldest_first(scene: Scene) -> None:
    """A paused workflow is one of them, with who paused it."""
    found = list_conditions(scene.store, "prompt")
    assert [(one.kind, one.about) for one in found] == [
        (ConditionKind.MODULE, "fits"),
        (ConditionKind.SOURCE, "table"),
        (ConditionKind.PAUSE, "reco"),
    ]
    assert found[-1].reason == "paused by anna: HV trip"
    assert list_conditions(scene.store, "other") == ()


def test_a_task_is_told_what_concerns_it(scene: Scene) -> None:
    """Its module and its pause, and what concerns all."""
    found = list_conditions(scene.store, "prompt")
    assert [one.about for one in conditions_of(found, "reco")] == ["table", "reco"]
    assert [one.about for one in conditions_of(found, "fits")] == ["fits", "table"]


def test_a_condition_is_one_line(scene: Scene) -> None:
    """What, since when, why."""
    line = spell_condition(list_conditions(scene.store, "prompt")[0], Spelling("UTC"))
    assert line.startswith("module fits, since 2026-")
    assert line.endswith(": fits/handler.py cannot be loaded")


def test_why_does_not_promise_what_a_broken_module_cannot_do(scene: Scene) -> None:
    """The next cycle helps only where the module can be loaded."""
    assert broken_module(scene.store, "prompt", "reco") is None
    assert explain(scene.store, "prompt", "1", "fits").reason.endswith("; it cannot")
    (condition, _) = explain(scene.store, "prompt", "1", "fits").conditions
    assert condition.reason == BROKEN.reason


def test_a_workflow_that_was_never_loaded_is_explained(scene: Scene) -> None:
    """Its module's trouble is told; another name is not known."""
    ghost = Verdict(ConditionKind.MODULE, "ghost", "ghost/handler.py cannot be loaded")
    scene.store.append(judge([], [ghost], "prompt", scene.clock.now()))
    with pytest.raises(UsageError, match="'ghost' has not made a cycle yet"):
        explain(scene.store, "prompt", "1", "ghost")
    with pytest.raises(UsageError, match="has no workflow 'fit'"):
        explain(scene.store, "prompt", "1", "fit")


@pytest.mark.parametrize(
    ("text", "limit_s"), [("", 7200), ("60", 60), ("0", None), ("inf", 10 * 365 * 86_400)]
)
def test_the_settings_say_how_long_silence_is_well(text: str, limit_s: float | None) -> None:
    """Two hours unless they say otherwise, and 0 is for ever."""
    line = f"cycle.silent_after_s = {text}" if text else ""
    settings = parse_settings(line, Path("/nowhere"), environ={})
    now = Scene().clock.now()
    expected = None if limit_s is None else now - timedelta(seconds=limit_s)
    assert limit_silence(settings, now) == expected


def test_a_campaign_without_cycles_has_a_condition() -> None:
    """It says since when and who made the last one, and concerns every open task."""
    scene = Scene()
    scene.runs(1)
    scene.workflow("reco")
    scene.task(1, "reco")
    began = scene.clock.now()
    scene.store.beat(Heartbeat("prompt", began, "node7:4711:123:456"))
    assert list_conditions(scene.store, "prompt", began) == ()
    scene.clock.advance(1)
    now = scene.clock.now()
    (found,) = list_conditions(scene.store, "prompt", now)
    assert (found.kind, found.about, found.since) == (ConditionKind.CYCLES, "prompt", began)
    assert found.reason == "nobody has made a cycle; the last was made by process 4711 on node7"
    assert found.remedy.endswith("autoctrl loop")
    assert read_overview(scene.store, "prompt", silent_before=now).conditions == (found,)
    assert explain(scene.store, "prompt", "1", "reco", silent_before=now).conditions == (found,)
    assert list_conditions(scene.store, "prompt") == ()


def test_nobody_misses_cycles_of_a_campaign_that_has_none_or_is_closed() -> None:
    """Another campaign than the prompt one is continued by its name, or closed."""
    scene = Scene()
    scene.campaign(Campaign("again"))
    assert list_conditions(scene.store, "again", scene.clock.now()) == ()
    scene.store.beat(Heartbeat("again", scene.clock.now(), "somebody"))
    scene.clock.advance(1)
    (found,) = list_conditions(scene.store, "again", scene.clock.now())
    assert found.remedy.endswith(
        "loop --campaign again; or close it: autoctrl campaign close again"
    )
    scene.campaign(Campaign("again", closed=True))
    assert list_conditions(scene.store, "again", scene.clock.now()) == ()


def test_what_two_have_found_is_one(scene: Scene) -> None:
    """As old as it was when the first of them found it."""
    before = list_conditions(scene.store, "prompt")
    watched = [verdict._replace(finder=WATCH, reason="as well") for verdict in (GONE, BROKEN)]
    scene.store.append(judge([], watched, "prompt", scene.clock.now()))
    assert list_conditions(scene.store, "prompt") == before


def test_a_condition_of_a_workflow_concerns_its_tasks_alone(scene: Scene) -> None:
    """Its lease is held, or the settings make no sense for it."""
    held = Verdict(ConditionKind.LEASE, "reco", "held", "reco")
    scene.store.append(judge([], [held], "prompt", scene.clock.now()))
    found = list_conditions(scene.store, "prompt")
    concerned = {name: list(conditions_of(found, name)) for name in ("reco", "fits")}
    kinds = {name: {one.kind for one in ones} for name, ones in concerned.items()}
    assert (ConditionKind.LEASE in kinds["reco"], ConditionKind.LEASE in kinds["fits"]) == (
        True,
        False,
    )


def test_a_reader_may_have_found_something_itself(scene: Scene) -> None:
    """It is shown beside what is known, once."""
    before = list_conditions(scene.store, "prompt")
    now = scene.clock.now()
    broken = Verdict(ConditionKind.SETTINGS, "autoctrl.toml", "no key 'x'")
    assert with_verdict(before, broken._replace(reason=""), now) == before
    after = with_verdict(before, broken, now)
    assert (after[:-1], after[-1].reason, after[-1].since) == (before, "no key 'x'", now)
    assert with_verdict(after, broken, now) == after
