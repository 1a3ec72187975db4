"""Under which names the server answers, and where it may listen."""

from __future__ import annotations

import socket

import pytest

from autoctrl.config import WebSettings
from autoctrl.errors import UsageError
from autoctrl.web.entry.gate import check_exposure
from autoctrl.web.entry.hosts import is_known_host, known_hosts

OIDC = WebSettings(issuer="https://iam.example.org", url="https://runs.example.org")
PROXIED = WebSettings(behind_proxy=True, proxies="10.1.2.3")


@pytest.mark.parametrize(
    ("bound_to", "header", "is_known"),
    [
        ("127.0.0.1", "localhost:8080", True),
        ("127.0.0.1", "[::1]:8080", True),
        ("127.0.0.1", "evil.example", False),
        *(
            ("127.0.0.1", f"localhost{mark}.evil.example", False)
            for mark in ("/", "?", "#", "\\", "@", ",", " ", ":")
        ),
        ("127.0.0.1", "evil.example#@localhost", False),
        ("127.0.0.2", "127.0.0.2:8080", True),
        ("127.0.0.2", "rebound.evil.example:8080", False),
        ("0.0.0.0", "rebound.evil.example", False),  # noqa: S104 - nothing is bound
        ("0.0.0.0", "evil.example.localhost", False),  # noqa: S104 - as above
        ("0.0.0.0", "[", False),  # noqa: S104 - as above
        ("0.0.0.0", "", False),  # noqa: S104 - as above
    ],
)
def test_a_foreign_name_is_refused_wherever_the_server_listens(
    bound_to: str, header: str, *, is_known: bool
) -> None:
    """A name that somebody else lets resolve to this machine is not one of its names."""
    assert is_known_host(header, known_hosts(WebSettings(), bound_to)) is is_known


def test_the_servers_own_names() -> None:
    """Beyond loopback it answers to this machine's name, the address at which it was reached, the
    page's address and, where they are named, to other names in place of the machine's.
    """
    here = socket.gethostname()
    known = known_hosts(OIDC, "0.0.0.0")  # noqa: S104 - as above
    assert is_known_host(f"{here}:8080", known)
    assert is_known_host("RUNS.example.org", known)
    assert is_known_host("10.0.0.7:8080", known, reached="10.0.0.7")
    assert not is_known_host("10.0.0.8:8080", known, reached="10.0.0.7")
    named = known_hosts(WebSettings(hosts="page, desk.example.org"), "10.0.0.7")
    assert is_known_host("page", named)
    assert is_known_host("desk.example.org", named)
    assert not is_known_host(f"{here}.elsewhere", named)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_on_this_machine_nobody_need_log_in(host: str) -> None:
    """At a loopback address the page may stand open."""
    check_exposure(WebSettings(), host)


@pytest.mark.parametrize("section", [OIDC, PROXIED])
def test_with_a_login_it_may_listen_anywhere(section: WebSettings) -> None:
    """With a provider, or behind a proxy that is named, the page may be reached from elsewhere."""
    check_exposure(section, "0.0.0.0")  # noqa: S104 - as above


@pytest.mark.parametrize(
    ("section", "host", "says"),
    [
        (WebSettings(), "0.0.0.0", "nobody would ask who they are"),  # noqa: S104 - as above
        (WebSettings(public=True), "node7", "nobody would ask who they are"),
        (WebSettings(behind_proxy=True), "127.0.0.1", "no proxy is named"),
        (WebSettings(behind_proxy=True, proxies="proxy.example"), "::", "which is no address"),
        (WebSettings(issuer="https://iam"), "::", "no https address"),
        (WebSettings(issuer="https://iam", url="http://runs"), "::", "no https address"),
    ],
)
def test_without_a_login_it_is_refused(section: WebSettings, host: str, says: str) -> None:
    """Where anybody could act in any name, or read a login on its way, nothing is served."""
    with pytest.raises(UsageError, match=says):
        check_exposure(section, host)
