"""Real connections to a real server: half requests, slow readers, more than there is room for."""

from __future__ import annotations

import resource
import socket
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from autoctrl.web.connection import Patience, limit_connections, patient_protocol
from tests.integration.jobs import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

WHOLE = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
LARGE = 64 << 20


async def echo(request: Request) -> Response:
    """Answer with the body."""
    return Response(await request.body() or b"well")


async def large(_: Request) -> Response:
    """Answer with more than any buffer between us holds."""
    return PlainTextResponse(b"x" * LARGE)


@contextmanager
def serving(patience: Patience) -> Iterator[uvicorn.Server]:
    """Serve two pages in a thread; the server's connections can be looked at."""
    routes = [Route("/", echo, methods=["GET", "POST"]), Route("/large", large)]
    app, protocol = Starlette(routes=routes), patient_protocol(patience)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=protocol, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.port = listener.getsockname()[1]  # type: ignore[attr-defined]
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until(lambda: server.started, "the start of the server")
    yield server
    server.should_exit = True
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def connect(server: uvicorn.Server, words: bytes = b"") -> socket.socket:
    """Open a connection and send something."""
    made = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)  # type: ignore[attr-defined]
    made.sendall(words)
    return made


def rest_of(connection: socket.socket) -> bytes:
    """Return what comes until the server ends the connection, and close it."""
    found = b""
    with connection, suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            found += piece
    return found


def test_half_requests_are_ended() -> None:
    """Nothing at all, half a head, half a body: each is ended in time, and so is a second request
    that stops half way.
    """
    halves = [
        b"",
        WHOLE[:-4],
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf",
        WHOLE + WHOLE[:-2],
    ]
    with serving(Patience(request_s=0.3)) as server:
        answers = [rest_of(connect(server, half)) for half in halves]
    assert [b"408 Request Timeout" in answer for answer in answers[:2]] == [True, True]
    assert b"200 OK" not in answers[2]


def test_a_connection_may_be_used_for_long_and_for_many_requests() -> None:
    """One request after the other, also when they come piece by piece."""
    with serving(Patience()) as server, connect(server) as connection:
        for _ in range(3):
            for at in range(len(WHOLE)):
                connection.sendall(WHOLE[at : at + 1])
            answer = b""
            while not answer.endswith(b"well"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")


def test_whoever_does_not_read_is_cut_off() -> None:
    """A client that stops reading a large answer does not hold it in memory for ever."""
    with serving(Patience(reader_s=0.3)) as server:
        connection = connect(server, b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        until(lambda: server.server_state.total_requests, "the end of the request")
        assert len(rest_of(connection)) < LARGE


def test_a_late_request_makes_room() -> None:
    """Beyond the limit the one that has kept us waiting the longest goes, and whole requests are
    answered all the while.
    """
    with serving(Patience(request_s=3600, connections=20)) as server:
        late = [connect(server, WHOLE[:5]) for _ in range(20)]
        until(lambda: len(server.server_state.connections) == 20, "all connections")
        for number in range(30):
            one = connect(server, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            assert rest_of(one).endswith(b"well"), number
        assert b"408" in rest_of(late[0])
        assert len(server.server_state.connections) <= 20
        for connection in late:
            connection.close()


def test_no_more_connections_than_files_that_may_be_opened() -> None:
    """The soft limit is raised as far as the hard one allows; what is needed beside stays."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert limit_connections(100) == 100
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 256
        assert limit_connections(300) == 300
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 428
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
