"""What ``autoctrl login`` leaves on a machine opens the page for the analyst's client."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl.client import Client
from autoctrl.client.page import Page
from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.errors import MissingExtra, StoreError, UsageError
from autoctrl.login import device, logins
from autoctrl.login.provider import Client as ProvidersClient
from autoctrl.testing import FakeClock
from autoctrl.web import create_app
from tests.fakes.oidc import FakeProvider
from tests.fakes.oidc.provider import CLIENT, PROGRAM, SECRET, Grant
from tests.integration.test_client import ByTestClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = "http://127.0.0.1"
SETTINGS = """
store.url = "memory:"
web.client_id = "{client}"
web.client_secret_file = "secret"
web.issuer = "{issuer}"
web.viewers = "cygno"
web.device_client_id = "{program}"
"""


class Terminal(NamedTuple):
    """A person's terminal on some machine, and the page and provider that it asks."""

    app: Any
    clock: FakeClock
    provider: FakeProvider
    home: Path

    @property
    def environ(self) -> dict[str, str]:
        """Return what its programs find in their environment."""
        return {"HOME": str(self.home)}

    @property
    def file(self) -> Path:
        """Return the file that keeps the login."""
        return logins.file_for(HERE, self.environ)

    def log_in(self) -> None:
        """Log in as ``autoctrl login`` does; sara lets it in once it has asked."""

        def sleep(_: float) -> None:
            (code,) = self.provider.devices
            query = {"client_id": PROGRAM}
            self.provider.devices[code] = Grant(self.provider.accounts["sara"], query)

        client = ProvidersClient(self.provider.issuer, PROGRAM, "", "openid")
        logins.write(self.file, device.log_in(client, self.clock, lambda _: None, sleep))

    def open(self, **environ: str) -> Client:
        """Open the page as ``autoctrl.open`` does."""
        page = Page(HERE, clock=self.clock, environ={**self.environ, **environ})
        page._opener = ByTestClient(self.app)  # type: ignore[assignment]  # in its place
        return Client(page)

    def renewals(self) -> int:
        """Return how often the provider was asked for another token."""
        return sum(
            b"grant_type=refresh_token" in one.body for one in self.provider.requests("POST /token")
        )


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for module in ("transport", "provider"):
        monkeypatch.setattr(f"autoctrl.login.{module}.TIMEOUT_S", 120.0)
    with FakeProvider() as provider:
        clock = FakeClock()
        provider.now = lambda: clock.now().timestamp()
        provider.add("sara", "cygno")
        secret = tmp_path / "secret"
        secret.write_text(f"{SECRET}\n")
        secret.chmod(0o600)
        text = SETTINGS.format(client=CLIENT, issuer=provider.issuer, program=PROGRAM)
        settings = parse_settings(text, tmp_path, environment="", environ={})
        with Project(settings, clock) as project:
            app = create_app(project)
            yield Terminal(app, clock, provider, tmp_path / "home")
            app.close()


def test_who_has_logged_in_needs_no_token(terminal: Terminal) -> None:
    """The page opens by itself, for ever as long as the provider renews; several programs that
    notice at once that the token has expired renew it once.
    """
    with pytest.raises(UsageError, match="Say who you are"):
        terminal.open().runs()
    terminal.log_in()
    assert terminal.open().runs() == ()
    assert terminal.renewals() == 0
    assert terminal.file.stat().st_mode & 0o777 == 0o600
    terminal.clock.advance(400)
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda _: terminal.open().runs(), range(4))] == [()] * 4
    assert terminal.renewals() == 1
    assert terminal.open().runs() == ()


def test_a_login_that_has_ended_says_what_to_do(terminal: Terminal) -> None:
    """Where the provider renews nothing, or not any more, it is said how to log in again."""
    terminal.log_in()
    terminal.clock.advance(400)
    kept = logins.read(terminal.file, HERE)
    for grant in filter(None, terminal.provider.devices.values()):
        grant.is_over = True
    with pytest.raises(UsageError, match="has ended") as said:
        terminal.open().runs()
    assert said.value.hint == f"Run autoctrl login {HERE}."
    logins.write(terminal.file, kept._replace(refresh_token=""))
    with pytest.raises(UsageError, match="has expired, and its provider renews none"):
        terminal.open().runs()
    terminal.provider.stop()
    logins.write(terminal.file, kept)
    with pytest.raises(StoreError, match="provider of logins does not answer"):
        terminal.open().runs()


def test_a_token_that_is_given_comes_first(terminal: Terminal) -> None:
    """A token in a file that the environment names is shown instead of the login."""
    terminal.log_in()
    file = terminal.home / "token"
    file.write_text("ac_12345678_" + "x" * 43)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="This token is not good"):
        terminal.open(AUTOCTRL_TOKEN_FILE=str(file)).runs()


def test_a_login_is_not_sent_in_clear(terminal: Terminal) -> None:
    """Nor is it renewed without what asks a provider; another file than ours is no login."""
    url = "http://runs.example.org"
    logins.write(logins.file_for(url, terminal.environ), KEPT)
    with pytest.raises(UsageError, match="not encrypted"):
        Page(url, environ=terminal.environ)
    terminal.file.write_text("{}")
    with pytest.raises(UsageError, match="Nobody has logged in"):
        terminal.open().runs()


KEPT = logins.Kept("t", 0.0, "r", "https://iam.example.org/", PROGRAM, "openid")


def test_without_the_extra_it_is_named(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What renews a login may not be installed."""
    logins.write(terminal.file, KEPT)
    monkeypatch.setitem(sys.modules, "autoctrl.login.provider", None)
    with pytest.raises(MissingExtra, match="extra 'login'"):
        terminal.open().runs()
