"""How the provider of logins is asked: encrypted, within five seconds, and for little."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx2

from autoctrl.hooks.address import Address
from autoctrl.login.errors import ProviderDown

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 5.0
LARGEST = 1024 * 1024


class Careful(httpx2.BaseTransport):
    """Asks only what is encrypted or on this machine, and reads an answer of at most 1 MiB within
    five seconds.
    """

    def __init__(self) -> None:
        """Connect when it is asked for the first time."""
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer to one request. Raises ``ProviderDown``."""
        check_address(str(request.url))
        deadline = time.monotonic() + TIMEOUT_S
        request.headers["Accept-Encoding"] = "identity"  # nothing grows when it is unpacked
        try:
            answer = self._inner.handle_request(request)
            stream = answer.stream
            assert isinstance(stream, httpx2.SyncByteStream)  # noqa: S101 - for the type checker
            body = b"".join(_read(stream, deadline))
            stream.close()
        except httpx2.TransportError as error:
            message = f"The provider of logins does not answer ({type(error).__name__})."
            raise ProviderDown(message, hint="Those who are logged in stay so.") from error
        headers = [(name, text) for name, text in answer.headers.raw if _is_kept(name)]
        return httpx2.Response(answer.status_code, headers=headers, content=body, request=request)

    def close(self) -> None:
        """Keep the connections: many clients share them."""

    def shut(self) -> None:
        """End all connections."""
        self._inner.close()


def check_address(url: str) -> None:
    """Raise ``ProviderDown`` for an address that is not encrypted, unless it is on this machine."""
    parsed = httpx2.URL(url)
    if parsed.scheme != "https" and not (
        parsed.scheme == "http" and Address(parsed.host, 0).is_loopback
    ):
        message = f"The provider of logins names an address without https: {parsed.host}."
        raise ProviderDown(message, hint="Look at [web] issuer.")


def _read(stream: httpx2.SyncByteStream, deadline: float) -> Iterator[bytes]:
    size = 0
    for chunk in stream:
        size += len(chunk)
        if size > LARGEST or time.monotonic() > deadline:
            stream.close()
            message = "The provider of logins answers too much, or too slowly."
            raise ProviderDown(message, hint="Those who are logged in stay so.")
        yield chunk


def _is_kept(name: bytes) -> bool:
    return name.lower() not in {b"content-length", b"transfer-encoding", b"content-encoding"}
