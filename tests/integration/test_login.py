"""Logging in at a provider: what is begun, kept, looked at again, and refused."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.oidc import Style
from tests.fakes.oidc.provider import INDIGO, new_key
from tests.integration.login_site import (
    HERE,
    Site,
    be_patient,
    may_read,
    open_site,
    retry,
    token_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    be_patient(monkeypatch)


@pytest.fixture(params=[Style(), INDIGO], ids=["keycloak", "indigo"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    with open_site(tmp_path, request.param) as opened:
        yield opened


def test_a_person_logs_in(site: Site) -> None:
    """A page leads to the provider and, after it, the person to the page; the page greets them."""
    browser = site.browser()
    first = browser.get("/campaigns/prompt?status=failed")
    assert first.headers["location"] == "/login?next=%2Fcampaigns%2Fprompt%3Fstatus%3Dfailed"
    assert may_read(browser) == 401
    there = browser.get(first.headers["location"]).headers["location"]
    back = browser.get(site.provider.visit(there, "sara"))
    assert (back.status_code, back.headers["location"]) == (303, "/campaigns/prompt?status=failed")
    cookie = next(line for line in back.headers.get_list("set-cookie"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "sara (shifter)" in browser.get("/campaigns/prompt").text
    assert (may_read(browser), retry(browser)) == (200, 404)  # there is no such task


def test_a_role_is_a_group(site: Site) -> None:
    """An analyst reads and moves nothing; who has no group is told which claim counts."""
    anna, _ = site.log_in("anna")
    assert (may_read(anna), retry(anna)) == (200, 403)
    otto, _ = site.log_in("otto")
    said = otto.get("/campaigns/prompt")
    assert said.status_code == 403
    assert "You are otto" in said.text
    assert "the claim" in said.text
    assert "groups" in said.text


def test_a_login_is_good_once_and_in_its_browser(site: Site) -> None:
    """The way back leads in once: not again, not in another browser, not with another state."""
    browser = site.browser()
    there = browser.get("/login").headers["location"]
    back = site.provider.visit(there, "sara")
    assert site.browser().get(back).status_code == 403
    assert browser.get(back.replace("state=", "state=x")).status_code == 403
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403
    assert may_read(browser) == 200  # who came back twice is still logged in


def test_a_login_ends_by_itself(site: Site) -> None:
    """After ten minutes at the provider a login is begun anew."""
    browser = site.browser()
    back = site.provider.visit(browser.get("/login").headers["location"], "sara")
    site.clock.advance(601)
    assert browser.get(back).status_code == 403


def test_an_answer_of_somebody_else_is_refused(site: Site) -> None:
    """Another issuer, an error, a code of nobody: none leads in, and each is said."""
    for change in (
        {"iss": "http://evil.example"},
        {"error": "access_denied"},
        {"code": "0"},
        {"code": ""},
    ):
        browser = site.browser()
        there = browser.get("/login").headers["location"]
        query = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
        given = {"state": query["state"], "code": "1", **change}
        answer = browser.get("/login/callback", params=given)
        assert answer.status_code == 403, change
        assert may_read(browser) == 401


def encode(part: bytes) -> str:
    """Return a part of a signed text."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "forged",
    [
        "nonce",
        "no nonce",
        "aud",
        "iss",
        "exp",
        "iat",
        "key",
        "none",
        "hmac",
        "text",
        "azp",
        "access",
    ],
)
def test_a_forged_word_is_refused(site: Site, forged: str) -> None:
    """An id token for another login, for somebody else, of another, too old, of tomorrow, badly
    signed, signed with what is public, changed afterwards; or an access token in its place.
    """
    provider = site.provider
    sign, now = provider.sign, int(provider.now())
    lies: dict[str, dict[str, Any]] = {
        "nonce": {"nonce": "other"},
        "no nonce": {"nonce": None},
        "iat": {"iat": now + 600},
        "access": {"nonce": None, "typ": "Bearer", "aud": "account"},
        "aud": {"aud": "other"},
        "iss": {"iss": "http://evil.example"},
        "exp": {"exp": now - 120},
        "azp": {"azp": "other"},
    }

    stranger = new_key()

    def lie(claims: dict[str, Any], **_: Any) -> str:
        if forged == "none":
            return f"eyJhbGciOiJub25lIn0.{sign(claims).split('.')[1]}."
        if forged == "hmac":
            head = {"alg": "HS256", "typ": "JWT", "kid": provider.keys[0].kid}
            text = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
            public = provider.keys[0].as_pem(private=False)
            return f"{text}.{encode(hmac.digest(public, text.encode(), 'sha256'))}"
        if forged == "text":
            header, _text, signature = sign(claims).split(".")
            other = sign({**claims, "groups": ["admins"]}).split(".")[1]
            return f"{header}.{other}.{signature}"
        by = stranger if forged == "key" else None
        changed = {**claims, **lies.get(forged, {})}
        return sign({name: value for name, value in changed.items() if value is not None}, by=by)

    provider.sign = lie  # type: ignore[method-assign]
    browser, back = site.log_in("sara")
    assert back.status_code == 403
    assert may_read(browser) == 401


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb", ""]
)
def test_a_login_leads_to_pages_of_ours_alone(site: Site, target: str) -> None:
    """Whatever stands in ``next``, nobody is led elsewhere."""
    _, back = site.log_in("sara", target)
    assert back.headers["location"] == "/"


def test_a_new_login_has_a_new_name(site: Site) -> None:
    """Nobody can hand a victim a session that he knows: the cookie changes, and is not in the
    file.
    """
    browser, _ = site.log_in("sara")
    first = browser.cookies["autoctrl"]
    browser.get(site.provider.visit(browser.get("/login").headers["location"], "sara"))
    assert browser.cookies["autoctrl"] != first
    kept = site.file.read_bytes()
    assert first.encode() not in kept
    assert browser.cookies["autoctrl"].encode() not in kept


def test_a_form_belongs_to_its_login(site: Site) -> None:
    """A form that was opened under one login is not accepted under the next."""
    browser, _ = site.log_in("sara")
    old = token_of(browser)
    browser.get(site.provider.visit(browser.get("/login").headers["location"], "sara"))
    form = {"verb": "retry", "runs": "1", "reason": "why not", "token": old}
    path = "/campaigns/prompt/verbs/reco"
    assert browser.post(path, data=form, headers={"Origin": HERE}).status_code == 403


def test_a_removed_shifter_loses_the_verbs(site: Site) -> None:
    """Within a quarter of an hour groups are asked for again."""
    browser, _ = site.log_in("sara")
    site.provider.accounts["sara"].groups = ["cygno"]
    site.clock.advance(899)
    assert retry(browser) == 404
    site.clock.advance(2)
    assert (retry(browser), may_read(browser)) == (403, 200)
    site.provider.grant_of("sara").is_over = True
    site.clock.advance(901)
    assert may_read(browser) == 401


def test_a_token_renews_once_however_many_ask(site: Site) -> None:
    """Many requests at the moment at which groups are due: one asks, nobody is logged out."""
    browser, _ = site.log_in("sara")
    cookie = {"Cookie": f"autoctrl={browser.cookies['autoctrl']}"}
    site.clock.advance(901)
    gate = threading.Barrier(8)

    def ask(_: int) -> int:
        other = site.browser()
        gate.wait(60)
        return other.get("/api/runs", headers=cookie).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {200}
    site.clock.advance(901)
    assert may_read(browser) == 200


def test_a_login_does_not_last_for_ever(site: Site) -> None:
    """Eight hours unused, or a day: it ends."""
    idle, _ = site.log_in("sara")
    busy, _ = site.log_in("sara")
    for _ in range(4):
        site.clock.advance(timedelta(hours=5.9).total_seconds())
        assert may_read(busy) == 200
    assert may_read(idle) == 401
    site.clock.advance(timedelta(hours=0.5).total_seconds())
    assert may_read(busy) == 401


def test_who_logs_out_is_out(site: Site) -> None:
    """The session ends here, and the browser is led on to end it at the provider."""
    browser, _ = site.log_in("sara")
    cookie = browser.cookies["autoctrl"]
    token = token_of(browser)
    assert browser.post("/logout", data={"token": "0"}, headers={"Origin": HERE}).status_code == 403
    said = browser.post("/logout", data={"token": token}, headers={"Origin": HERE})
    assert said.status_code == 200
    assert (
        "/end?id_token_hint=" in said.headers.get("refresh", "")
    ) is not site.provider.style.slash
    assert may_read(browser) == 401
    browser.cookies.set("autoctrl", cookie)
    assert may_read(browser) == 401


def test_the_provider_says_that_a_login_has_ended(site: Site) -> None:
    """A signed word ends that login; one that is not signed so, or says something else, none."""
    browser, _ = site.log_in("sara")
    grant = site.provider.grant_of("sara")
    path = "/login/backchannel"
    event: dict[str, Any] = {"events": {"http://other": {}}}
    bad = [
        site.provider.logout_token(grant, **event),
        site.provider.logout_token(grant, nonce="1"),
        site.provider.logout_token(grant, aud="other"),
        site.provider.logout_token(grant, iat=int(site.provider.now()) - 601),
        site.provider.logout_token(grant, exp=int(site.provider.now()) - 61),
        site.provider.logout_token(grant, sid=""),
        site.provider.sign(site.provider.claims(grant)),
        "junk",
        "",
    ]
    outsider = site.browser()
    for token in bad:
        assert outsider.post(path, data={"logout_token": token}).status_code == 400
    assert may_read(browser) == 200
    good = site.provider.logout_token(grant)
    assert outsider.post(path, data={"logout_token": good}).status_code == 200
    assert may_read(browser) == 401


def test_the_provider_ends_all_logins_of_a_person(site: Site) -> None:
    """Its word may name the person alone: then each of theirs ends, and nobody else's."""
    one, other = (site.log_in("sara")[0] for _ in range(2))
    anna, _ = site.log_in("anna")
    word = site.provider.logout_token(
        site.provider.grant_of("sara"), sid="", sub=site.provider.accounts["sara"].sub
    )
    said = site.browser().post("/login/backchannel", data={"logout_token": word})
    assert said.json()["ended"] == 2
    assert [may_read(browser) for browser in (one, other, anna)] == [401, 401, 200]


def test_cookies_of_a_login_are_for_https_where_people_come_by_it(tmp_path: Path) -> None:
    """Their names let a browser promise that this host alone has set them."""
    with open_site(tmp_path, Style(), 'web.url = "https://runs.example.org"\n') as site:
        cookie = site.browser().get("/login").headers["set-cookie"]
    assert cookie.startswith("__Host-autoctrl-login=")
    words = {word.strip() for word in cookie.split(";")}
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= words


def test_the_provider_is_down(site: Site) -> None:
    """Who is logged in stays so, also when groups are due; new logins are put off with a hint."""
    browser, _ = site.log_in("sara")
    site.provider.stop()
    site.clock.advance(3700)
    assert (may_read(browser), retry(browser)) == (200, 404)
    said = site.browser().get("/login")
    assert said.status_code == 503
    assert "logged in stay so" in said.text
    site.provider.start()
    site.clock.advance(61)
    assert site.log_in("anna")[1].status_code == 303


def test_keys_change(site: Site) -> None:
    """A new key is fetched when it is met, once a minute at most; old words stay good."""
    site.log_in("sara")
    site.provider.rotate()
    site.clock.advance(61)
    assert site.log_in("anna")[1].status_code == 303
    before = len(site.provider.requests("GET /keys"))
    site.provider.rotate()
    assert [site.log_in("anna")[1].status_code for _ in range(3)] == [403] * 3
    assert len(site.provider.requests("GET /keys")) == before
    site.clock.advance(61)
    assert site.log_in("anna")[1].status_code == 303


def test_a_wrong_clock_is_named(site: Site) -> None:
    """Ten minutes off, this way or that: nobody is let in, and the clock is suspected."""
    now = site.provider.now
    for off_s in (-600, 600):
        site.provider.now = lambda off_s=off_s: now() + off_s  # type: ignore[misc]
        _, back = site.log_in("sara")
        assert back.status_code == 403
        assert "clock" in back.text


def test_the_providers_tokens_open_the_api(site: Site) -> None:
    """What ``autoctrl login`` got is asked for once a minute; one signed for us is judged here; an
    id token is none.
    """
    site.log_in("anna")
    grant = site.provider.grant_of("anna")
    program = site.browser()

    def code(token: str) -> int:
        return program.get("/api/runs", headers={"Authorization": f"Bearer {token}"}).status_code

    opaque = grant.access
    assert [code(opaque), code(opaque), code("junk")] == [200, 200, 401]
    asked = [
        one for one in site.provider.requests("POST /introspect") if opaque.encode() in one.body
    ]
    assert len(asked) == 1
    grant.is_over = True
    assert code(opaque) == 200
    site.clock.advance(61)
    assert code(opaque) == 401
    claims = {**site.provider.claims(grant), "groups": ["cygno"], "typ": "Bearer"}
    assert code(site.provider.sign(claims)) == 200
    assert code(site.provider.sign({**claims, "aud": "other"})) == 401
    assert code(site.provider.sign({**claims, "nonce": "1"})) == 401
    assert code(site.provider.sign(claims, by=new_key())) == 401


def test_a_page_for_the_command_login(site: Site) -> None:
    """The server says whom the command must ask."""
    said = site.browser().get("/login/device").json()
    assert (said["issuer"], said["client_id"]) == (site.provider.issuer, "cli")
