"""Verbs that a person was shown first: what changes while they wait for the lease is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import Changed
from autoctrl.model.agreement import spell_agreement
from autoctrl.model.status import TaskStatus
from autoctrl.verbs import Request, reprocess, skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.scene import Scene

NEW, PROCESSING, DONE, FAILED, _ = TaskStatus


def agreeing(scene: Scene, shown: str, meanwhile: Callable[[], Any]) -> Request:
    """Return a request of somebody who agrees to what was shown, while a cycle holds reco's lease
    and then does something.
    """
    scene.store.lease("prompt/reco", "the cycle", 60)

    def go_on(seconds: float) -> None:
        scene.clock.advance(seconds)
        meanwhile()
        scene.store.lease("prompt/reco", "the cycle", 0)

    return scene.request(sleep=go_on, agreed=shown)


def test_what_was_shown_is_done(scene: Scene) -> None:
    """Waiting alone changes nothing."""
    scene.task(1, status=FAILED)
    shown = spell_agreement(skip(scene.request(dry_run=True), "1", "reco").answers)
    assert skip(agreeing(scene, shown, lambda: None), "1", "reco").done


def test_nothing_is_done_once_a_task_has_moved(scene: Scene) -> None:
    """A task that failed anew stands where it stood, yet it is not what was shown; nor is another
    task moved, which would be as shown.
    """
    first, second = scene.task(1, status=FAILED), scene.task(2, status=FAILED)
    shown = spell_agreement(skip(scene.request(dry_run=True), "1,2", "reco").answers)
    request = agreeing(scene, shown, lambda: scene.move(first, NEW, PROCESSING, FAILED))
    with pytest.raises(Changed, match="have changed"):
        skip(request, "1,2", "reco")
    assert [scene.newest(key).status for key in (first, second)] == [FAILED, FAILED]


def test_what_became_downstream_meanwhile_is_left_alone(scene: Scene) -> None:
    """Tasks downstream that nobody saw are refused each, those of a workflow that is as it was
    shown go on.
    """
    for name in ("friends", "plots"):
        scene.workflow(name)
    reco = scene.task(1, "reco", DONE)
    friends = scene.task(1, "friends", DONE, reads=[(reco, 1)])
    shown = spell_agreement(
        reprocess(scene.request(dry_run=True), "1", "reco", downstream=True).answers
    )
    request = agreeing(
        scene, shown, lambda: scene.task(1, "plots", DONE, reads=[(reco, 1), (friends, 1)])
    )
    outcome = reprocess(request, "1", "reco", downstream=True)
    assert [answer.workflow for answer in outcome.done] == ["reco", "friends"]
    (left,) = outcome.refused
    assert left.workflow == "plots"
    assert "is left alone: plots has changed since this was shown" in left.refusal
    assert scene.newest(friends).version == 2
