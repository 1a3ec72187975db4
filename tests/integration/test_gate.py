"""Who gets in: tokens in a real file, a proxy's word, readers of what is public."""

from __future__ import annotations

import os
import re
import stat
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from autoctrl.book import writing
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
ROLE = re.compile(r"sara \((\w+)\)")


class Door:
    """A served project with these settings of the page, and its tokens."""

    def __init__(self, folder: Path, **web: object) -> None:
        zone = web.pop("timezone", "UTC")
        lines = [
            f"web.{key} = {str(value).lower() if value is True else repr(value)}"
            for key, value in web.items()
        ]
        text = "\n".join([f"timezone = '{zone}'", 'store.url = "memory:"', *lines])
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
        tmp_path,
        behind_proxy=True,
        proxies="10.1.0.0/16",
        proxy_groups_header="X-Forwarded-Groups",
        viewers="*",
        shifters="on/shift",
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


def role_of(door: Door, *headers: tuple[str, str], peer: str = "10.1.2.3") -> str:
    """Return the role that is given to whom a proxy names, or the code of a refusal."""
    client = TestClient(door.app, base_url=HERE, client=(peer, 50_000))
    answer = client.get("/campaigns/prompt", headers=[*headers])
    found = ROLE.search(answer.text)
    return found[1] if found else str(answer.status_code)


NAMED = ("X-Forwarded-User", "sara")
ON_SHIFT = ("X-Forwarded-Groups", "others, /on/shift")


def test_a_proxy_tells_groups(door: Door) -> None:
    """Those of the header that the settings name give roles, from the proxy alone."""
    assert role_of(door, NAMED) == "viewer"
    assert role_of(door, NAMED, ON_SHIFT) == "shifter"
    assert role_of(door, NAMED, ON_SHIFT, peer="10.2.2.3") == "401"
    assert role_of(door, ON_SHIFT) == "401"


@pytest.mark.parametrize(
    "headers",
    [
        [NAMED, ("x-forwarded-user", "admin")],
        [NAMED, ("X_Forwarded_User", "admin")],
        [NAMED, ON_SHIFT, ("x-forwarded-groups", "others")],
        [NAMED, ("X-Forwarded-Groups", "others"), ("X_Forwarded_Groups", "on/shift")],
        [NAMED, ("Connection", "close, X-Forwarded-User")],
        [NAMED, ON_SHIFT, ("Connection", "x-forwarded-groups")],
    ],
)
def test_two_words_in_one_request_are_none(door: Door, headers: list[tuple[str, str]]) -> None:
    """A client that slips a header of its own past the proxy, or has one of the proxy's removed,
    is refused.
    """
    assert role_of(door, *headers) == "400"


def test_groups_count_only_where_their_header_is_named(tmp_path: Path) -> None:
    """A proxy that tells no groups hands on what a browser writes: without a setting it is not
    read.
    """
    plain = Door(tmp_path, behind_proxy=True, proxies="10.1.2.3", viewers="*", shifters="on/shift")
    with plain.project:
        assert role_of(plain, NAMED, ON_SHIFT) == "viewer"


def cookies_of(app: Any, peer: str, **headers: str) -> list[str]:
    """Return the cookies that two pages let a browser keep."""
    client = TestClient(app, base_url=HERE, client=(peer, 50_000))
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    pages = ("/campaigns/prompt/quotas?zone=utc", "/campaigns/prompt?zone=utc")
    answers = [client.get(page, headers=named) for page in pages]
    return [line for answer in answers for line in answer.headers.get_list("set-cookie")]


@pytest.mark.parametrize("way", ["its own address", "a named proxy"])
def test_cookies_are_kept_for_https_where_people_come_by_it(tmp_path: Path, way: str) -> None:
    """Each has the name that makes a browser promise so; a proxy that is not named changes
    nothing.
    """
    named = {"url": "https://runs.example.org"} if way == "its own address" else {}
    door = Door(tmp_path, proxies="10.1.2.3", timezone="Europe/Zurich", public=True, **named)
    with door.project:
        found = cookies_of(door.app, "10.1.2.3", X_Forwarded_Proto="https")
        assert found
        for cookie in found:
            assert cookie.startswith("__Host-autoctrl")
            assert {"Secure", "HttpOnly", "Path=/"} <= {word.strip() for word in cookie.split(";")}
        if not named:
            plain = cookies_of(door.app, "10.1.2.4", X_Forwarded_Proto="https")
            assert plain
            assert not [cookie for cookie in plain if "Secure" in cookie or "__Host" in cookie]


def test_what_is_kept_of_orders_and_hooks_is_nobody_elses(tmp_path: Path) -> None:
    """Their files may be read by their user alone, whatever the umask; one that was open is
    closed.
    """
    before = os.umask(0)
    try:
        for name in ("orders.sqlite", "hooks.sqlite"):
            for content in (None, b""):
                path = tmp_path / name
                if content is not None:
                    path.write_bytes(content)
                    path.chmod(0o664)
                with writing(path, "CREATE TABLE IF NOT EXISTS one (key BLOB)"):
                    pass
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
                path.unlink()
    finally:
        os.umask(before)


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
