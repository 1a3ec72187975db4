"""The HTTP side: a connection per client thread, an answer or a cut per request."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.fakes.discord.calls import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.discord.answers import Answer


class Server(ThreadingHTTPServer):
    """A server on a free port, in a thread of its own once it is started."""

    daemon_threads = False  # so that closing waits for the threads of the connections

    def __init__(self, answer: Callable[[Call], Answer], accuse: Callable[[str], None]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.accuse = accuse
        self.connections: set[socket.socket] = set()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End every connection and wait for what is under way."""
        self.ended.set()
        self.shutdown()
        for connection in [*self.connections]:
            shut(connection)
        self.server_close()
        self._thread.join(timeout=10)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection, so that it can be ended."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note an error of the fake itself; that a client has gone away is none."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            self.accuse(f"the fake failed: {error!r}")


def shut(connection: socket.socket) -> None:
    """Cut a connection, whatever its state."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was first


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    timeout = 60

    def __getattr__(self, name: str) -> Any:
        """Serve every method, so that an unknown one is noticed as well."""
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Note what is no request, and refuse it without repeating it: it may hold a token."""
        del explain
        self.server.accuse(f"no request: {message or code}")
        super().send_error(code)

    def serve(self) -> None:
        """Read a request and send what the service answers, or nothing."""
        if "Transfer-Encoding" in self.headers:
            self.send_error(411, "a body without its length")
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(Call(self.command, path, query, headers, body))
        if answer.is_silent:
            self.server.ended.wait(60)
        if answer.is_cut:
            self.close_connection = True
            shut(self.connection)
        else:
            self.reply(answer)

    def reply(self, answer: Answer) -> None:
        """Send an answer."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
