"""What a real Keycloak answers, and which of the tokens that it gives count."""

from __future__ import annotations

import base64
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.integration.keycloak_desk import Desk, open_desk
from tests.integration.login_site import HERE, be_patient, may_read
from tests.integration.walker import TRUST, Walker
from tests.realms import PAGE, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from tests.keycloak import Keycloak


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    be_patient(monkeypatch)


@pytest.fixture
def plain(tmp_path: Path, keycloak: Keycloak) -> Iterator[Desk]:
    with open_desk(tmp_path, keycloak, "autoctrl") as opened:
        yield opened


class Asking(NamedTuple):
    """A login that has begun at the provider, asked for by hand.

    address   where the person logs in
    verifier  what the exchange must show
    """

    address: str
    verifier: str


def begin_by_hand(keycloak: Keycloak, **changes: str) -> Asking:
    """Return a login that a page begins, with some parameters other than they should be."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": PAGE,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": f"{HERE}/login/callback",
        "state": "s",
        "nonce": "n",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        **changes,
    }
    given = urlencode({name: text for name, text in query.items() if text})
    return Asking(f"{realm_of(keycloak)}/auth?{given}", verifier)


def realm_of(keycloak: Keycloak) -> str:
    return f"{keycloak.issuer('autoctrl')}/protocol/openid-connect"


def test_what_the_provider_answers_to_a_login(keycloak: Keycloak) -> None:
    """As the fake does: a wrong way back leads nowhere, no challenge back with an error, a wrong
    password to the form again, a good one back with code, state and issuer.
    """
    with Walker("sara") as sara:
        elsewhere = begin_by_hand(keycloak, redirect_uri="http://evil.example/")
        assert sara.go(elsewhere.address).status_code == 400
        plain = begin_by_hand(keycloak, code_challenge="", code_challenge_method="")
        back = parse_qs(urlsplit(sara.go(plain.address).headers["location"]).query)
        assert (back["error"], back["state"]) == (["invalid_request"], ["s"])
        form = sara.go(begin_by_hand(keycloak).address)
        again = sara.send(form, username="sara", password="wrong")  # noqa: S106 - it is wrong
        assert again.status_code == 200
        assert 'name="password"' in again.text
        good = urlsplit(sara.log_in(begin_by_hand(keycloak).address))
        found = parse_qs(good.query)
        assert found["state"] == ["s"]
        assert found["iss"] == [keycloak.issuer("autoctrl")]
        assert {"code", "session_state"} <= found.keys()


def exchange(keycloak: Keycloak, form: dict[str, str], secret: str = SECRET) -> Response:
    """Ask for tokens by hand."""
    given = {name: text for name, text in form.items() if text}
    address = f"{realm_of(keycloak)}/token"
    with httpx2.Client(timeout=240, verify=TRUST) as client:
        return client.post(address, data=given, auth=(PAGE, secret))


def test_what_the_provider_answers_to_a_code(keycloak: Keycloak) -> None:
    """As the fake does: refused without the verifier, with another way back or a wrong secret;
    given once, and shown twice it ends the login; so does a token that renews.
    """
    with Walker("anna") as anna:

        def ask(secret: str = SECRET, **changes: str) -> Response:
            begun = begin_by_hand(keycloak)
            code = parse_qs(urlsplit(anna.log_in(begun.address)).query)["code"][0]
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": begun.verifier,
                "redirect_uri": f"{HERE}/login/callback",
                **changes,
            }
            forms.append(form)
            return exchange(keycloak, form, secret)

        forms: list[dict[str, str]] = []
        for change in ({"code_verifier": ""}, {"code_verifier": "x" * 64}, {"redirect_uri": HERE}):
            said = ask(**change)
            assert (said.status_code, said.json()["error"]) == (400, "invalid_grant")
        said = ask("wrong")
        assert (said.status_code, said.json()["error"]) == (401, "unauthorized_client")
        good = ask().json()
        assert {"access_token", "refresh_token", "id_token", "expires_in"} <= good.keys()
        said = exchange(keycloak, forms[-1])
        assert (said.status_code, said.json()["error"]) == (400, "invalid_grant")
        shown = {"Authorization": f"Bearer {good['access_token']}"}
        assert anna.client.get(f"{realm_of(keycloak)}/userinfo", headers=shown).status_code == 401


def test_a_token_that_renews_is_good_once(plain: Desk) -> None:
    """Shown a second time it ends the login, also here; many readers at once show it once."""
    with Walker("sara") as sara:
        browser, _ = plain.log_in(sara)
        plain.clock.advance(901)
        cookie = {"Cookie": f"autoctrl={browser.cookies['autoctrl']}"}
        with ThreadPoolExecutor(8) as pool:
            others = [plain.browser() for _ in range(8)]
            answers = pool.map(lambda one: one.get("/api/runs", headers=cookie), others)
            assert {answer.status_code for answer in answers} == {200}
        porter = plain.app.gate.porter
        session = porter.sessions.find(browser.cookies["autoctrl"], plain.clock.now())
        form = {"grant_type": "refresh_token", "refresh_token": session.person.refresh_token}
        assert exchange(plain.keycloak, form).status_code == 200
        plain.clock.advance(901)
        assert may_read(browser) == 401


def test_only_access_tokens_for_the_page_open_the_api(plain: Desk) -> None:
    """What else the provider has given a login, and junk, is refused; so is an access token that
    was not made for programs.
    """
    with Walker("sara") as sara:
        browser, _ = plain.log_in(sara)
    porter = plain.app.gate.porter
    person = porter.sessions.find(browser.cookies["autoctrl"], plain.clock.now()).person
    for token in (
        person.access_token,
        person.id_token,
        person.refresh_token,
        "junk",
        person.access_token[:-4] + "AAAA",
    ):
        shown = {"Authorization": f"Bearer {token}"}
        assert plain.browser().get("/api/runs", headers=shown).status_code == 401
