"""Campaigns on the page and by the API: made, changed, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.campaigns import find_campaign
from autoctrl.model.campaign import Campaign
from autoctrl.model.role import Role
from autoctrl.web.entry.visitor import Visitor
from autoctrl.web.site.order_ledger import OrderLedger
from tests.unit.web.desk import Desk, text_of

if TYPE_CHECKING:
    from pathlib import Path

MADE = Campaign("rereco", "prompt", ("reco",), {"tag": "v7", "year": 2026}, code="abc", runs="1-2")
FORM: dict[str, str] = {
    "campaign": "rereco",
    "workflows": "reco",
    "parent": "prompt",
    "runs": "1-2",
    "settings": "tag=v7 year=2026",
    "code": "abc",
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk()
    made.scene.runs(1, 2, 3)
    made.scene.workflow("reco")
    made.scene.workflow("friends")
    app: Any = made.app
    app.app.state.site.orders = OrderLedger(tmp_path / "orders")
    made.get("/campaigns")
    return made


def kept(desk: Desk, name: str = "rereco") -> Campaign:
    """Return a campaign as it is kept."""
    return find_campaign(desk.scene.store, name)


def send(desk: Desk, verb: str, expected: int = 303, /, **fields: str) -> str:
    """Send the form; return the page to which it leads, or the answer."""
    answer = desk.post("/campaigns", verb=f"{verb}-campaign", **fields)
    assert answer.status_code == expected, answer.text
    return desk.get(answer.headers["location"]) if expected == 303 else answer.text


def test_a_campaign_is_made_changed_and_closed(desk: Desk) -> None:
    """The page says what came of it; what the form does not change stays as it is."""
    assert "Campaign rereco is created" in send(desk, "create", **FORM)
    assert kept(desk) == MADE
    page = desk.get("/campaigns?change=rereco")
    assert 'value="tag=v7 year=2026"' in page
    assert "Nothing is different" in send(desk, "edit", **FORM)
    assert "is changed" in send(desk, "edit", **FORM | {"runs": "1-3", "parent": ""})
    assert kept(desk) == MADE._replace(runs="1-3", parent=None)
    send(desk, "edit", **FORM | {"runs": "", "parent": "", "follow": "on"})
    assert kept(desk) == MADE._replace(runs=None, parent=None, follow=True)
    assert "is closed" in send(desk, "close", campaign="rereco")
    assert "closed" in text_of(desk.get("/campaigns"))
    send(desk, "edit", **FORM | {"parent": "", "runs": "", "follow": "on", "reopen": "on"})
    assert not kept(desk).closed


@pytest.mark.parametrize(
    ("verb", "changes", "code", "words"),
    [
        ("create", {"workflows": ""}, 409, "has no workflows"),
        ("create", {"workflows": "rco"}, 409, "Did you mean 'reco'"),
        ("create", {"campaign": "a b"}, 409, "cannot be the name"),
        ("create", {"settings": "tag"}, 409, "sets nothing"),
        ("create", {"reason": ""}, 400, "Give a reason"),
        ("edit", {}, 409, "no campaign 'rereco'"),
        ("keep", {}, 400, "no verb 'keep-campaign' here"),
    ],
)
def test_what_makes_no_sense(
    desk: Desk, verb: str, changes: dict[str, str], code: int, words: str
) -> None:
    """It is said, the form stays filled in, and nothing is done."""
    assert words in desk.post("/campaigns", verb=f"{verb}-campaign", **FORM | changes).text.replace(
        "&#39;", "'"
    )
    send(desk, verb, code, **FORM | changes)
    assert len(desk.scene.store.marks("campaign")) == 1


def test_it_takes_an_operator(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shifter sees the campaigns, and no form."""
    shifter = Visitor(Role.SHIFTER, "eve")
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_: shifter)
    assert "Make one" not in desk.get("/campaigns")
    assert "takes the role operator" in send(desk, "create", 403, **FORM)


def order(desk: Desk, verb: str, key: str, expected: int = 200, /, **fields: Any) -> Any:
    """Give an order by the API."""
    body = {"campaign": "rereco", "reason": "new tag", "name": "anna", **fields}
    headers = {"Idempotency-Key": key}
    desk.browser.cookies.clear()
    answer = desk.browser.post(f"/api/verbs/{verb}-campaign", json=body, headers=headers)
    assert answer.status_code == expected, answer.text
    return answer.json()


WHOLE: dict[str, Any] = {
    "workflows": "reco",
    "runs": "1-2",
    "code": "abc",
    "settings": {"tag": "v7", "year": 2026},
}


def test_a_campaign_by_the_api(desk: Desk) -> None:
    """The same by programs; a dry run writes nothing, an order that comes again changes nothing."""
    assert order(desk, "create", "1", dry_run=True, **WHOLE)["definition"]["runs"] == "1-2"
    assert len(desk.scene.store.marks("campaign")) == 1
    made = order(desk, "create", "1", **WHOLE)
    assert made["definition"]["settings"] == {"tag": "v7", "year": 2026}
    assert kept(desk) == MADE
    assert order(desk, "create", "1", **WHOLE) == made
    assert "already exists" in order(desk, "create", "2", 409, **WHOLE)["detail"]
    assert order(desk, "edit", "3", runs="1-3", parent="")["changed"]
    assert kept(desk) == MADE._replace(runs="1-3", parent=None)
    assert order(desk, "close", "4")["definition"]["closed"]
    assert not order(desk, "edit", "5", reopen=True)["definition"]["closed"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("tag=v7", "settings must be an object"),
        ({"tag": None}, "must be a text"),
        ({"tag": "a\nb"}, "one line"),
        ({"t" * 201: "x"}, "more than 200 letters"),
        ({str(number): "x" for number in range(101)}, "at most 100"),
    ],
)
def test_settings_are_texts_and_numbers(desk: Desk, settings: Any, words: str) -> None:
    """What a campaign's settings cannot be is said."""
    assert words in order(desk, "create", "1", 422, **WHOLE | {"settings": settings})["detail"]


@pytest.mark.parametrize(
    ("verb", "fields"),
    [("create", WHOLE), ("edit", {"runs": "1-3"}), ("close", {})],
)
def test_an_interrupted_order_about_a_campaign(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, verb: str, fields: dict[str, Any]
) -> None:
    """When its answer was lost it is found out what was done; not if somebody else came between."""
    if verb != "create":
        order(desk, "create", "0", **WHOLE)
    desk.scene.clock.advance(1)
    app: Any = desk.app
    orders = app.app.state.site.orders

    def die(*_: Any) -> None:
        raise RuntimeError

    def lose(key: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(orders, "keep", die)
            with pytest.raises(RuntimeError):
                order(desk, verb, key, **fields)

    lose("k1")
    marks = desk.scene.store.marks("campaign")
    assert order(desk, verb, "k1", **fields)["changed"]
    assert desk.scene.store.marks("campaign") == marks
    if verb == "edit":
        lose("k2")
        desk.scene.clock.advance(1)
        order(desk, "edit", "k3", name="bert", runs="2")
        assert "bert has changed" in order(desk, "edit", "k2", 409, runs="1-3")["detail"]
