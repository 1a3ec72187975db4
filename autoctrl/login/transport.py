"""How the provider of logins is asked: encrypted, within five seconds, and for little."""

from __future__ import annotations

import math
import time
from threading import Lock
from typing import TYPE_CHECKING

import httpx2

from autoctrl.hooks.address import Address
from autoctrl.login.errors import DOWN_HINT, ProviderDown
from autoctrl.login.pause import Pause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.ports import Clock

TIMEOUT_S = 5.0
LARGEST = 1024 * 1024


class Careful(httpx2.BaseTransport):
    """Asks only what is encrypted or on this machine, and reads an answer of at most 1 MiB within
    five seconds. Whoever did not answer is left alone for a while, longer each time, so that a
    silent provider holds up few.
    """

    def __init__(self, clock: Clock) -> None:
        """Connect when it is asked for the first time."""
        self._inner, self._clock = httpx2.HTTPTransport(), clock
        self._pause, self._lock = Pause(), Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer to one request. Raises ``ProviderDown``, at once in a pause."""
        check_address(str(request.url))
        self._check_pause()
        deadline = time.monotonic() + TIMEOUT_S
        request.headers["Accept-Encoding"] = "identity"  # nothing grows when it is unpacked
        try:
            answer = self._inner.handle_request(request)
            stream = answer.stream
            assert isinstance(stream, httpx2.SyncByteStream)  # noqa: S101 - for the type checker
            body = b"".join(_read(stream, deadline))
            stream.close()
        except httpx2.TransportError as error:
            self._begin_pause()
            message = f"The provider of logins does not answer ({type(error).__name__})."
            raise ProviderDown(message, hint=DOWN_HINT) from error
        except ProviderDown:
            self._begin_pause()
            raise
        with self._lock:
            self._pause = Pause()
        headers = [(name, text) for name, text in answer.headers.raw if _is_kept(name)]
        return httpx2.Response(answer.status_code, headers=headers, content=body, request=request)

    def close(self) -> None:
        """Keep the connections: many clients share them."""

    def shut(self) -> None:
        """End all connections."""
        self._inner.close()

    def _check_pause(self) -> None:
        left_s = self._pause.left(self._clock.now()).total_seconds()
        if left_s:
            message = "The provider of logins did not answer a moment ago."
            raise ProviderDown(message, hint=DOWN_HINT, retry_s=math.ceil(left_s))

    def _begin_pause(self) -> None:
        with self._lock:
            self._pause = self._pause.after_silence(self._clock.now())


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
            raise ProviderDown(message, hint=DOWN_HINT)
        yield chunk


def _is_kept(name: bytes) -> bool:
    return name.lower() not in {b"content-length", b"transfer-encoding", b"content-encoding"}
