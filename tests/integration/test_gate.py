"""Who gets in: tokens in a real file, a proxy's word, readers of what is public."""

from __future__ import annotations

import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.errors import UsageError
from autoctrl.login.book import FILE_NAME
from autoctrl.login.tokens import Maker
from autoctrl.model.role import Role
from autoctrl.testing import FakeClock
from autoctrl.web import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.login.keyring import Keyring

QUARTER = timedelta(days=90)
HERE = "http://127.0.0.1"


class Door:
    """A served project with these settings of the page, and its tokens."""

    def __init__(self, folder: Path, **web: object) -> None:
        lines = [
            f"web.{key} = {str(value).lower() if value is True else repr(value)}"
            for key, value in web.items()
        ]
        text = "\n".join(['store.url = "memory:"', *lines])
        self.clock = FakeClock()
        settings = parse_settings(text, folder, environment="", environ={})
        self.project = Project(settings, self.clock)
        self.app = create_app(self.project)
        self.keys: Keyring = self.app.app.state.site.gate.keyring  # type: ignore[attr-defined]
        self.file = settings.state_folder / FILE_NAME

    def code(self, path: str = "/api/runs", peer: str = "127.0.0.1", **headers: str) -> int:
        """Return how a request from an address is answered."""
        client = TestClient(self.app, base_url=HERE, client=(peer, 50_000), follow_redirects=False)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return client.get(path, headers=named).status_code

    def make(self, role: Role = Role.VIEWER) -> str:
        """Return a new token."""
        return self.keys.make("nb", role, Maker("ada"), self.clock.now(), QUARTER)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(
        tmp_path, behind_proxy=True, proxies="10.1.0.0/16", viewers="*", shifters="on/shift"
    )
    with made.project:
        yield made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_opens_the_api_until_it_is_revoked(door: Door) -> None:
    """Its owner reads; nobody does without it, with another one, after its time or its end."""
    token = door.make()
    assert door.code() == 401
    assert door.code(**bearer(token)) == 200
    assert door.code("/metrics", **bearer(token)) == 200
    other = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert [door.code(**bearer(text)) for text in (other, "ac_junk", "")] == [401] * 3
    door.keys.revoke(door.keys.list()[0].id)
    assert door.code(**bearer(token)) == 401
    with pytest.raises(UsageError, match="There is no token"):
        door.keys.revoke("00000000")


def test_a_token_ends_by_itself(door: Door) -> None:
    """After its time it opens nothing; when it was used last is known to the minute."""
    token = door.make()
    assert door.keys.list()[0].used is None
    assert door.code(**bearer(token)) == 200
    first = door.keys.list()[0].used
    door.clock.advance(59)
    assert door.code(**bearer(token)) == 200
    assert door.keys.list()[0].used == first == door.clock.now() - timedelta(seconds=59)
    door.clock.advance(2)
    door.code(**bearer(token))
    assert door.keys.list()[0].used == door.clock.now()
    door.clock.advance(QUARTER.total_seconds())
    assert door.code(**bearer(token)) == 401


def test_the_file_holds_no_token_and_is_nobody_elses(door: Door) -> None:
    """What is kept are digests, in a file that only its user may read."""
    token = door.make()
    kept = door.file.read_bytes()
    assert token.encode() not in kept
    assert token[12:].encode() not in kept
    assert stat.S_IMODE(door.file.stat().st_mode) == 0o600


def test_a_token_opens_no_more_than_its_role(door: Door) -> None:
    """A viewer's token moves nothing."""
    token = door.make()
    client = TestClient(door.app, base_url=HERE, client=("127.0.0.1", 50_000))
    form = {"verb": "retry", "runs": "1", "name": "x", "reason": "y", "token": "z"}
    said = client.post("/campaigns/prompt/verbs/reco", data=form, headers=bearer(token))
    assert said.status_code == 403


def test_a_proxys_word_counts_from_the_proxy_alone(door: Door) -> None:
    """The header of a named proxy says who somebody is; from any other address it says nothing."""
    word = {"X_Forwarded_User": "sara"}
    assert door.code(peer="10.1.2.3", **word) == 200
    assert door.code(peer="10.2.2.3", **word) == 401
    assert door.code(peer="127.0.0.1", **word) == 401
    assert door.code(peer="10.1.2.3") == 401
    assert door.code("/health", peer="10.9.9.9") == 200


def test_two_names_in_one_request_are_none(door: Door) -> None:
    """A client that slips a header of its own past the proxy is refused."""
    client = TestClient(door.app, base_url=HERE, client=("10.1.2.3", 50_000))
    twice = [("X-Forwarded-User", "sara"), ("x-forwarded-user", "admin")]
    assert client.get("/api/runs", headers=twice).status_code == 400


def test_what_is_public_is_read_and_not_moved(tmp_path: Path) -> None:
    """Without a login everybody reads where that is permitted, and nobody acts."""
    public = Door(tmp_path, behind_proxy=True, proxies="10.1.2.3", public=True)
    with public.project:
        assert public.code() == 200
        client = TestClient(public.app, base_url=HERE)
        said = client.post("/campaigns/prompt/verbs/reco", data={"verb": "retry"})
        assert said.status_code == 403


def test_on_this_machine_everybody_may(tmp_path: Path) -> None:
    """Without a login whoever reaches the loopback address may do everything, as before."""
    plain = Door(tmp_path)
    with plain.project:
        assert plain.code() == 200
        assert not plain.file.exists()
