"""Real connections to a real server: half requests, slow readers, more than there is room for."""

from __future__ import annotations

import resource
import socket
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from autoctrl.web.crowds.connections import (
    FILES_BESIDE,
    Crowd,
    Patience,
    limit_connections,
    patient_protocol,
)
from tests.integration.jobs import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

WHOLE = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
HALF = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf"
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
        HALF,
        WHOLE + WHOLE[:-2],
        WHOLE + HALF,
        WHOLE + WHOLE + HALF[:-6],
    ]
    with serving(Patience(request_s=0.3, body_s=0.3)) as server:
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


def test_slow_readers_have_a_bound_together() -> None:
    """What waits for them is bounded: the slowest is cut off for the others."""
    with serving(Patience(unsent=LARGE + LARGE // 2)) as server:
        slow = [connect(server, b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n") for _ in range(3)]
        until(lambda: server.server_state.total_requests == 3, "the end of the requests")
        until(lambda: len(server.server_state.connections) == 1, "the end of two")
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"transfer-encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20000, b"411 "),
        (b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + WHOLE, b"411 "),
        (b"content-length: 100000\r\n\r\n" + b"a" * 100000, b"413 "),
    ],
)
def test_a_body_that_is_not_taken_ends_the_connection(head: bytes, code: bytes) -> None:
    """It is answered once, by words that arrive, and nothing behind it counts."""
    with serving(Patience()) as server:
        answer = rest_of(connect(server, b"POST / HTTP/1.1\r\nhost: a\r\n" + head))
        assert answer.startswith(b"HTTP/1.1 " + code)
        assert answer.count(b"HTTP/1.1") == 1
        assert answer.endswith(b".\n")
        assert server.server_state.total_requests == 0


def test_who_is_half_behind_a_whole_request_makes_room_too() -> None:
    """Each connection that is not being answered has an age, whatever came before on it."""
    with serving(Patience(request_s=3600, body_s=3600, connections=20)) as server:
        late = [connect(server, WHOLE + HALF) for _ in range(20)]
        until(lambda: server.server_state.total_requests == 20, "all first answers")
        for number in range(30):
            one = connect(server, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            assert rest_of(one).endswith(b"well"), number
        for connection in late:
            connection.close()


def test_who_opens_most_displaces_their_own() -> None:
    """A late one of another address stays, though it is older."""

    class Late:
        address = "10.0.0.1"
        code = 0

        def hang_up(self, code: int) -> None:
            self.code = code

    crowd, one = Crowd(), Late()
    others = [Late() for _ in range(3)]
    crowd.add(one)  # type: ignore[arg-type]
    for other in others:
        other.address = "10.0.0.2"
        crowd.add(other)  # type: ignore[arg-type]
    crowd.make_room(others[-1])  # type: ignore[arg-type]
    assert [late.code for late in (one, *others)] == [0, 408, 0, 0]
    crowd.make_room(others[-1])  # type: ignore[arg-type]
    assert [late.code for late in (one, *others)] == [0, 408, 408, 0]
    for other in others:
        crowd.remove(other)  # type: ignore[arg-type]
    crowd.make_room(one)  # type: ignore[arg-type]
    assert one.code == 503


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
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, before[1]))
        assert limit_connections(100) == 100
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 400
        assert limit_connections(300) == 300
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300 + FILES_BESIDE
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
