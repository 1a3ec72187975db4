"""Logging in at a provider: what is begun, kept, looked at again, and refused."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.login.book import FILE_NAME
from autoctrl.testing import FakeClock
from autoctrl.web import create_app
from tests.fakes.oidc import FakeProvider, Style
from tests.fakes.oidc.provider import CLIENT, INDIGO, SECRET, new_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

HERE = "http://127.0.0.1"
TOKEN = re.compile(r'name="token" value="(\w+)"')
SEEN = re.compile(r'name="seen" value="(\w+)"')
SETTINGS = """
store.url = "memory:"
web.client_id = "{client}"
web.client_secret_file = "secret"
web.issuer = "{issuer}"
web.viewers = "cygno"
web.shifters = "cygno/shifters"
web.admins = "cygno/admins"
web.device_client_id = "cli"
"""


class Site(NamedTuple):
    """A served page, its clock and its provider."""

    app: Any
    clock: FakeClock
    provider: FakeProvider
    file: Path

    def browser(self) -> TestClient:
        """Return a browser of its own."""
        return TestClient(self.app, base_url=HERE, follow_redirects=False)

    def log_in(self, name: str, target: str = "/api/runs") -> tuple[TestClient, Response]:
        """Return a browser in which somebody has just come back from the provider."""
        browser = self.browser()
        there = browser.get("/login", params={"next": target}).headers["location"]
        return browser, browser.get(self.provider.visit(there, name))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing depend on how fast this machine answers itself."""
    for module in ("transport", "provider"):
        monkeypatch.setattr(f"autoctrl.login.{module}.TIMEOUT_S", 120.0)


@pytest.fixture(params=[Style(), INDIGO], ids=["keycloak", "indigo"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    with FakeProvider(request.param) as provider:
        clock = FakeClock()
        provider.now = lambda: clock.now().timestamp()
        provider.add("sara", "cygno/shifters")
        provider.add("anna", "cygno")
        provider.add("otto")
        secret = tmp_path / "secret"
        secret.write_text(f"{SECRET}\n")
        secret.chmod(0o600)
        text = SETTINGS.format(client=CLIENT, issuer=provider.issuer)
        settings = parse_settings(text, tmp_path, environment="", environ={})
        with Project(settings, clock) as project:
            app = create_app(project)
            yield Site(app, clock, provider, settings.state_folder / FILE_NAME)
            app.close()


def may_read(browser: TestClient) -> int:
    return browser.get("/api/runs").status_code


def token_of(browser: TestClient) -> str:
    """Return the token of forms for a browser and its login."""
    found = TOKEN.findall(browser.get("/logout").text)
    return str(found[0])


def retry(browser: TestClient) -> int:
    """Return how a form of somebody who wants to try a task again is answered."""
    form = {"verb": "retry", "runs": "1", "reason": "why not", "token": token_of(browser)}
    path, headers = "/campaigns/prompt/verbs/reco", {"Origin": HERE}
    preview = browser.post(path, data=form, headers=headers)
    seen = SEEN.findall(preview.text)
    if not seen:
        return preview.status_code
    return browser.post(path, data={**form, "seen": seen[0]}, headers=headers).status_code


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


@pytest.mark.parametrize("forged", ["nonce", "aud", "iss", "exp", "key", "none", "azp"])
def test_a_forged_word_is_refused(site: Site, forged: str) -> None:
    """An id token for another login, for somebody else, of another, too old or badly signed."""
    provider = site.provider
    sign, now = provider.sign, int(provider.now())
    lies: dict[str, dict[str, Any]] = {
        "nonce": {"nonce": "other"},
        "aud": {"aud": "other"},
        "iss": {"iss": "http://evil.example"},
        "exp": {"exp": now - 120},
        "azp": {"azp": "other"},
    }

    stranger = new_key()

    def lie(claims: dict[str, Any], **_: Any) -> str:
        if forged == "none":
            good = sign(claims).split(".")
            return f"eyJhbGciOiJub25lIn0.{good[1]}."
        by = stranger if forged == "key" else None
        return sign({**claims, **lies.get(forged, {})}, by=by)

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
    """Ten minutes off: nobody is let in, and the clock is suspected."""
    now = site.provider.now
    site.provider.now = lambda: now() - 600
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
    claims = {**site.provider.claims(grant), "groups": ["cygno"]}
    assert code(site.provider.sign(claims)) == 200
    assert code(site.provider.sign({**claims, "aud": "other"})) == 401
    assert code(site.provider.sign({**claims, "nonce": "1"})) == 401
    assert code(site.provider.sign(claims, by=new_key())) == 401


def test_a_page_for_the_command_login(site: Site) -> None:
    """The server says whom the command must ask."""
    said = site.browser().get("/login/device").json()
    assert (said["issuer"], said["client_id"]) == (site.provider.issuer, "cli")
