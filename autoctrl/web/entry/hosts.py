"""Under which names the server answers: a foreign name that resolves to it is refused."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from autoctrl.model.address import is_loopback

if TYPE_CHECKING:
    from autoctrl.config import WebSettings

HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(:\d{0,5})?")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def known_hosts(section: WebSettings, bound_to: str) -> frozenset[str]:
    """Return the names, in small letters, under which a server that is bound to an address is
    reached: those in the settings, else its own.
    """
    names = {word.lower() for word in section.hosts.replace(",", " ").split()}
    if not names and not is_loopback(bound_to):
        names = {socket.gethostname().lower(), socket.getfqdn().lower()}
    page = urlsplit(section.url).hostname
    return frozenset({*LOOPBACK, bound_to.lower(), *names, *([page] if page else [])})


def is_known_host(header: str, known: frozenset[str], reached: str = "") -> bool:
    """Say whether a request's Host is a name of this server.

    ``reached`` is the address at which the connection came in: no browser is led there by a foreign
    name if it stands in the Host itself.
    """
    found = HOST.fullmatch(header.lower())
    if found is None:
        return False
    name = found["name"] or found["address"]
    return name in known or _is_same_address(name, reached)


def _is_same_address(name: str, reached: str) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(reached)
    except ValueError:
        return False
