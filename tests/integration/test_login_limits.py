"""What strangers, silent providers and old tokens cannot do."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from autoctrl.login.limits import LOGINS, TOKENS
from autoctrl.login.remembered import MOST_WAITING
from autoctrl.login.tokens import Maker
from autoctrl.model.role import Role
from tests.fakes.http import Answer, Fault
from tests.fakes.oidc import Style
from tests.fakes.oidc.provider import INDIGO, new_key
from tests.integration.login_site import Site, be_patient, may_read, open_site, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from tests.fakes.oidc.provider import Grant

OTHER = "10.9.0.2"
DAY = timedelta(days=1)
ADA = Maker("ada", Role.ADMIN)
DISCOVERY = "GET /.well-known"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    be_patient(monkeypatch)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, Style()) as opened:
        yield opened


def show(site: Site, token: str, address: str = "10.9.0.1", **headers: str) -> Response:
    """Return how a program with a token is answered."""
    shown = {"Authorization": f"Bearer {token}", **headers}
    return site.browser(address).get("/api/runs", headers=shown)


def test_a_provider_that_is_silent_holds_up_few(site: Site) -> None:
    """While nobody knows yet what it says, one asks, three wait, and all others are told to come
    again at once; then it is left alone for a while that grows.
    """
    site.provider.faults.append(Fault(seconds=120, where=DISCOVERY))
    known = site.app.gate.porter.provider._metadata
    with ThreadPoolExecutor(1 + MOST_WAITING) as pool:
        held = [pool.submit(site.browser().get, "/login") for _ in range(1 + MOST_WAITING)]
        while known.waiting < MOST_WAITING:
            threading.Event().wait(0.001)
        told = site.browser().get("/login")
        assert (told.status_code, told.headers["retry-after"]) == (503, "1")
        site.provider.released.set()
        assert {one.result(60).headers["retry-after"] for one in held} == {"5"}
    site.provider.released.clear()
    site.provider.faults.append(Fault(is_cut=True, times=100))
    for pause_s in (10, 20):
        before = len(site.provider.requests())
        site.clock.advance(pause_s / 2)
        said = [site.browser().get("/login") for _ in range(5)]
        assert {answer.headers["retry-after"] for answer in said} == {str(pause_s)}
        assert len(site.provider.requests()) == before + 1
    site.provider.faults.clear()
    site.clock.advance(20)
    assert site.log_in("sara")[1].status_code == 303


def test_pages_go_on_while_people_wait_at_the_door(site: Site) -> None:
    """However many want to log in while the provider is silent: a reader is answered."""
    site.provider.faults.append(Fault(seconds=120, where=DISCOVERY))
    known = site.app.gate.porter.provider._metadata
    keyring, now = site.app.gate.keyring, site.clock.now()
    shown = {"Authorization": f"Bearer {keyring.make('one', Role.VIEWER, ADA, now, DAY)}"}
    with served(site.app) as place, ThreadPoolExecutor(32) as pool:
        client = httpx2.Client(base_url=f"http://{place}", timeout=120, trust_env=False)
        with client as browser:
            held = [pool.submit(browser.get, "/login") for _ in range(32)]
            while known.waiting < MOST_WAITING:
                threading.Event().wait(0.001)
            assert browser.get("/campaigns/prompt", headers=shown).status_code == 200
            site.provider.released.set()
            assert {one.result(120).status_code for one in held} == {503}


def test_a_silent_provider_is_not_asked_by_each_reader(site: Site) -> None:
    """Groups of many are due: after the first silence nobody else waits for it."""
    browsers = [site.log_in(name)[0] for name in ("sara", "anna", "sara", "anna")]
    site.clock.advance(901)
    site.provider.faults.append(Fault(is_cut=True, times=100))
    before = len(site.provider.requests())
    assert [may_read(browser) for browser in browsers] == [200] * 4
    assert len(site.provider.requests()) == before + 1


@pytest.mark.parametrize(
    ("style", "where"),
    [(Style(), "GET /keys"), (INDIGO, "GET /userinfo")],
    ids=["keys", "userinfo"],
)
def test_a_token_that_renews_is_kept_whatever_comes_after(
    tmp_path: Path, style: Style, where: str
) -> None:
    """The one before is used up: if what is asked next fails, the new one renews the login."""
    with open_site(tmp_path, style) as site:
        browser, _ = site.log_in("sara")
        if where == "GET /keys":
            site.provider.rotate()
        fault = Fault(answer=Answer(500), where=where)
        site.provider.faults.append(fault)
        site.clock.advance(901)
        assert (may_read(browser), fault.times) == (200, 0)
        site.clock.advance(61)
        assert may_read(browser) == 200
        assert not site.provider.grant_of("sara").is_over
        assert len(site.provider.grant_of("sara").spent) == 2


def test_a_key_that_is_not_known_yet_ends_no_login(site: Site) -> None:
    """Keys are asked for once a minute: until then a login goes on as it was."""
    browser, _ = site.log_in("sara")
    site.clock.advance(901)
    site.provider.rotate()
    site.log_in("anna")
    site.provider.rotate()
    site.provider.accounts["sara"].groups = ["cygno"]
    assert may_read(browser) == 200
    assert "sara (shifter)" in browser.get("/campaigns/prompt").text
    site.clock.advance(61)
    assert "sara (viewer)" in browser.get("/campaigns/prompt").text


def test_bad_tokens_are_asked_for_seldom(site: Site) -> None:
    """One bad token is asked for once; many of one address are limited, and others not hindered;
    the address is the one that a named proxy tells.
    """
    site.log_in("anna")
    good = site.provider.grant_of("anna").access
    asked = site.provider.requests
    assert show(site, "x" * 20_000).status_code == 401
    assert asked("POST /introspect") == []
    assert [show(site, "junk").status_code for _ in range(5)] == [401] * 5
    assert len(asked("POST /introspect")) == 1
    most = TOKENS.of_one.burst
    codes = [show(site, f"junk{number}") for number in range(most + 5)]
    assert [answer.status_code for answer in codes] == [401] * (most - 1) + [429] * 6
    assert codes[-1].headers["retry-after"] == "1"
    assert len(asked("POST /introspect")) == most
    assert show(site, good).status_code == 429
    assert show(site, good, "10.9.0.1", **{"X-Forwarded-For": OTHER}).status_code == 429
    assert show(site, good, OTHER).status_code == 200
    assert show(site, good).status_code == 200  # known by now


def test_many_requests_of_one_program_are_answered(site: Site) -> None:
    """However many come at the moment at which its token is to be looked at again: a few ask, the
    others go by what was known, for ten seconds at most.
    """
    site.log_in("anna")
    good = site.provider.grant_of("anna").access
    assert show(site, good).status_code == 200
    site.clock.advance(60)
    site.provider.faults.append(Fault(seconds=120, where="POST /introspect", times=100))
    with ThreadPoolExecutor(24) as pool:
        answers = [pool.submit(show, site, good) for _ in range(24)]
        first = islice(as_completed(answers), 16)
        assert [one.result(60).status_code for one in first] == [200] * 16
        site.provider.faults.clear()
        site.clock.advance(10)
        assert show(site, good).status_code == 429
        site.provider.released.set()
        assert {one.result(60).status_code for one in answers} <= {200, 429, 503}


def test_an_address_may_be_told_by_a_named_proxy(tmp_path: Path) -> None:
    """Behind one address each person has a limit of their own, if the proxy is named."""
    with open_site(tmp_path, Style(), 'web.proxies = "10.1.0.1"\n') as site:
        site.log_in("anna")
        good, told = site.provider.grant_of("anna").access, {"X-Forwarded-For": OTHER}
        junk = [f"junk{number}" for number in range(TOKENS.of_one.burst + 1)]
        codes = [show(site, token, "10.1.0.1", **told).status_code for token in junk]
        assert (codes[0], codes[-1]) == (401, 429)
        headers = {"X-Forwarded-For": f"{OTHER}, 10.9.0.3"}
        assert show(site, good, "10.1.0.1", **headers).status_code == 200


def test_a_badly_signed_token_is_not_asked_for(site: Site) -> None:
    """What the provider has not signed is refused here: of tokens in its own form it signs all."""
    site.log_in("anna")
    claims = {**site.provider.claims(site.provider.grant_of("anna")), "typ": "Bearer"}
    forged = [site.provider.sign(claims, by=new_key()), site.provider.sign(claims)[:-6] + "AAAAAA"]
    assert [show(site, token).status_code for token in forged] == [401, 401]
    assert site.provider.requests("POST /introspect") == []


def of_kind(site: Site, grant: Grant, kind: str) -> str:
    """Return something of another kind that the provider has signed for the page."""
    claims = {**site.provider.claims(grant), "groups": ["cygno"]}
    changes: dict[str, dict[str, Any]] = {
        "id, by its nonce": {"nonce": "1"},
        "id, by its hash": {"at_hash": "1"},
        "id, by its type": {"typ": "ID"},
        "id, by its use": {"token_use": "id"},
        "renews": {"typ": "Refresh"},
        "logout": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    }
    if kind == "logout, by its header":
        return site.provider.sign({**claims, "scope": "x"}, typ="logout+jwt")
    return site.provider.sign({**claims, **changes[kind]})


@pytest.mark.parametrize(
    "kind",
    [
        "id, by its nonce",
        "id, by its hash",
        "id, by its type",
        "id, by its use",
        "renews",
        "logout",
        "logout, by its header",
    ],
)
def test_only_an_access_token_opens_the_api(site: Site, kind: str) -> None:
    """Whatever else the provider signs for the page is refused."""
    site.log_in("anna")
    token = of_kind(site, site.provider.grant_of("anna"), kind)
    assert show(site, token).status_code == 401
    assert site.provider.requests("POST /introspect") == []


def test_what_does_not_say_that_it_is_an_access_token_is_asked_for(site: Site) -> None:
    """An id token may lack all that tells it apart: the provider knows that it is none."""
    site.log_in("anna")
    token = site.provider.sign(site.provider.claims(site.provider.grant_of("anna")))
    assert show(site, token).status_code == 401
    assert len(site.provider.requests("POST /introspect")) == 1


def test_groups_in_a_token_do_not_count_for_long(site: Site) -> None:
    """A token tells the groups of when it was made: after a quarter of an hour the provider is
    asked, and whoever has left a group has lost its role.
    """
    site.log_in("anna")
    grant = site.provider.grant_of("anna")
    now = int(site.provider.now())
    claims = {**site.provider.claims(grant), "groups": ["cygno"], "typ": "Bearer"}
    grant.access = site.provider.sign({**claims, "iat": now, "exp": now + 36_000})
    before = len(site.provider.requests("GET /userinfo"))
    site.provider.accounts["anna"].groups = []
    assert show(site, grant.access).status_code == 200
    assert len(site.provider.requests("GET /userinfo")) == before
    site.clock.advance(901)
    assert show(site, grant.access).status_code == 403
    site.provider.accounts["anna"].groups = ["cygno"]
    site.clock.advance(61)
    assert show(site, grant.access).status_code == 200
    grant.is_over = True
    site.clock.advance(61)
    assert show(site, grant.access).status_code == 401


def test_logins_that_are_begun_are_limited(site: Site) -> None:
    """One address cannot begin them without end; another one still can; what nobody began is
    refused without writing.
    """
    most = LOGINS.of_one.burst
    codes = [site.browser().get("/login").status_code for _ in range(most + 2)]
    assert codes == [303] * most + [429] * 2
    assert site.browser().get("/login").headers["retry-after"] == "1"
    assert site.browser(OTHER).get("/login").status_code == 303
    before = site.file.stat().st_mtime_ns
    for number in range(10):
        junk = {"state": str(number), "code": "1"}
        assert site.browser().get("/login/callback", params=junk).status_code == 403
    assert site.file.stat().st_mtime_ns == before


def test_a_new_login_ends_the_one_before(site: Site) -> None:
    """Whoever has kept a browser's older cookie is out when somebody logs in there again."""
    browser, _ = site.log_in("sara")
    cookie = browser.cookies["autoctrl"]
    browser.get(site.provider.visit(browser.get("/login").headers["location"], "anna"))
    assert may_read(browser) == 200
    older = site.browser()
    older.cookies.set("autoctrl", cookie)
    assert may_read(older) == 401
