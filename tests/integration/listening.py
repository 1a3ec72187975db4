"""A listener in this process, and senders that say whatever they like."""

from __future__ import annotations

import http.client
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.hooks.exchange import Answer, Request, answer_json
from autoctrl.hooks.limits import Limits
from autoctrl.hooks.rate import Rate
from autoctrl.hooks.server import answering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autoctrl.hooks.exchange import Hook

LIMIT_S = 60
AT_ONCE_S = 0.05
MANY = Rate(1e6, 1_000_000)


class Listening(NamedTuple):
    """A listener in this process, and what it has said."""

    port: int
    said: list[str]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are, and return all that is answered until the other end hangs up."""
        with self.connect() as connection:
            connection.sendall(data)
            return everything(connection)

    def post(
        self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        connection.request("POST", path, body, dict(headers or {}))
        return connection.getresponse()


def everything(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def echo(request: Request) -> Answer:
    headers = {key: value for key, value in request.headers.items() if key.startswith("x-")}
    return answer_json([request.method, request.path, headers, len(request.body)], 202)


@contextmanager
def listening(
    hooks: Mapping[str, Hook] | None = None, limits: Limits | None = None
) -> Iterator[Listening]:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        given = limits if limits is not None else Limits(rate=MANY)
        with answering(hooks or {"/hooks/echo": echo}, listener, said.append, given):
            yield Listening(port, said)


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /hooks/echo HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
