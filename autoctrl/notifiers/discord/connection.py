"""One request to Discord, which is carried out, or not, or perhaps."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from autoctrl import __version__
from autoctrl.errors import NotifierError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.notifiers.discord.webhook import Webhook

CONNECT_S = 5.0
LEAST_S = 0.1
LONGEST_ANSWER = 1_000_000
PROXY_PORT = 3128
# Discord wants an address and a version; this one is nobody's.
USER_AGENT = f"DiscordBot (https://example.org/autoctrl, {__version__})"


class NotSent(NotifierError):
    """The request did not leave us as a whole: nothing was carried out."""


class NoAnswer(NotifierError):
    """The request was sent, and nobody knows what became of it."""


class Request(NamedTuple):
    """What is asked.

    method  verb of HTTP
    target  path and query; they hold the token
    body    what is sent as JSON, None for nothing
    """

    method: str
    target: str
    body: Mapping[str, Any] | None = None


class Answer(NamedTuple):
    """What was answered.

    status   number of HTTP
    headers  by their names in lower case
    body     the object that it holds, empty if it holds none
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


def exchange(webhook: Webhook, request: Request, limit_s: float) -> Answer:
    """Send a request and return the answer, within so many seconds.

    Raises ``NotSent`` and ``NoAnswer``; neither names the address.
    """
    deadline = time.monotonic() + limit_s
    connection = open_connection(webhook, limit_s)
    try:
        connect(connection, min(CONNECT_S, limit_s))
        _limit(connection, deadline)
        _send(connection, request)
        _limit(connection, deadline)
        return _receive(connection)
    finally:
        connection.close()


def open_connection(webhook: Webhook, limit_s: float) -> HTTPConnection:
    """Return a connection that is not made yet, by the proxy if the environment names one."""
    if not webhook.is_tls:
        return HTTPConnection(webhook.host, webhook.port, timeout=limit_s)
    context = ssl.create_default_context()
    proxy = urlsplit("" if proxy_bypass(webhook.host) else getproxies().get("https", ""))
    if not proxy.hostname:
        return HTTPSConnection(webhook.host, webhook.port, timeout=limit_s, context=context)
    connection = HTTPSConnection(
        proxy.hostname, proxy.port or PROXY_PORT, timeout=limit_s, context=context
    )
    connection.set_tunnel(webhook.host, webhook.port)
    return connection


def connect(connection: HTTPConnection, limit_s: float) -> None:
    """Make a connection. Raises ``NotSent`` if that is not done in time.

    The search for a name has no time limit and every address of a host has the whole one, so that a
    thread does it: who is ended while he waits cannot say that nothing was sent.
    """
    errors: list[Exception] = []

    def try_it() -> None:
        try:
            connection.connect()
        except (OSError, HTTPException, ValueError) as error:
            errors.append(error)

    thread = threading.Thread(target=try_it, daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        message = f"There is no connection to Discord after {limit_s:.0f} s."
        raise NotSent(message, hint="Check the network, its firewall and its proxy.")
    if errors:
        message = f"There is no connection to Discord: {errors[0]}."
        raise NotSent(message, hint="Check the network, its proxy and its certificates.")


def _limit(connection: HTTPConnection, deadline: float) -> None:
    connection.sock.settimeout(max(LEAST_S, deadline - time.monotonic()))


def _send(connection: HTTPConnection, request: Request) -> None:
    headers = {"User-Agent": USER_AGENT}
    body = None
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(request.body).encode()
    try:
        connection.request(request.method, request.target, body, headers)
    except (OSError, HTTPException) as error:
        # A request that lacks its end is not carried out.
        message = f"The connection to Discord broke: {error}."
        raise NotSent(message, hint="Check the network.") from error


def _receive(connection: HTTPConnection) -> Answer:
    try:
        response = connection.getresponse()
        raw = response.read(LONGEST_ANSWER)
    except (OSError, HTTPException) as error:
        message = f"Discord took the message and gave no answer: {type(error).__name__}."
        raise NoAnswer(message, hint="Look into the channel.") from error
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, _read_object(raw))


def _read_object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}  # a page of the network before Discord
    return found if isinstance(found, dict) else {}
