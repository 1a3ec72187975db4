"""Logging in at a real Keycloak."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import uvicorn
from starlette.testclient import TestClient

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.hooks.address import Address, listen
from autoctrl.login import device, logins
from autoctrl.login.errors import LoginRefused
from autoctrl.login.provider import Client
from autoctrl.model.status import TaskStatus
from autoctrl.process import SystemClock
from autoctrl.web import create_app
from tests.integration.walker import Walker
from tests.realms import DEVICE, PAGE, SECRET
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from autoctrl.testing import FakeClock
    from tests.keycloak import Keycloak

HERE = "http://127.0.0.1"
TOKEN = re.compile(r'name="token" value="(\w+)"')
SEEN = re.compile(r'name="seen" value="(\w+)"')
SETTINGS = """
store.url = "memory:"
[environments.mirror]
store.url = "memory:mirror"
outputs.root = "mirror"
[web]
client_id = "{client}"
client_secret_file = "secret"
issuer = "{issuer}"
viewers = "cygno"
shifters = "cygno/shifters"
device_client_id = "{device}"
"""


class Desk(NamedTuple):
    """A served page with a failed task of run 1, its clock, and the provider of its logins."""

    app: Any
    scene: Scene
    keycloak: Keycloak
    clock: FakeClock

    def browser(self) -> TestClient:
        """Return a browser of its own."""
        return TestClient(self.app, base_url=HERE, follow_redirects=False)

    def log_in(
        self, walker: Walker, browser: TestClient | None = None
    ) -> tuple[TestClient, Response]:
        """Return a browser in which somebody has just come back from the provider."""
        browser = browser or self.browser()
        there = browser.get("/login").headers["location"]
        return browser, browser.get(walker.log_in(there))


def make_desk(folder: Path, keycloak: Keycloak, realm: str) -> tuple[Desk, Project]:
    """Return a page whose people log in at a realm."""
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o600)
    text = SETTINGS.format(client=PAGE, issuer=keycloak.issuer(realm), device=DEVICE)
    settings = parse_settings(text, folder, environment="mirror", environ={})
    scene = Scene()
    scene.clock.time = datetime.now(UTC)
    scene.runs(1)
    scene.workflow("reco")
    scene.task(1, "reco", TaskStatus.FAILED)
    project = Project(settings, scene.clock)
    project.store = scene.store
    return Desk(create_app(project), scene, keycloak, scene.clock), project


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing depend on how fast this machine answers itself."""
    for module in ("transport", "provider"):
        monkeypatch.setattr(f"autoctrl.login.{module}.TIMEOUT_S", 120.0)


@pytest.fixture(params=["autoctrl", "indigo"])
def desk(tmp_path: Path, keycloak: Keycloak, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made, project = make_desk(tmp_path, keycloak, request.param)
    with project:
        yield made
        made.app.close()


@pytest.fixture
def plain(tmp_path: Path, keycloak: Keycloak) -> Iterator[Desk]:
    made, project = make_desk(tmp_path, keycloak, "autoctrl")
    with project:
        yield made
        made.app.close()


def may_read(browser: TestClient) -> int:
    return browser.get("/api/runs").status_code


def token_of(browser: TestClient) -> str:
    """Return the token of forms for a browser and its login."""
    found = TOKEN.findall(browser.get("/logout").text)
    return str(found[0])


def retry(browser: TestClient) -> int:
    """Try the failed task again; return how the form was answered."""
    form = {"verb": "retry", "runs": "1", "reason": "why not", "token": token_of(browser)}
    path, headers = "/campaigns/prompt/verbs/reco", {"Origin": HERE}
    preview = browser.post(path, data=form, headers=headers)
    seen = SEEN.findall(preview.text)
    if not seen:
        return preview.status_code
    return browser.post(path, data={**form, "seen": seen[0]}, headers=headers).status_code


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
    secrets = [SECRET, browser.cookies["autoctrl"], str(back.request.url.params["code"])]
    own = f"HTTP Request: GET {HERE}/login/callback"  # what the browser of this test says
    said = "\n".join(line for line in caplog.text.splitlines() if own not in line)
    assert f"{desk.keycloak.url}/realms/" in said  # that people were asked for is logged
    assert not [secret for secret in secrets if secret in said]


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
    listener = listen(Address("127.0.0.1", 0), "the page", "")
    server = uvicorn.Server(uvicorn.Config(plain.app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        place = f"http://127.0.0.1:{listener.getsockname()[1]}/login/backchannel"
        ask = plain.keycloak.administer
        (client,) = ask("GET", f"autoctrl/clients?clientId={PAGE}")
        client["attributes"]["backchannel.logout.url"] = place
        ask("PUT", f"autoctrl/clients/{client['id']}", client)
        with Walker("anna") as anna:
            browser, _ = plain.log_in(anna)
        assert may_read(browser) == 200
        (user,) = ask("GET", "autoctrl/users?username=anna&exact=true")
        ask("POST", f"autoctrl/users/{user['id']}/logout")
        assert may_read(browser) == 401
        client["attributes"]["backchannel.logout.url"] = ""
        ask("PUT", f"autoctrl/clients/{client['id']}", client)
    finally:
        server.should_exit = True
        thread.join(60)


def test_many_log_in_at_once(plain: Desk) -> None:
    """Twenty people at a time come in, each with a session of their own."""

    def come(_: int) -> str:
        with Walker("anna") as anna:
            browser, back = plain.log_in(anna)
            assert back.status_code == 303
            assert may_read(browser) == 200
            return str(browser.cookies["autoctrl"])

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(come, range(20)))) == 20


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
