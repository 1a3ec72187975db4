"""An order that moves several workflows, when the server is killed at any of its steps."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl import verbs
from autoctrl.incidents import join_failures
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.model.unit import TaskKey
from autoctrl.stores.leases import Ticks
from autoctrl.web.site.order_ledger import OrderLedger
from tests.unit.scene import Scene
from tests.unit.web.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
RECO, FRIENDS, PLOTS = (TaskKey("prompt", name, "1") for name in ("reco", "friends", "plots"))
CHAIN = (RECO, FRIENDS, PLOTS)
DOWNSTREAM = {"workflow": "reco", "runs": "1,9", "downstream": True}
STALE = {"workflow": "friends", "stale": True}
COMPLETE = {"workflow": "plots", "runs": "1,2,9"}
WRITING = ("append", "lease", "give", "keep", "forget", "put_off")


class KilledError(Exception):
    """The server is no more: nothing that it would have done on its way out is done."""


class Killer:
    """Kills the server before or after the call of a certain number, of those that write."""

    def __init__(self, place: int) -> None:
        self._place, self._calls, self.has_killed = place, 0, False

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that may be the last one."""

        def call(*words: Any, **options: Any) -> Any:
            self._pass()
            answer = real(*words, **options)
            self._pass()
            return answer

        return call

    def _pass(self) -> None:
        self._calls += 1
        self.has_killed = self.has_killed or self._calls == self._place
        if self.has_killed:
            raise KilledError


def fill(scene: Scene) -> None:
    """Put a chain of three workflows into a scene, the last of which failed and has an incident,
    and a task that is stale. Leases end by the scene's clock.
    """
    store: Any = scene.store
    store._ticks = lambda: Ticks("boot", int(scene.clock.now().timestamp() * 1e6))
    scene.runs(1, 2)
    for name, after in (("reco", []), ("friends", ["reco"]), ("plots", ["friends"])):
        scene.workflow(name, after=after)
    scene.task(1, "reco", DONE)
    scene.task(1, "friends", DONE, reads=[(RECO, 1)])
    scene.task(1, "plots", FAILED, reads=[(FRIENDS, 1)], reason="boom")
    scene.task(2, "plots", NEW)
    root = scene.task(2, "reco", DONE)
    scene.task(2, "friends", DONE, reads=[(root, 1)])
    scene.move(root, NEW, version=2)
    scene.move(root, PROCESSING, DONE)
    failed = [scene.newest(PLOTS)]
    scene.store.append(join_failures(scene.store, "prompt", "plots", failed, scene.clock.now()))


def open_desk(scene: Scene, file: Path) -> Desk:
    """Return a page over a scene, whose server keeps its orders in a file."""
    desk = Desk(scene)
    app: Any = desk.app
    app.app.state.site.orders = OrderLedger(file)
    return desk


def send(desk: Desk, verb: str, what: dict[str, Any]) -> Any:
    """Send an order, always with the same key."""
    body = {"reason": "better", "name": "anna", **what}
    headers = {"Idempotency-Key": "the key"}
    return desk.browser.post(f"/api/verbs/{verb}", json=body, headers=headers)


def moved(scene: Scene) -> dict[tuple[str, str], list[str]]:
    """Return what the order has done to each task."""
    return {
        (name, unit): [
            f"{record.status} v{record.version}"
            for record in scene.store.history(TaskKey("prompt", name, unit))
            if isinstance(record, TaskRecord) and record.reason == "better"
        ]
        for name in ("reco", "friends", "plots")
        for unit in ("1", "2")
    }


class Interrupted(NamedTuple):
    """An order that is interrupted: at how many steps at least, and whether the tasks go on before
    it is sent again.
    """

    verb: str
    what: dict[str, Any]
    steps: int
    goes_on: bool = False


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(Interrupted("reprocess", DOWNSTREAM, 20, goes_on=True), id="downstream"),
        pytest.param(Interrupted("reprocess", STALE, 8), id="stale"),
        pytest.param(Interrupted("complete", COMPLETE, 8, goes_on=True), id="complete"),
    ],
)
def test_an_order_is_finished_by_the_next_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Interrupted
) -> None:
    """Killed at any step, the same order with the same key does what is left, answers as if it had
    never been interrupted, and moves no task twice, also if the tasks went on meanwhile.
    """
    monkeypatch.setattr("autoctrl.web.site.order_ledger.has_died", lambda _: True)
    whole = Scene()
    fill(whole)
    wanted = send(open_desk(whole, tmp_path / "whole"), order.verb, order.what).json()
    for place in count(1):
        scene = Scene()
        fill(scene)
        scene.clock.advance(1)
        killer = Killer(place)
        with monkeypatch.context() as patched:
            desk = open_desk(scene, tmp_path / str(place))
            app: Any = desk.app
            for port in (scene.store, app.app.state.site.orders):
                for name in WRITING:
                    if hasattr(port, name):
                        patched.setattr(port, name, killer.wrap(getattr(port, name)))
            with suppress(KilledError):
                send(desk, order.verb, order.what)
        scene.clock.advance(120)  # the dead server's lease
        if order.goes_on and scene.newest(RECO).status is NEW:
            scene.move(RECO, PROCESSING, DONE)
        desk = open_desk(scene, tmp_path / str(place))
        answers = [send(desk, order.verb, order.what) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.json() for answer in answers] == [wanted, wanted]
        assert moved(scene) == moved(whole)
        if not killer.has_killed:
            break
    assert place >= order.steps


def test_a_new_consumer_is_left_alone(tmp_path: Path) -> None:
    """What has read the new version meanwhile is not processed again when an order is finished."""
    scene = Scene()
    fill(scene)
    desk = open_desk(scene, tmp_path / "orders")
    since = scene.clock.now()
    scene.clock.advance(1)
    assert send(desk, "reprocess", DOWNSTREAM).status_code == 200
    scene.move(RECO, PROCESSING, DONE)
    scene.task("1", "tracks", DONE, reads=[(RECO, 2)])
    request = desk.project.request(scene.newest(FRIENDS).actor, "prompt", "better")._replace(
        since=since
    )
    outcome = verbs.reprocess(request, "1", "reco", downstream=True)
    assert [answer.workflow for answer in outcome.done] == ["reco", "friends", "plots"]
