"""Where a server is, which channel is meant, and the files of what must stay secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from autoctrl.errors import NotifierError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

PORTS = {"http": 80, "https": 443}
VISIBLE = re.compile(r"[!-~]+")


class Server(NamedTuple):
    """The address of a server.

    scheme  http or https
    host    its name, an address of IPv6 in brackets
    port    its port
    path    what stands before ``/api``, empty if the server has a name of its own
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


class Place(NamedTuple):
    """Where messages go.

    notifier  as the settings call it
    server    the server
    team      name of the team, empty for a webhook, which knows its channel
    channel   name of the channel, empty for a webhook
    """

    notifier: str
    server: Server
    team: str = ""
    channel: str = ""


def read_server(name: str, url: str) -> Server:
    """Return the server that a notifier's ``url`` names. Raises ``SettingsError``."""
    parts = split_address(url)
    if parts is None or parts.query or parts.fragment or parts.username is not None:
        message = f"[notifiers.{name}] url is not the address of a server."
        raise SettingsError(message, hint="Write it as https://chat.example.org.")
    return server_of(parts)


def server_of(parts: SplitResult) -> Server:
    """Return the server of an address."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return Server(parts.scheme, host, parts.port or PORTS[parts.scheme], parts.path.rstrip("/"))


def split_address(url: str) -> SplitResult | None:
    """Return the parts of an http(s) address, None if it is none.

    Raises nothing: what the library says of an address repeats it, and it may be secret.
    """
    if not VISIBLE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if is_address and parts.scheme in PORTS else None


def read_secret(name: str, key: str, path: Path) -> str:
    """Return the one word in the file that a notifier's setting ``key`` names.

    Raises ``NotifierError`` if there is none.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
        why = "" if VISIBLE.fullmatch(text) else "it does not hold one word"
    except (OSError, UnicodeDecodeError) as error:
        text, why = "", getattr(error, "strerror", None) or "it does not hold text"
    if why:
        message = f"[notifiers.{name}] {key} = '{path}' cannot be used: {why}."
        raise NotifierError(message, hint="Name a file that this user may read.")
    return text
