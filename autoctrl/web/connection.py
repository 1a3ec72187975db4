"""Connections that keep nobody waiting: half requests, slow readers, and too many of both."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING, Any, NamedTuple

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
FILES_BESIDE = 128  # the store, logs that are read, the listener: files that are no connection


class Patience(NamedTuple):
    """How long a connection is waited for, and how many there may be.

    request_s    until a request is whole, from its first byte or from the connection's beginning
    reader_s     until somebody who is sent an answer reads on
    connections  at once; a further one takes the place of the one whose request is late the longest
    """

    request_s: float = 15.0
    reader_s: float = 30.0
    connections: int = 4096


def limit_connections(wanted: int) -> int:
    """Return how many connections this process can have: what it may open, less what it needs
    beside them. The soft limit of open files is raised as far as that needs it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else wanted + FILES_BESIDE
    raised = max(soft, min(most, wanted + FILES_BESIDE))
    if raised != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return max(1, min(wanted, raised - FILES_BESIDE))


def patient_protocol(patience: Patience) -> type[asyncio.Protocol]:
    """Return what uvicorn makes of each connection of one server."""
    late: dict[PatientProtocol, None] = {}  # those whose request is not whole, oldest first

    class Protocol(PatientProtocol):
        def __init__(self, *arguments: Any, **words: Any) -> None:  # noqa: ANN401 - of uvicorn
            super().__init__(*arguments, **words)
            self.patience, self.late = patience, late

    return Protocol


class PatientProtocol(H11Protocol):
    """One connection, which ends when its client makes it wait for too long."""

    patience: Patience
    late: dict[PatientProtocol, None]
    _timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; make room where there are too many connections."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self.patience.connections:
            next(iter(self.late)).hang_up()

    def data_received(self, data: bytes) -> None:
        """Take in a piece of a request."""
        if self._is_between_requests():
            self._await_request()
        super().data_received(data)
        exchange = self._exchange
        if exchange is not None and not exchange.more_body:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that reads slowly."""
        super().pause_writing()
        self._reader_timer = self._call_later(self.patience.reader_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Send on."""
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def hang_up(self) -> None:
        """End the connection: its request is not whole in time."""
        self._stop_waiting()
        if self._is_free():
            self.transport.write(TIMED_OUT)
        self.transport.close()

    def _is_between_requests(self) -> bool:
        return self._timer is None and self._is_free()

    def _is_free(self) -> bool:
        exchange = self._exchange
        return exchange is None or exchange.response_complete

    @property
    def _exchange(self) -> RequestResponseCycle | None:
        """The newest request and its answer, None before the first."""
        return self.cycle

    def _await_request(self) -> None:
        self.late[self] = None
        self._timer = self._call_later(self.patience.request_s, self.hang_up)

    def _stop_waiting(self) -> None:
        self.late.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call_later(self, delay_s: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay_s, act)
