"""A page that lets people log in at a strict provider, for tests in their own process."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.testclient import TestClient

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.hooks.address import Address, listen
from autoctrl.login.book import FILE_NAME
from autoctrl.testing import FakeClock
from autoctrl.web import create_app
from autoctrl.web.server import server_of
from tests.fakes.oidc import FakeProvider, Style
from tests.fakes.oidc.provider import CLIENT, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from httpx2 import Response

HERE = "http://127.0.0.1"
TOKEN = re.compile(r'name="token" value="(\w+)"')
SEEN = re.compile(r'name="seen" value="([^"]+)"')
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

    def browser(self, address: str = "10.9.0.1") -> TestClient:
        """Return a browser of its own, on the machine with this address."""
        client = (address, 50_000)
        return TestClient(self.app, base_url=HERE, follow_redirects=False, client=client)

    def log_in(self, name: str, target: str = "/api/runs") -> tuple[TestClient, Response]:
        """Return a browser in which somebody has just come back from the provider."""
        browser = self.browser()
        there = browser.get("/login", params={"next": target}).headers["location"]
        return browser, browser.get(self.provider.visit(there, name))


@contextmanager
def open_site(folder: Path, style: Style, more: str = "") -> Iterator[Site]:
    """Give a page with ``more`` settings, three people at its provider, and a clock for both."""
    with FakeProvider(style) as provider:
        clock = FakeClock()
        provider.now = lambda: clock.now().timestamp()
        provider.add("sara", "cygno/shifters")
        provider.add("anna", "cygno")
        provider.add("otto")
        secret = folder / "secret"
        secret.write_text(f"{SECRET}\n")
        secret.chmod(0o600)
        text = SETTINGS.format(client=CLIENT, issuer=provider.issuer) + more
        settings = parse_settings(text, folder, environment="", environ={})
        with Project(settings, clock) as project:
            app = create_app(project)
            yield Site(app, clock, provider, settings.state_folder / FILE_NAME)
            app.close()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve a page as the real server does; give its host and port."""
    listener = listen(Address("127.0.0.1", 0), "the page", "")
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing depend on how fast this machine answers itself."""
    for module in ("transport", "provider"):
        monkeypatch.setattr(f"autoctrl.login.{module}.TIMEOUT_S", 120.0)


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
