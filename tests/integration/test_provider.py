"""What the provider of logins is asked, and which of its answers count."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.login import device, logins
from autoctrl.login.errors import LoginRefused, ProviderDown
from autoctrl.login.provider import Client, Provider
from autoctrl.login.transport import LARGEST
from autoctrl.testing import FakeClock
from tests.fakes.http import Answer, Fault
from tests.fakes.oidc import FakeProvider, Style
from tests.fakes.oidc.provider import CLIENT, INDIGO, SECRET
from tests.integration.login_site import be_patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.login import logins

DISCOVERY = "GET /.well-known"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@contextmanager
def asking(issuer: str, secret: str = SECRET, clock: FakeClock | None = None) -> Iterator[Provider]:
    """Give somebody who asks a provider as the page does."""
    provider = Provider(Client(issuer, CLIENT, secret), clock or FakeClock())
    try:
        yield provider
    finally:
        provider.close()


def discovery(fake: FakeProvider, **changes: Any) -> Answer:
    """Return what the provider says of itself, with some changes."""
    names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
    found = {name: f"{fake.url}/{path}" for name, path in names.items()}
    return Answer.of({"issuer": fake.issuer, **found, **changes})


@pytest.mark.parametrize("style", [Style(), INDIGO], ids=["keycloak", "indigo"])
@pytest.mark.parametrize("ending", ["", "/"])
def test_an_issuer_is_spelled_as_it_spells_itself(style: Style, ending: str) -> None:
    """The settings may have a slash at its end or not; what it says of itself counts."""
    with FakeProvider(style) as fake, asking(f"{fake.url}{ending}") as provider:
        assert provider.issuer == fake.issuer


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": "http://evil.example"}, "calls itself another one"),
        ({"issuer": None}, "calls itself another one"),
        ({"jwks_uri": None}, "does not say its jwks_uri"),
        ({"token_endpoint": 7}, "does not say its token_endpoint"),
    ],
)
def test_who_says_something_else_of_themselves_is_not_believed(
    fake: FakeProvider, changes: dict[str, Any], says: str
) -> None:
    """Another issuer than the settings name, or no addresses: nobody logs in there."""
    fake.faults.append(Fault(answer=discovery(fake, **changes), where=DISCOVERY))
    with asking(fake.issuer) as provider, pytest.raises(ProviderDown, match=says):
        provider.metadata()


def test_the_last_good_word_is_kept(fake: FakeProvider) -> None:
    """What it says of itself is asked for once an hour; while it is silent that goes on to hold."""
    clock = FakeClock()
    with asking(fake.issuer, clock=clock) as provider:
        for _ in range(3):
            assert provider.issuer == fake.issuer
        assert len(fake.requests(DISCOVERY)) == 1
        fake.stop()
        clock.advance(3601)
        assert provider.issuer == fake.issuer


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302, headers=(("Location", "/.well-known/openid-configuration"),)),
        Answer(200, b'{"issuer": "' + b"x" * LARGEST + b'"}'),
        Answer(200, b"<html>"),
        Answer.of(["no object"]),
        Answer(500),
    ],
    ids=["leads elsewhere", "too long", "no JSON", "no object", "failed"],
)
def test_no_other_answer_counts(fake: FakeProvider, answer: Answer) -> None:
    """One that leads elsewhere is not followed, one that is longer than 1 MiB is not read."""
    fake.faults.append(Fault(answer=answer, where=DISCOVERY))
    with asking(fake.issuer) as provider, pytest.raises(ProviderDown):
        provider.metadata()
    assert len(fake.requests(DISCOVERY)) == 1


def test_who_does_not_answer_is_not_waited_for(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time an answer is given up; then nothing is asked for a while."""
    for module in ("transport", "provider"):
        monkeypatch.setattr(f"autoctrl.login.{module}.TIMEOUT_S", 0.05)
    fake.faults.append(Fault(seconds=3600, where=DISCOVERY, times=2))
    with asking(fake.issuer) as provider:
        with pytest.raises(ProviderDown, match="does not answer"):
            provider.metadata()
        with pytest.raises(ProviderDown) as said:
            provider.userinfo("token")
    assert said.value.retry_s == 5
    assert sum(fault.times for fault in fake.faults) == 1  # nothing was asked a second time


@pytest.mark.parametrize("issuer", ["http://login.example.org", "ftp://127.0.0.1"])
def test_nothing_is_asked_without_encryption(issuer: str) -> None:
    """Only this machine may be asked by http."""
    with asking(issuer) as provider, pytest.raises(ProviderDown, match="without https"):
        provider.metadata()


def test_an_address_without_encryption_is_not_asked(fake: FakeProvider) -> None:
    """Neither is one that the provider names."""
    evil = {"token_endpoint": "http://login.example.org/token"}
    fake.faults.append(Fault(answer=discovery(fake, **evil), where=DISCOVERY))
    with asking(fake.issuer) as provider, pytest.raises(ProviderDown, match="without https"):
        provider.exchange("code", "verifier", "http://127.0.0.1/login/callback")


def test_a_wrong_secret_is_named_by_its_word(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says what the provider calls it, and never the secret."""
    be_patient(monkeypatch)
    with asking(fake.issuer, "wr0ng") as provider, pytest.raises(LoginRefused) as said:
        provider.exchange("code", "verifier", "http://127.0.0.1/login/callback")
    assert said.value.word == "unauthorized_client"
    assert "wr0ng" not in repr(said.value) + str(said.value.__cause__)


class Terminal:
    """A program that logs in, on a clock that sleeping moves on."""

    def __init__(self, fake: FakeProvider) -> None:
        self.fake, self.clock = fake, FakeClock()
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def log_in(self, *answers: dict[str, str]) -> logins.Kept:
        """Log in; the provider answers like this when it is asked whether somebody agreed."""
        for answer in answers:
            self.fake.faults.append(Fault(answer=Answer.of(answer, 400), where="POST /token"))
        client = Client(self.fake.issuer, "cli")
        return device.log_in(client, self.clock, lambda _: None, self.sleep)


def test_a_program_asks_as_often_as_it_may(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each second at first; five seconds less often when it is told that this is too often."""
    be_patient(monkeypatch)
    terminal = Terminal(fake)
    tokens = {"access_token": "a", "refresh_token": "r", "expires_in": 300}
    waits = ("authorization_pending", "slow_down", "slow_down", "authorization_pending")
    fake.faults += [
        Fault(answer=Answer.of({"error": word}, 400), where="POST /token") for word in waits
    ]
    fake.faults.append(Fault(answer=Answer.of(tokens), where="POST /token"))
    kept = terminal.log_in()
    assert terminal.pauses == [1, 1, 6, 11, 11]
    assert (kept.access_token, kept.refresh_token) == ("a", "r")


@pytest.mark.parametrize("word", ["access_denied", "expired_token", "invalid_grant"])
def test_a_program_that_is_not_let_in_stops_asking(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """Refused by the person, or too late: it says so at once."""
    be_patient(monkeypatch)
    terminal = Terminal(fake)
    with pytest.raises(LoginRefused, match=word):
        terminal.log_in({"error": word})
    assert terminal.pauses == [1]


def test_nobody_lets_a_program_in(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that the provider gives it stops asking."""
    be_patient(monkeypatch)
    terminal = Terminal(fake)
    again = Answer.of({"error": "slow_down"}, 400)
    fake.faults.append(Fault(answer=again, where="POST /token", times=1000))
    with pytest.raises(LoginRefused, match="Nobody has let this program in"):
        terminal.log_in()
    assert sum(terminal.pauses) < 700
