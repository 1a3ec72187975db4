"""Logging in at a real Keycloak."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest

from autoctrl.login import device, logins
from autoctrl.login.errors import LoginRefused
from autoctrl.login.provider import Client
from autoctrl.model.unit import TaskKey
from autoctrl.process import SystemClock
from tests.acceptance.chromium import Chromium, find_chromium
from tests.integration.keycloak_desk import Desk, open_desk
from tests.integration.login_site import HERE, be_patient, may_read, retry, served, token_of
from tests.integration.walker import TRUST, Walker
from tests.realms import DEVICE, PAGE, SECRET, password_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from tests.keycloak import Keycloak

HOST = {"Host": "127.0.0.1"}
MANY = 100


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    be_patient(monkeypatch)


@pytest.fixture(params=["autoctrl", "indigo"])
def desk(tmp_path: Path, keycloak: Keycloak, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with open_desk(tmp_path, keycloak, request.param) as opened:
        yield opened


@pytest.fixture
def plain(tmp_path: Path, keycloak: Keycloak) -> Iterator[Desk]:
    with open_desk(tmp_path, keycloak, "autoctrl") as opened:
        yield opened


def test_a_shifter_acts_and_history_knows_who(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A task is tried again in the name and identity of who logged in; nothing secret is logged."""
    caplog.set_level(logging.INFO)
    with Walker("sara") as sara:
        browser, back = desk.log_in(sara)
        page = browser.get("/campaigns/prompt/tasks/reco/1").text
        assert "sara (shifter)" in page
        assert 'value="retry"' in page
        assert 'name="name"' not in page
        assert retry(browser) == 303
    (step,) = [
        step
        for step in browser.get("/api/history/1/reco").json()["steps"]
        if step["actor"] and step["actor"]["name"] == "sara"
    ]
    issuer, subject = step["actor"]["subject"].split()
    assert issuer.startswith(desk.keycloak.url)
    assert len(subject) == 36
    hidden = [SECRET, browser.cookies["autoctrl"], str(back.request.url.params["code"])]
    own = f"HTTP Request: GET {HERE}/login/callback"  # what the browser of this test says
    said = "\n".join(line for line in caplog.text.splitlines() if own not in line)
    assert f"{desk.keycloak.url}/realms/" in said  # that people were asked for is logged
    assert not [secret for secret in hidden if secret in said]


def test_an_analyst_reads_and_moves_nothing(desk: Desk) -> None:
    """No button is shown, and a form that is sent all the same is refused."""
    with Walker("anna") as anna:
        browser, _ = desk.log_in(anna)
    page = browser.get("/campaigns/prompt/tasks/reco/1").text
    assert "anna (viewer)" in page
    assert 'value="retry"' not in page
    assert (may_read(browser), retry(browser)) == (200, 403)


def test_who_has_no_group_has_no_right(desk: Desk) -> None:
    """Somebody whom the provider lets in is not let in here for that."""
    with Walker("otto") as otto:
        browser, _ = desk.log_in(otto)
    assert browser.get("/campaigns/prompt").status_code == 403


def test_the_way_back_leads_in_once(plain: Desk) -> None:
    """It is refused in another browser, again, and with another state."""
    browser = plain.browser()
    there = browser.get("/login").headers["location"]
    with Walker("sara") as sara:
        back = sara.log_in(there)
    assert plain.browser().get(back).status_code == 403
    assert browser.get(back.replace("state=", "state=x")).status_code == 403
    assert browser.get(back.replace("iss=", "iss=x")).status_code == 403
    assert browser.get(back).status_code == 403  # an answer of somebody else has used it up


def test_a_wrong_clock_is_named(plain: Desk) -> None:
    """Ten minutes behind the provider: nobody is let in, and the clock is suspected."""
    plain.clock.advance(-600)
    with Walker("sara") as sara:
        _, back = plain.log_in(sara)
    assert back.status_code == 403
    assert "clock" in back.text


def test_a_removed_shifter_loses_the_verbs(desk: Desk) -> None:
    """Who leaves the group at the provider may not act a quarter of an hour later."""
    realm = desk.app.site.gate.section.issuer.rpartition("/")[2]
    with Walker("sara") as sara:
        browser, _ = desk.log_in(sara)
    ask = desk.keycloak.administer
    (user,) = ask("GET", f"{realm}/users?username=sara&exact=true")
    (group,) = ask("GET", f"{realm}/users/{user['id']}/groups")
    ask("DELETE", f"{realm}/users/{user['id']}/groups/{group['id']}")
    try:
        desk.clock.advance(901)
        assert browser.get("/campaigns/prompt").status_code == 403
    finally:
        ask("PUT", f"{realm}/users/{user['id']}/groups/{group['id']}")
    desk.clock.advance(901)
    assert retry(browser) == 303


def test_who_logs_out_is_asked_again(plain: Desk) -> None:
    """The login ends at the provider too: the next one asks for the password."""
    with Walker("sara") as sara:
        browser, _ = plain.log_in(sara)
        there = plain.browser().get("/login").headers["location"]
        assert sara.go(there).status_code == 302  # the provider knows her still
        token = token_of(browser)
        said = browser.post("/logout", data={"token": token}, headers={"Origin": HERE})
        sara.go(said.headers["refresh"].partition("url=")[2])
        assert may_read(browser) == 401
        assert sara.go(plain.browser().get("/login").headers["location"]).status_code == 200


def test_the_provider_ends_a_login(plain: Desk) -> None:
    """When an administrator logs somebody out, Keycloak tells the page, which forgets the login."""
    ask = plain.keycloak.administer
    (client,) = ask("GET", f"autoctrl/clients?clientId={PAGE}")
    with served(plain.app) as page:
        client["attributes"]["backchannel.logout.url"] = f"http://{page}/login/backchannel"
        ask("PUT", f"autoctrl/clients/{client['id']}", client)
        with Walker("anna") as anna:
            browser, _ = plain.log_in(anna)
        assert may_read(browser) == 200
        (user,) = ask("GET", "autoctrl/users?username=anna&exact=true")
        ask("POST", f"autoctrl/users/{user['id']}/logout")
        assert may_read(browser) == 401
        client["attributes"]["backchannel.logout.url"] = ""
        ask("PUT", f"autoctrl/clients/{client['id']}", client)


def test_a_hundred_log_in_at_once(plain: Desk) -> None:
    """All come in, each with a session of their own; who is told to come again does so."""
    gate = threading.Barrier(MANY)

    def come(number: int) -> str:
        client = httpx2.Client(base_url=f"http://{place}", headers=HOST, timeout=240, verify=TRUST)
        with client as browser, Walker("anna", knowers[number % len(knowers)]) as anna:
            gate.wait(240)
            there = patiently(browser, "/login").headers["location"]
            back = urlsplit(anna.go(there).headers["location"])
            answer = patiently(browser, f"{back.path}?{back.query}")
            assert answer.status_code == 303, answer.text
            assert patiently(browser, "/api/runs").status_code == 200
            return str(browser.cookies["autoctrl"])

    with served(plain.app) as place, ExitStack() as open_ones:
        knowers = [open_ones.enter_context(Walker("anna")) for _ in range(4)]
        for one in knowers:
            plain.log_in(one)
        with ThreadPoolExecutor(MANY) as pool:
            assert len(set(pool.map(come, range(MANY)))) == MANY


def patiently(browser: httpx2.Client, path: str) -> Response:
    """Open a page, again as long as its server says that too many do."""
    while True:
        answer = browser.get(path)
        if "retry-after" not in answer.headers:
            return answer
        threading.Event().wait(0.1)


def test_a_login_in_a_real_browser(plain: Desk, tmp_path: Path) -> None:
    """A shifter opens a task, is led to the provider, writes the password, comes back to the task,
    tries it again, and logs out; the next one who wants to see it is asked for the password.
    """
    program = find_chromium()
    if program is None:
        pytest.skip("no chromium is installed (Debian: apt-get install chromium)")
    with served(plain.app) as place, Chromium(program, tmp_path / "profile") as browser:
        allow(plain, place)
        task = f"http://{place}/campaigns/prompt/tasks/reco/1"
        browser.open(task)
        assert browser.ask("location.href").startswith(plain.keycloak.url)
        browser.fill("#username", "sara")
        browser.fill("#password", password_of("sara"))
        browser.press("#kc-login")
        assert browser.ask("location.href") == task
        assert "sara (shifter)" in browser.text()
        assert "autoctrl=" not in browser.ask("document.cookie")
        browser.fill("input[name=reason]", "the node is back")
        browser.press("button[value=retry]")
        browser.press("button.agree")
        assert "went from failed to new" in browser.text()
        newest = plain.scene.newest(TaskKey("prompt", "reco", "1"))
        assert newest.actor.name == "sara"
        assert newest.actor.subject.startswith(plain.keycloak.issuer("autoctrl"))
        browser.open(f"http://{place}/logout")
        browser.press("button")
        browser.wait_for("#password")
        browser.open(task)
        assert browser.ask("location.href").startswith(plain.keycloak.url)


def allow(desk: Desk, place: str) -> None:
    """Tell the provider that people may be led back to a page at this place."""
    ask = desk.keycloak.administer
    (client,) = ask("GET", f"autoctrl/clients?clientId={PAGE}")
    client["redirectUris"].append(f"http://{place}/login/callback")
    client["attributes"]["post.logout.redirect.uris"] += f"##http://{place}/"
    ask("PUT", f"autoctrl/clients/{client['id']}", client)


def test_new_keys_are_fetched(plain: Desk) -> None:
    """After the provider has changed its key, people log in, and older logins go on."""
    with Walker("sara") as sara:
        browser, _ = plain.log_in(sara)
    ask = plain.keycloak.administer
    key = {
        "name": "newer",
        "providerId": "rsa-generated",
        "providerType": "org.keycloak.keys.KeyProvider",
        "config": {"priority": ["200"], "active": ["true"], "enabled": ["true"]},
    }
    ask("POST", "autoctrl/components", key)
    plain.clock.advance(61)
    with Walker("anna") as anna:
        assert plain.log_in(anna)[1].status_code == 303
    plain.clock.advance(901)
    assert may_read(browser) == 200


def test_a_program_is_let_in(plain: Desk, tmp_path: Path) -> None:
    """A terminal shows a code, a person accepts it in a browser, and the program's token opens the
    page; a token for somebody else opens nothing.
    """
    issuer = plain.keycloak.issuer("autoctrl")
    facts = plain.browser().get("/login/device").json()
    assert (facts["issuer"], facts["client_id"]) == (issuer, DEVICE)
    pauses: list[float] = []

    def tell(begun: Any) -> None:
        threads.append(threading.Thread(target=accept, args=(begun["verification_uri_complete"],)))

    def accept(address: str) -> None:
        with Walker("sara") as sara:
            sara.let_in(address)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:  # after it was refused once
            threads[0].start()
            threads[0].join(60)
        threading.Event().wait(seconds)

    threads: list[threading.Thread] = []
    client = Client(issuer, DEVICE, "", "openid profile")
    kept = device.log_in(client, SystemClock(), tell, sleep)
    assert len(pauses) >= 2
    url, environ = "https://runs.example.org", {"HOME": str(tmp_path)}
    logins.write(logins.file_for(url, environ), kept._replace(expires=0.0))
    token = logins.token_for(url, SystemClock(), environ)
    assert token != kept.access_token  # it was renewed
    program = plain.browser()
    shown = {"Authorization": f"Bearer {token}"}
    assert program.get("/api/runs", headers=shown).status_code == 200
    shown = {"Authorization": f"Bearer {token[:-4]}AAAA"}
    assert program.get("/api/runs", headers=shown).status_code == 401
    with pytest.raises(LoginRefused):
        device.log_in(client._replace(id="nobody"), SystemClock(), tell, sleep)


def test_the_provider_is_killed_in_the_middle(plain: Desk) -> None:
    """Sessions go on without it, new logins are put off; when it is back all is as before."""
    with Walker("sara") as sara:
        browser, _ = plain.log_in(sara)
        plain.keycloak.kill()
        plain.clock.advance(901)
        assert (may_read(browser), retry(browser)) == (200, 303)
        assert plain.browser().get("/login").status_code == 503
        plain.keycloak.start()
        plain.clock.advance(61)
        # Killed at once, it may have forgotten a login that it had not written down yet.
        assert may_read(browser) in {200, 401}
        with Walker("anna") as anna:
            assert plain.log_in(anna)[1].status_code == 303
