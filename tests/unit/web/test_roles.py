"""Who may do what: every route with every method, every verb with every role."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from autoctrl.hooks.rate import Rate
from autoctrl.model.role import Role
from autoctrl.model.verb import VERBS
from autoctrl.web.api import order_verbs
from autoctrl.web.app import OPEN, ROUTES
from autoctrl.web.crowds.turnstile import DOORS
from autoctrl.web.entry.visitor import STRANGER, Visitor
from autoctrl.web.pages import campaigns, incidents, tokens, verbs, workflow
from autoctrl.web.site.pace import Pace
from tests.unit.web.desk import HERE, Desk

if TYPE_CHECKING:
    from httpx2 import Response

PAGES = {
    "/tokens": (tokens.CREATE, tokens.REVOKE),
    "/campaigns": (campaigns.CREATE, campaigns.EDIT, campaigns.CLOSE),
    "/campaigns/{campaign}/verbs/{workflow}": verbs.NAMES,
    "/campaigns/{campaign}/workflows/{workflow}": workflow.SAID_HERE,
    "/campaigns/{campaign}/incidents/{incident}": incidents.MADE_IT,
}
OF_MEMBERS = {
    "/campaigns/{campaign}/logs/{workflow}/{unit:path}",
    "/campaigns/{campaign}/read/{workflow}/{unit:path}",
    "/campaigns/{campaign}/outputs/{workflow}/{unit:path}",
    "/campaigns/{campaign}/plots/{run:int}",
    "/campaigns/{campaign}/trends",
    "/tokens",
    "/api/fields/{workflow}",
    "/api/log/{unit:path}/{workflow}",
    "/api/output/{unit:path}/{workflow}",
    "/api/outputs",
    "/api/provenance/{unit:path}/{workflow}",
}
VALUES = {"campaign": "prompt", "workflow": "reco", "unit": "1", "run": "1", "incident": "0"}
ROUTES_BY_PATH = [
    (route.path, method)
    for route in ROUTES
    if isinstance(route, Route) and not route.path.startswith(OPEN)
    for method in sorted(route.methods or ())
]
POSTED = sorted(path for path, method in ROUTES_BY_PATH if method == "POST")
VISITORS = {role: Visitor(role, "eve", "iss sub") for role in Role}


def address(path: str) -> str:
    """Return an address of a route."""
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: VALUES[found[1]], path)


def let_in(desk: Desk, visitor: Visitor) -> None:
    """Let the gate say that this is who asks, as often as they like."""
    gate: Any = desk.app.gate
    gate.visitor = lambda *_: visitor
    many = Rate(per_s=1e6, burst=1_000_000)
    desk.app.site.pace = Pace(desk.scene.clock, many, many)


def ask(desk: Desk, path: str, method: str) -> Response:
    return desk.browser.request(method, address(path), headers={"Origin": HERE})


def test_a_stranger_comes_in_nowhere(desk: Desk) -> None:
    """Each route but the open ones says 401, or that nobody logs in here, to any method."""
    let_in(desk, STRANGER)
    for path, method in ROUTES_BY_PATH:
        expected = {404, 405} if path.startswith(DOORS) else {401}
        assert ask(desk, path, method).status_code in expected, (path, method)


def test_the_public_sees_no_files_and_moves_nothing(desk: Desk) -> None:
    """Whoever has no role of their own reads pages; logs, outputs and verbs are refused."""
    let_in(desk, STRANGER._replace(role=Role.VIEWER))
    refused = set()
    for path, method in ROUTES_BY_PATH:
        code = ask(desk, path, method).status_code
        assert code < 500, (path, method)
        if code == 403:
            refused.add(path)
    posted = {path for path in POSTED if path.startswith("/api/verbs/")}
    assert refused == OF_MEMBERS | posted


def test_all_that_is_posted_is_a_verb_or_a_door() -> None:
    """A new route that takes a form is named here, and tried below."""
    verbs = {f"/api/verbs/{verb}" for verb in order_verbs.ORDERS}
    doors = {"/login/backchannel", "/logout"}
    assert set(POSTED) == {*PAGES, *verbs, *doors}


@pytest.mark.parametrize("path", PAGES)
def test_each_role_says_its_verbs_on_pages(desk: Desk, path: str) -> None:
    """Every verb of a page, and those that it has not, by every role: a lesser one is told which
    it takes, and nobody says one for which no role is named.
    """
    desk.get("/campaigns/prompt/verbs/reco?runs=1")  # a browser that has opened a form
    for verb, role in product([*VERBS, "open"], [*VISITORS][1:]):
        let_in(desk, VISITORS[role])
        answer = desk.post(address(path), verb=verb, runs="1", reason="")
        if verb not in PAGES[path]:
            assert answer.status_code == 400, (verb, role)
        elif role < VERBS[verb].role:
            assert answer.status_code == 403, (verb, role)
        else:
            assert answer.status_code != 403, (verb, role)


@pytest.mark.parametrize("verb", order_verbs.ORDERS)
def test_each_role_says_its_verbs_by_the_api(desk: Desk, verb: str) -> None:
    """Every role, every verb: refused with 403 if and only if it takes a better one."""
    for role, visitor in VISITORS.items():
        let_in(desk, visitor)
        code = desk.browser.post(f"/api/verbs/{verb}", json={}).status_code
        assert (code == 403) == (role < VERBS[verb].role), (verb, role)


def test_a_verb_that_no_role_is_named_for_is_nobodys(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever forgets to say who may do something has given it to nobody."""
    assert {
        *verbs.NAMES,
        *workflow.SAID_HERE,
        *incidents.MADE_IT,
        *order_verbs.ORDERS,
    } <= {*VERBS}
    without = {verb: role for verb, role in VERBS.items() if verb != "retry"}
    for module in ("model.verb", "web.entry.visitor"):
        monkeypatch.setattr(f"autoctrl.{module}.VERBS", without)
    assert not VISITORS[Role.ADMIN].may("retry")
    let_in(desk, VISITORS[Role.ADMIN])
    desk.get("/campaigns/prompt/verbs/reco?runs=1")
    answer = desk.post("/campaigns/prompt/verbs/reco", verb="retry", runs="1")
    assert "takes a role that nobody has" in answer.text
    assert desk.browser.post("/api/verbs/retry", json={}).status_code == 403
