"""An HTTP proxy before a real server that misbehaves on demand: late, cut, busy, silent."""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    Plan = Callable[["Request"], "Fault | None"]


class Request(NamedTuple):
    """What a client sent.

    number  counts the requests through this proxy, from 0
    path    with its query
    body    whole
    """

    number: int
    path: str
    body: bytes

    @property
    def is_write(self) -> bool:
        return "/write" in self.path

    @property
    def is_query(self) -> bool:
        return "/query" in self.path


class Kind(Enum):
    """What happens to a request."""

    DELAY = "forwarded late"
    CUT = "the connection is cut before anything is forwarded"
    CUT_HALF = "half of it is forwarded, then both connections are cut"
    CUT_AFTER = "forwarded and carried out, and the connection is cut instead of an answer"
    ANSWER = "answered by the proxy, not forwarded"
    STALL = "nothing happens until the proxy is released, then it is forwarded"


class Fault(NamedTuple):
    """One fault.

    kind     what happens
    seconds  how long a delay takes at most; it is drawn anew each time
    status   of the proxy's own answer
    body     of the proxy's own answer, or in place of the request's if it is forwarded
    """

    kind: Kind
    seconds: float = 0.0
    status: int = 503
    body: bytes = b""


class Proxy:
    """Listens on 127.0.0.1 and forwards what ``plan`` allows to ``upstream`` (http://host:port)."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._count = 0
        self._lock = threading.Lock()
        self.plan: Plan = lambda request: None  # noqa: ARG005 - the shape of a plan
        self.released = threading.Event()
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"proxy": self})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def note(self, path: str, body: bytes) -> Request:
        with self._lock:
            request = Request(self._count, path, body)
            self._count += 1
            self.requests.append(request)
        return request

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._upstream.netloc, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def once(fault: Fault, is_meant: Callable[[Request], bool]) -> Plan:
    """Return a plan that lets one request suffer, the first that is meant."""
    has_happened = threading.Event()

    def plan(request: Request) -> Fault | None:
        if has_happened.is_set() or not is_meant(request):
            return None
        has_happened.set()
        return fault

    return plan


def slow_writes(seconds: float) -> Plan:
    """Return a plan that lets each write arrive late, by up to so many seconds."""
    return lambda request: Fault(Kind.DELAY, seconds) if request.is_write else None


class Handler(BaseHTTPRequestHandler):
    """One connection of a client, with one of its own to the server."""

    proxy: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def setup(self) -> None:
        super().setup()
        self.upstream: http.client.HTTPConnection | None = None

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = self.proxy.note(self.path, body)
        fault = self.proxy.plan(request)
        try:
            if fault is None or self.suffer(fault, body):
                self.forward(fault.body if fault and fault.body else body)
        except OSError:
            self.cut()

    def suffer(self, fault: Fault, body: bytes) -> bool:
        """Do what the fault says; say whether to forward as well."""
        if fault.kind is Kind.DELAY:
            time.sleep(random.uniform(0, fault.seconds))
        elif fault.kind is Kind.STALL:
            self.proxy.released.wait(60)
        elif fault.kind is Kind.ANSWER:
            self.reply(fault.status, {}, fault.body)
            return False
        elif fault.kind is Kind.CUT_AFTER:
            self.ask(body)
            self.cut()
            return False
        else:
            if fault.kind is Kind.CUT_HALF:
                self.send_half(body)
            self.cut()
            return False
        return True

    def send_half(self, body: bytes) -> None:
        connection = self.proxy.connect()
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body[: len(body) // 2])
        connection.close()

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        for is_last in (False, True):
            try:
                if self.upstream is None:
                    self.upstream = self.proxy.connect()
                headers = {**dict(self.headers.items()), "Content-Length": str(len(body))}
                self.upstream.request(self.command, self.path, body, headers)
                answer = self.upstream.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            except (http.client.HTTPException, OSError):
                # An idle connection that the server has closed; a point that is written twice is
                # the same point.
                self.upstream = None
                if is_last:
                    raise
        raise AssertionError

    def forward(self, body: bytes) -> None:
        try:
            self.reply(*self.ask(body))
        except http.client.HTTPException:
            self.cut()

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {
                "transfer-encoding",
                "content-length",
                "connection",
                "date",
                "server",
            }:
                self.send_header(name, value)
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_HEAD = serve  # noqa: N815 - the names that the standard library looks for
