"""A small HTTP server for fakes: a table of routes, a ledger, faults, and what a client did wrong.

A fake answers what its service's contract allows. What the contract does not know is a *violation*:
``check`` raises, so that the test which did it fails.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    Respond = Callable[["Request"], "Answer"]

FIELD = re.compile(r"\{(\w+)\}")


class Answer(NamedTuple):
    """What a server answers: a status, the body as it is sent, its media type, further headers."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, content: Any, status: int = 200) -> Self:
        """Return an answer in JSON."""
        return cls(status, json.dumps(content).encode())

    @classmethod
    def plain(cls, text: str, status: int = 200) -> Self:
        """Return an answer in plain text."""
        return cls(status, text.encode(), "text/plain")


class RefusedError(Exception):
    """Raised in place of an answer: what the client gets instead."""

    def __init__(self, text: str, answer: Answer) -> None:
        super().__init__(text)
        self.answer = answer


@dataclass(frozen=True)
class Request:
    """What a client sent; ``params`` are the fields of the route's path."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The method and the path, e.g. ``POST /api/v4/posts``."""
        return f"{self.method} {self.path}"

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True)
class Exchange:
    """A request and what was answered; without an answer the connection was cut."""

    request: Request
    answer: Answer | None


class Route(NamedTuple):
    """A request that is known: its method, its path with ``{fields}``, who answers it, and which
    parameters it may have.
    """

    method: str
    path: str
    respond: Respond
    query: frozenset[str] = frozenset()

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path's fields, or nothing if this is another path."""
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if is_field else re.escape(part)
            for part, is_field in _parts(self.path)
        )
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


def _parts(path: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a route's path, and whether each is a field."""
    for number, part in enumerate(FIELD.split(path)):
        yield part, number % 2 == 1


@dataclass
class Fault:
    """What happens to requests: they wait, are answered by somebody else, or are cut off.

    answer   given in place of the server's own, which does not see the request
    seconds  how long the request waits first, unless the server is stopped
    is_cut   the connection is cut before the request is carried out
    is_lost  the request is carried out, then the connection is cut instead of an answer
    where    the beginning of the requests that are meant, e.g. ``POST /api/v4/posts``
    times    how many requests it happens to
    """

    answer: Answer | None = None
    seconds: float = 0.0
    is_cut: bool = False
    is_lost: bool = False
    where: str = ""
    times: int = 1


class HttpFake:
    """An HTTP server on 127.0.0.1 that lives in a thread and keeps its data while it is stopped."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.routes: list[Route] = []
        self.exchanges: list[Exchange] = []
        self.violations: list[str] = []
        self.faults: list[Fault] = []
        self.port = 0
        self.released = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen: at the first time on a free port, then on the same one."""
        if self._server is not None:
            message = "the server runs already"
            raise RuntimeError(message)
        self.released.clear()
        server = _Server(self, self.port)
        self.port = int(server.server_address[1])
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Refuse connections and cut those that are open; the data stay."""
        self.released.set()
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.cut_all()
        self._server.server_close()
        self._thread.join(timeout=10)
        self._server = None

    def restart(self) -> None:
        """Stop and start again, with the data and on the same port."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is None:
            self.check()

    def violate(self, text: str) -> None:
        """Record something that the contract does not know."""
        with self.lock:
            self.violations.append(text)

    def check(self) -> None:
        """Raise if anything happened that the contract does not know."""
        with self.lock:
            found = list(self.violations)
        if found:
            message = f"{len(found)} violations of the contract:\n" + "\n".join(found)
            raise AssertionError(message)

    @contextmanager
    def violation(self, text: str) -> Iterator[None]:
        """Expect a violation that contains ``text`` in the block, and forgive it."""
        before = len(self.violations)
        yield
        with self.lock:
            found = [one for one in self.violations[before:] if text in one]
            self.violations[before:] = [one for one in self.violations[before:] if text not in one]
        if not found:
            message = f"no violation says {text!r}"
            raise AssertionError(message)

    def wait_until(self, is_true: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is true that a request or an answer brings about."""
        with self.changed:
            if not self.changed.wait_for(is_true, seconds):
                message = f"it did not become true within {seconds} s"
                raise AssertionError(message)

    def requests(self, where: str = "") -> list[Request]:
        """Return the requests so far whose method and path begin like this."""
        with self.lock:
            every = [exchange.request for exchange in self.exchanges]
        return [request for request in every if request.line.startswith(where)]

    def prepare(self, request: Request) -> None:
        """Look at a request before it is answered; a fake may refuse it by raising."""

    def complete(self, request: Request, answer: Answer) -> Answer:
        """Return an answer as it is sent; a fake may add headers."""
        del request
        return answer

    def unknown(self, request: Request, status: int) -> Answer:
        """Return the answer to a request that is not in the table."""
        del request
        return Answer(status)

    def serve(self, request: Request) -> Answer | None:
        """Answer a request, or say by nothing that the connection is to be cut."""
        fault = self._next_fault(request)
        is_stopped = bool(fault and fault.seconds and self.released.wait(fault.seconds))
        answer: Answer | None = None
        if is_stopped:
            return None
        if fault and (fault.is_cut or fault.answer):
            answer = None if fault.is_cut else fault.answer
        else:
            answer = self._carry_out(request)
        if fault and fault.is_lost:
            answer = None
        with self.changed:
            self.exchanges.append(Exchange(request, answer))
            self.changed.notify_all()
        return answer

    def _next_fault(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and request.line.startswith(fault.where):
                    fault.times -= 1
                    return fault
        return None

    def _carry_out(self, request: Request) -> Answer:
        with self.lock:
            try:
                self.prepare(request)
                answer = self._dispatch(request)
            except RefusedError as refusal:
                answer = refusal.answer
            except Exception:  # noqa: BLE001 - whatever a fake does wrong fails the test
                self.violate(f"{request.line}: the fake failed: {traceback.format_exc()}")
                answer = Answer(500)
            return self.complete(request, answer)

    def _dispatch(self, request: Request) -> Answer:
        fitting = [(route, route.match(request.path)) for route in self.routes]
        known = [(route, params) for route, params in fitting if params is not None]
        known.sort(key=lambda pair: len(pair[1]))
        for route, params in known:
            if route.method == request.method:
                for name in sorted(request.query.keys() - route.query):
                    self.violate(f"{request.line}: the parameter {name} is unknown")
                fields = {**request.__dict__, "params": params}
                return route.respond(Request(**fields))
        self.violate(f"{request.line}: the {'method' if known else 'path'} is unknown")
        return self.unknown(request, 405 if known else 404)


class _Server(ThreadingHTTPServer):
    """The sockets of one start."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, fake: HttpFake, port: int) -> None:
        self.open: set[socket.socket] = set()
        self.guard = threading.Lock()
        super().__init__(("127.0.0.1", port), type("Bound", (_Handler,), {"fake": fake}))

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.guard:
            self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.guard:
            self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that is gone, or was cut off, is part of the game."""

    def cut_all(self) -> None:
        with self.guard:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    fake: HttpFake
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def serve(self) -> None:
        if self.headers.get("Transfer-Encoding"):
            self.fake.violate(f"{self.command} {self.path}: a body in chunks is unknown")
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.fake.serve(Request(self.command, parts.path, query, headers, body))
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send(answer)

    def send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - the library's names
    do_HEAD = do_OPTIONS = serve  # noqa: N815 - as above
