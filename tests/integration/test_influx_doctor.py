"""What ``autoctrl doctor`` says of a real InfluxDB that is as it should be, and of every one that
is not.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.acceptance.project import call, make_project
from tests.proxy import Fault, Kind, Proxy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proxy import Plan, Request
    from tests.services import Influx

NOBODY = "127.0.0.1:9"


class Site(NamedTuple):
    """A server and a project whose store lies there."""

    server: Influx
    folder: Path
    bucket: str

    def url(
        self, *, scheme: str = "influxdb", place: str = "", org: str = "", bucket: str = ""
    ) -> str:
        place = place or self.server.url.partition("//")[2]
        return f"{scheme}://{place}/{org or self.server.org}/{bucket or self.bucket}"

    def give(self, name: str, token: str) -> str:
        """Write a token into a file of the project; return its name."""
        (self.folder / name).write_text(f"{token}\n")
        return name

    def ask(
        self, service: str, url: str = "", token: str = "", **variables: str
    ) -> tuple[bool, str]:
        """Return whether doctor finds this service well, and what it says and advises."""
        given = {
            "AUTOCTRL_STORE_URL": url or self.url(),
            "AUTOCTRL_STORE_TOKEN_FILE": self.give("token", token or self.token),
        }
        said = call(self.folder, "doctor", "--format", "json", **{**given, **variables})
        (found,) = (one for one in json.loads(said.out)["services"] if one["service"] == service)
        assert said.code == (0 if found["ok"] else 2), said
        return found["ok"], f"{found['text']} {found['hint']}"

    @property
    def token(self) -> str:
        return self.server.limited_token(self.bucket)


# What the client makes of such an answer, or of none, does not depend on the server's version.
ONE_SERVER = pytest.mark.parametrize("server", ["influxdb2"], indirect=True)


@pytest.fixture(params=["influxdb1", "influxdb2"])
def server(request: pytest.FixtureRequest) -> Influx:
    found: Influx = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def site(server: Influx, tmp_path: Path) -> Site:
    return Site(server, make_project(tmp_path / "project"), server.fresh_bucket())


def test_a_store_that_is_well(site: Site) -> None:
    """Its id, place and clock are told."""
    ok, text = site.ask("store")
    assert ok
    assert f" in {site.bucket} at {site.server.url} (InfluxDB" in text


@ONE_SERVER
def test_no_server(site: Site) -> None:
    """A server that does not answer is named with its address, after some patience."""
    ok, text = site.ask("store", site.url(place=NOBODY))
    assert (ok, f"at http://{NOBODY} does not answer" in text) == (False, True)
    assert "Is the server running, and is [store] url right?" in text


def test_a_wrong_token(site: Site) -> None:
    """The setting that names the token is told."""
    ok, text = site.ask("store", "", "somebody:else")
    assert (ok, "refuses the token: 401" in text) == (False, True)
    assert "in the file that [store] token_file names" in text


def test_a_missing_bucket(site: Site) -> None:
    """The place is named."""
    ok, text = site.ask("store", site.url(bucket="nowhere/autogen"), site.server.token)
    assert (ok, "nowhere/autogen at" in text, "does not exist" in text) == (False, True, True)
    assert "without a retention limit" in text


def test_a_bucket_that_deletes_old_points(site: Site) -> None:
    """A retention shorter than any campaign is told in days."""
    ok, text = site.ask(
        "store", site.url(bucket=site.server.fresh_bucket(7 * 86_400)), site.server.token
    )
    assert (ok, "would delete records: its retention is 7.0 days" in text) == (False, True)
    assert "infinite" in text


@pytest.mark.parametrize("is_fresh", [True, False])
def test_a_token_that_may_only_read(site: Site, *, is_fresh: bool) -> None:
    """It is told apart from a wrong one, before anything has to be written as well."""
    if not is_fresh:
        assert site.ask("store")[0]
    ok, text = site.ask("store", token=site.server.limited_token(site.bucket, "read"))
    assert (ok, "may only be read with this token: 403" in text) == (False, True)
    assert "Give one that may also write it" in text


def test_a_token_that_may_only_write(site: Site) -> None:
    """It is told apart from a bucket that is not there."""
    ok, text = site.ask("store", token=site.server.limited_token(site.bucket, "write"))
    assert (ok, "may only be written with this token" in text) == (False, True)
    assert "Give one that may read it too" in text


def shifted_by(seconds: float) -> Plan:
    """Return a plan that lets the server's clock be wrong for everything that is asked."""

    def plan(request: Request) -> Fault | None:
        if "/api/v2/query" not in request.path:
            return None
        asked = json.loads(request.body)
        now = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        asked["query"] = f"option now = () => {now}\n{asked['query']}"
        return Fault(Kind.DELAY, body=json.dumps(asked).encode())

    return plan


@ONE_SERVER
@pytest.mark.parametrize(("seconds", "side"), [(90.0, "behind"), (-90.0, "ahead of")])
def test_clocks_apart(site: Site, seconds: float, side: str) -> None:
    """By how much this machine's clock is ahead or behind is told; the store itself works."""
    with Proxy(site.server.url) as proxy:
        proxy.plan = shifted_by(seconds)
        url = site.url(place=f"127.0.0.1:{proxy.port}")
        token_file = site.give("token", site.token)
        given = {"AUTOCTRL_STORE_URL": url, "AUTOCTRL_STORE_TOKEN_FILE": token_file}
        assert call(site.folder, "status", **given).code == 0
        ok, said = site.ask("store", url)
    assert not ok
    found = re.search(rf"This machine's clock is (\d+\.\d) s {side} that of the store", said)
    assert found, said
    # What it takes to ask, on a busy machine, is all that the figure may be wrong by.
    assert float(found[1]) == pytest.approx(abs(seconds), abs=30)
    assert "NTP" in said


@ONE_SERVER
def test_no_tls(site: Site) -> None:
    """An address with TLS towards a server that has none is told as that."""
    ok, text = site.ask("store", site.url(scheme="influxdbs"))
    assert (ok, "does not speak TLS" in text) == (False, True), text
    assert "Write influxdb:// instead of influxdbs://" in text


def test_a_wrong_organization(influxdb2: Influx, tmp_path: Path) -> None:
    """It is named, and where it stands in the URL."""
    site = Site(influxdb2, make_project(tmp_path / "project"), influxdb2.fresh_bucket())
    ok, text = site.ask("store", site.url(org="nobody"))
    assert (ok, 'organization name "nobody" not found' in text) == (False, True)
    assert "Correct the organization in [store] url: influxdb://HOST:PORT/ORG/BUCKET" in text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("influxdb://host/camera", "The store 'influxdb://host/camera' does not name a server"),
        ("influx://host/org/camera", "The store 'influx://host/org/camera' has an unknown scheme"),
    ],
)
def test_a_wrong_address_is_shown_as_it_was_written(tmp_path: Path, url: str, text: str) -> None:
    """What another setting adds to it is not shown as if somebody had written it there."""
    folder = make_project(tmp_path / "project")
    given = {"AUTOCTRL_STORE_URL": url, "AUTOCTRL_STORE_TOKEN_FILE": "token"}
    said = call(folder, "doctor", "--format", "json", **given)
    (found,) = (one for one in json.loads(said.out)["services"] if one["service"] == "store")
    assert (found["ok"], found["text"].startswith(text), "token_file" in found["text"]) == (
        False,
        True,
        False,
    )


class TestHints:
    """The bucket of hints has a line of its own."""

    def ask(self, site: Site, url: str, token: str) -> tuple[bool, str]:
        variables = {
            "AUTOCTRL_HINTS_URL": url,
            "AUTOCTRL_HINTS_TOKEN_FILE": site.give("hints-token", token),
        }
        return site.ask("hints", **variables)

    @ONE_SERVER
    def test_well(self, site: Site) -> None:
        """A bucket that jobs can write and people can read is told with its place."""
        bucket = site.server.fresh_bucket(30 * 86_400)
        ok, text = self.ask(site, site.url(bucket=bucket), site.server.limited_token(bucket))
        assert (ok, text.strip()) == (True, f"{bucket} at {site.server.url}")

    def test_only_written(self, site: Site) -> None:
        """A token that may only write serves the jobs; that nobody can read hints with it is
        told.
        """
        bucket = site.server.fresh_bucket()
        ok, text = self.ask(
            site, site.url(bucket=bucket), site.server.limited_token(bucket, "write")
        )
        assert (ok, "may not read it, so autoctrl jobs shows no hints" in text) == (True, True)

    def test_only_read(self, site: Site) -> None:
        """With a token that may only read no job can say anything."""
        bucket = site.server.fresh_bucket()
        ok, text = self.ask(
            site, site.url(bucket=bucket), site.server.limited_token(bucket, "read")
        )
        assert (ok, "The bucket of hints" in text, "may only be read" in text) == (
            False,
            True,
            True,
        )

    @ONE_SERVER
    def test_wrong_token(self, site: Site) -> None:
        """A token that nobody knows is told, with the setting that names it."""
        ok, text = self.ask(site, site.url(bucket=site.server.fresh_bucket()), "somebody:else")
        assert (ok, "refuses the token" in text, "[hints] token_file" in text) == (
            False,
            True,
            True,
        )

    @ONE_SERVER
    def test_missing_bucket(self, site: Site) -> None:
        """A bucket that is not there is told, with the setting that names it."""
        ok, text = self.ask(site, site.url(bucket="nowhere/autogen"), site.server.token)
        assert (ok, "does not exist" in text, "[hints] url" in text) == (False, True, True)
