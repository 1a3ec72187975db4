"""Verbs by the API: each order is done once, however often it is sent."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl import verbs
from autoctrl.errors import LeaseHeld, StoreError
from autoctrl.hooks.rate import Rate
from autoctrl.incidents import join_failures, list_incidents
from autoctrl.model.role import Role
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.model.verb import VERBS
from autoctrl.web.api.order import read_order
from autoctrl.web.api.order_verbs import ORDERS
from autoctrl.web.entry.visitor import Visitor
from autoctrl.web.site.order_ledger import REMEMBERED_FOR, OrderLedger
from autoctrl.web.site.pace import Pace
from tests.unit.web.desk import HERE, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

    from autoctrl.web.site.state import Site

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
ORDER = {"workflow": "reco", "runs": "4", "reason": "the node was down", "name": "anna"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a page over runs 1 to 5, whose tasks are new, processing, done, failed, skipped."""
    made = Desk()
    made.scene.runs(*range(1, 6))
    made.scene.workflow("reco")
    for run, status in enumerate(TaskStatus, start=1):
        made.scene.task(run, "reco", status)
    site_of(made).orders = OrderLedger(tmp_path / "state" / "orders.sqlite")
    return made


def site_of(desk: Desk) -> Site:
    """Return what the pages of a desk share."""
    app: Any = desk.app
    site: Site = app.app.state.site
    return site


def order(
    desk: Desk, verb: str = "retry", code: int = 200, key: str = "k1", **changes: Any
) -> dict[str, Any]:
    """Give an order and return what is answered, which must have this code."""
    headers = {"Idempotency-Key": key} if key else {}
    body = {name: value for name, value in (ORDER | changes).items() if value is not None}
    answer = desk.browser.post(f"/api/verbs/{verb}", json=body, headers=headers)
    assert answer.status_code == code, answer.text
    return check(answer)


VISITOR_OF = "autoctrl.web.entry.visitor.visitor_of"


def check(answer: Response) -> dict[str, Any]:
    """Return an answer's JSON; an error is a problem as RFC 9457 has it."""
    values: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert values["status"] == answer.status_code
        assert values["detail"]
        assert values["title"]
    return values


def status(desk: Desk, run: int) -> TaskStatus:
    """Return where a run's task stands."""
    return desk.scene.newest(TaskKey("prompt", "reco", str(run))).status


@pytest.mark.parametrize(
    ("verb", "run", "after", "version"),
    [
        ("retry", 4, NEW, 1),
        ("reprocess", 3, NEW, 2),
        ("skip", 1, SKIPPED, 1),
        ("fail", 2, PROCESSING, 1),
        ("complete", 4, DONE, 1),
    ],
)
def test_a_verb_moves_tasks(
    desk: Desk, verb: str, run: int, after: TaskStatus, version: int
) -> None:
    """An order says which tasks were moved and which refused; the history names who gave it."""
    seen = order(desk, verb, runs=f"{run},77")
    assert [(one["unit"], one["after"], one["version"]) for one in seen["done"]] == [
        (str(run), after, version)
    ]
    assert [one["unit"] for one in seen["refused"]] == ["77"]
    task = desk.scene.newest(TaskKey("prompt", "reco", str(run)))
    assert (task.status, task.actor.name, task.actor.via, task.reason) == (
        after,
        "anna",
        "api",
        "the node was down",
    )


def test_what_is_stale_is_processed_again(desk: Desk) -> None:
    """Stale tasks need no runs; that there is none is no error; downstream does not go with it."""
    assert order(desk, "reprocess", runs=None, stale=True)["done"] == []
    assert (
        "stale takes no downstream"
        in order(desk, "reprocess", 409, "k2", stale=True, downstream=True)["detail"]
    )
    assert "needs runs" in order(desk, "reprocess", 409, "k3", runs=None)["detail"]
    assert order(desk, "reprocess", key="k4", runs="3", downstream=True)["done"]


def test_a_workflow_is_paused_and_resumed(desk: Desk) -> None:
    """A pause is said once more without harm."""
    said = [order(desk, verb, key=verb, runs=None) for verb in ("pause", "resume")]
    said.append(order(desk, "resume", key="again", runs=None))
    assert [(one["paused"], one["changed"]) for one in said] == [
        (True, True),
        (False, True),
        (False, False),
    ]


def test_incidents_are_acknowledged_muted_and_closed(desk: Desk) -> None:
    """What is said of an incident names it by the beginning of its id."""
    store, now = desk.scene.store, desk.scene.clock.now()
    failed = desk.scene.newest(TaskKey("prompt", "reco", "4"))._replace(reason="boom")
    store.append(join_failures(store, "prompt", "reco", [failed], now))
    (found,) = list_incidents(store, "prompt")
    about: dict[str, Any] = {"incident": found.id[:6], "workflow": None, "runs": None}
    assert order(desk, "ack", key="1", **about)["incident"]["acked"]["name"] == "anna"
    assert order(desk, "mute", key="2", span="2h", **about)["incident"]["muted"]["until"]
    assert order(desk, "mute", key="3", **about)["incident"]["muted"]["until"] is None
    assert order(desk, "close", key="4", **about)["incident"]["closed"]
    assert "is over" in order(desk, "ack", 409, "5", **about)["detail"]


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    """A dry run says what would happen, needs no key and takes none."""
    for key in ("", "k1"):
        seen = order(desk, dry_run=True, key=key)
        assert (seen["dry_run"], len(seen["done"])) == (True, 1)
    assert status(desk, 4) is FAILED
    order(desk)
    assert status(desk, 4) is NEW


def test_an_order_that_is_sent_again_is_done_once(desk: Desk) -> None:
    """The same key and order have the same answer, also in the next server; another order under
    the key is refused.
    """
    first = order(desk)
    desk.scene.move(TaskKey("prompt", "reco", "4"), PROCESSING, FAILED)
    orders = site_of(desk).orders
    site_of(desk).orders = OrderLedger(orders._path)
    answer = desk.browser.post("/api/verbs/retry", json=ORDER, headers={"Idempotency-Key": "k1"})
    assert (answer.json(), answer.headers["Idempotency-Replayed"]) == (first, "true")
    assert status(desk, 4) is FAILED
    assert "another order" in order(desk, "retry", 422, runs="3")["detail"]
    assert "another order" in order(desk, "skip", 422)["detail"]
    assert order(desk, key="k2")["done"]
    assert status(desk, 4) is NEW


def test_nobody_is_answered_what_another_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who and key are told apart wherever blanks stand."""
    monkeypatch.setattr(VISITOR_OF, lambda _: Visitor(Role.SHIFTER))
    names = iter(("bob", "bob x", "bob x"))
    monkeypatch.setattr("autoctrl.web.api.orders.identity_of", lambda _: next(names))
    assert order(desk, key="x y")["done"]
    assert "takes tasks that are failed" in order(desk, "retry", 409, key="y")["detail"]
    desk.scene.move(TaskKey("prompt", "reco", "4"), PROCESSING, FAILED)
    assert order(desk, key="y")["done"]


def test_another_name_is_another_order(desk: Desk) -> None:
    """Who is named as the one who asks belongs to what is asked."""
    order(desk)
    assert "another order" in order(desk, "retry", 422, name="bert")["detail"]


def test_a_page_of_this_server_may_order(desk: Desk) -> None:
    """An origin that is the server's own is no page of others."""
    headers = {"Idempotency-Key": "k1", "Origin": HERE}
    answer = desk.browser.post("/api/verbs/retry", json=ORDER, headers=headers)
    assert answer.status_code == 200


def test_an_order_of_long_ago_is_forgotten(desk: Desk) -> None:
    """After a week a key may be used anew."""
    order(desk)
    desk.scene.move(TaskKey("prompt", "reco", "4"), PROCESSING, FAILED)
    desk.scene.clock.advance(REMEMBERED_FOR.total_seconds() + 1)
    order(desk)
    assert status(desk, 4) is NEW


def test_an_order_that_was_refused_may_be_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was done, the same key may be tried once more."""
    assert "takes tasks that are failed" in order(desk, "retry", 409, runs="3")["detail"]
    assert "no workflow 'rco'" in order(desk, "retry", 409, workflow="rco")["detail"]
    with monkeypatch.context() as patched:
        patched.setattr("autoctrl.verbs.retry", raiser(LeaseHeld("held by a cycle")))
        order(desk, "retry", 409)
    order(desk)
    assert status(desk, 4) is NEW


def raiser(error: Exception) -> Any:
    """Return a verb that raises an error."""

    def act(*_: Any) -> Any:
        raise error

    return act


@pytest.mark.parametrize("error", [StoreError("no answer"), RuntimeError("a defect")])
@pytest.mark.parametrize("is_done", [False, True])
def test_an_order_that_may_have_been_done_is_finished(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    is_done: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """When the store gave no answer, or the server failed, the same key finds out what was done:
    it is done if it was not, and answered as if it had been done now if it was.
    """
    real = verbs.retry

    def fail(*words: Any) -> Any:
        real(*words) if is_done else None
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("autoctrl.verbs.retry", fail)
        with suppress(RuntimeError):
            assert "with the same key" in order(desk, "retry", 503)["hint"]
    if is_done:
        desk.scene.move(TaskKey("prompt", "reco", "4"), PROCESSING, FAILED)
    assert "another order" in order(desk, "retry", 422, runs="3")["detail"]
    (answer,) = order(desk)["done"]
    assert (answer["before"], answer["after"], answer["version"]) == ("failed", "new", 1)
    assert status(desk, 4) is (FAILED if is_done else NEW)
    assert order(desk)["done"] == [answer]


def test_an_order_is_done_by_one_server_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is being done the second asker is told to wait; when that server has died, the next
    one takes the order over, once.
    """
    orders = site_of(desk).orders
    digest = json.dumps(["retry", read(ORDER)]).encode()
    assert orders.give(json.dumps(["testclient", "k3"]), digest, desk.scene.clock.now()).is_due
    headers = {"Idempotency-Key": "k3"}
    answer = desk.browser.post("/api/verbs/retry", json=ORDER, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
    with monkeypatch.context() as patched:
        patched.setattr("autoctrl.web.site.order_ledger.has_died", lambda _: True)
        assert orders.give(json.dumps(["testclient", "k3"]), digest, desk.scene.clock.now()).since
    assert order(desk, "retry", 409, "k3")["detail"] == "This order is being done."
    assert status(desk, 4) is FAILED


def read(given: dict[str, Any]) -> dict[str, Any]:
    """Return all fields of an order."""
    verb = ORDERS["retry"]
    return read_order(verb.needs, verb.fields, json.dumps(given).encode())._asdict()


@pytest.mark.parametrize(
    ("verb", "changes", "code", "words"),
    [
        ("retry", {"reason": " "}, 422, "reason is empty"),
        ("retry", {"runs": None}, 422, "runs is missing"),
        ("retry", {"rns": "4"}, 422, "Did you mean 'runs'"),
        ("retry", {"runs": 4}, 422, "must be a text"),
        ("retry", {"dry_run": "yes"}, 422, "must be true or false"),
        ("retry", {"reason": "x" * 501}, 422, "more than 500 letters"),
        ("retry", {"reason": "a\nb"}, 422, "one line"),
        ("retry", {"name": ""}, 422, "Say who you are"),
        ("retry", {"key": ""}, 400, "Idempotency-Key is missing"),
        ("retry", {"key": "k" * 129}, 400, "more than 128"),
        ("retry", {"runs": "1-5000"}, 409, "more than 2000 runs"),
        ("retry", {"campaign": "x"}, 409, "no campaign 'x'"),
        ("retry", {"downstream": True}, 422, "takes no 'downstream'"),
        ("nothing", {}, 404, "no such page"),
    ],
)
def test_a_wrong_order_is_refused(
    desk: Desk, verb: str, changes: dict[str, Any], code: int, words: str
) -> None:
    """What an order lacks or has too much is named, and nothing is done."""
    assert words in order(desk, verb, code, **changes)["detail"]
    assert [status(desk, run) for run in range(1, 6)] == list(TaskStatus)


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {"Content-Type": "application/json"}, 422),
        (b"[" * 30_000, {"Content-Type": "application/json"}, 422),
        (b"[]", {"Content-Type": "application/json; charset=utf-8"}, 422),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b" " * 70_000, {"Content-Type": "application/json"}, 413),
        (b"{}", {"Content-Type": "application/json", "Cookie": "a=b"}, 403),
        (b"{}", {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
        (b"{}", {"Content-Type": "application/json", "Origin": "http://other.example"}, 403),
        (b"{}", {"Content-Type": "application/json", "Origin": "null"}, 403),
    ],
)
def test_what_is_no_order_is_refused(
    desk: Desk, body: bytes, headers: dict[str, str], code: int
) -> None:
    """A body is a short JSON object, and comes neither with a cookie nor from a page of others."""
    answer = desk.browser.post("/api/verbs/retry", content=body, headers=headers)
    assert answer.status_code == code
    check(answer)


def test_other_methods_are_refused(desk: Desk) -> None:
    """A verb is posted; the answer to another method says so."""
    answer = desk.browser.get("/api/verbs/retry")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_who_orders_too_much_waits(desk: Desk) -> None:
    """Beyond the rate an order is refused, and told when to come again."""
    site_of(desk).pace = Pace(desk.scene.clock, verbs=Rate(per_s=0.1, burst=1))
    order(desk)
    answer = desk.browser.post("/api/verbs/retry", json=ORDER, headers={"Idempotency-Key": "k2"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    desk.scene.clock.advance(10)
    assert "takes tasks" in order(desk, "retry", 409, "k2", runs="3")["detail"]


def test_each_verb_has_its_role(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has a lesser role than the verb needs is refused; a known name counts, not the body's."""
    assert ORDERS.keys() <= VERBS.keys()
    for verb in ORDERS:
        lesser = Visitor(Role(VERBS[verb].role - 1), "eve")
        monkeypatch.setattr(VISITOR_OF, lambda _, lesser=lesser: lesser)
        assert "takes the role" in order(desk, verb, 403)["detail"]
    monkeypatch.setattr(VISITOR_OF, lambda _: Visitor(Role.SHIFTER, "eve"))
    order(desk)
    assert desk.scene.newest(TaskKey("prompt", "reco", "4")).actor.name == "eve"


def test_where_people_log_in_only_a_token_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is known by a login or by a proxy's word needs a token here; its owner is kept."""
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.is_closed", True)
    eve = Visitor(Role.ADMIN, "eve", "token t1")
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_: eve)
    assert "Only a token counts" in order(desk, "retry", 403)["detail"]
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_: eve._replace(via="api"))
    order(desk)
    actor = desk.scene.newest(TaskKey("prompt", "reco", "4")).actor
    assert (actor.name, actor.via, actor.subject) == ("eve", "api", "token t1")
