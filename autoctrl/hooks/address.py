"""Where a server listens: the address as a person writes it, and the socket."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.address import is_loopback

MOST_PORT = 65535


class Address(NamedTuple):
    """A host, by name or number, and a port; 0 takes a free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it, as far as the text says."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        """Write it as a URL does."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return ``HOST:PORT`` or ``[IPV6]:PORT`` as an address. Raises ``UsageError``."""
    host, _, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    is_port = port.isascii() and port.isdecimal() and int(port) <= MOST_PORT
    if not host or not is_port or (":" in host and not is_bracketed):
        message = f"'{text}' is not an address to listen on."
        raise UsageError(message, hint="Write it as 127.0.0.1:8443, or [::1]:8443.")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def listen(address: Address, what: str, hint: str) -> socket.socket:
    """Return a socket that listens at an address.

    Raises ``UsageError`` with ``hint`` if it is taken or not of this machine; ``what`` begins the
    sentence.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except OSError as error:
        why = (
            os.strerror(error.errno)
            if error.errno and error.errno > 0
            else error.strerror or str(error)
        )
        message = f"{what} cannot listen on {address.host}, port {address.port}: {why}."
        raise UsageError(message, hint=hint) from error
