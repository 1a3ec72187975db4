"""Requests of the server to integrations: one deadline for all of it, no redirects, no proxies."""

from __future__ import annotations

import http.client
import ipaddress
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.mattermost.limits import Site

USER_AGENT = "Mattermost-Bot/1.1"


class UnansweredError(Exception):
    """No answer of an integration: refused, cut off, too late."""


@dataclass(frozen=True)
class Sent:
    """What was sent to an integration."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Received:
    """What an integration answered; ``status_line`` is such as ``403 Forbidden``."""

    status: int
    status_line: str
    media_type: str
    body: bytes


def send(sent: Sent, site: Site, most_bytes: int) -> Received:
    """Send a request and return the answer, whose body is cut off at ``most_bytes``."""
    parts = urlsplit(sent.url)
    _check_host(parts.hostname or "", site)
    deadline = time.monotonic() + site.integration_seconds
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[parts.scheme](parts.netloc, timeout=site.integration_seconds)
    path = parts.path or "/"
    try:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **sent.headers}
        connection.request(
            "POST", path + (f"?{parts.query}" * bool(parts.query)), sent.body, headers
        )
        answer = connection.getresponse()
        body = _read(connection, answer, deadline)
    except (OSError, http.client.HTTPException) as error:
        message = f"no answer: {error!r}"
        raise UnansweredError(message) from error
    finally:
        connection.close()
    status_line = f"{answer.status} {answer.reason}".strip()
    media_type = answer.getheader("Content-Type") or ""
    return Received(answer.status, status_line, media_type, body[:most_bytes])


def _read(
    connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, deadline: float
) -> bytes:
    """Return the body, or raise when it is not there before the deadline."""
    body = b""
    while not answer.isclosed():
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = answer.read1(65_536)
        if not piece:
            break
        body += piece
    return body


def _check_host(host: str, site: Site) -> None:
    """Refuse a private address that the site does not list."""
    if site.refuses_private and host not in site.allowed_internal and _is_private(host):
        message = f"address forbidden: {host}"
        raise UnansweredError(message)


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_private or address.is_loopback
