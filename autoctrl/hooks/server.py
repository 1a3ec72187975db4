"""The listener: answers what other services send, within limits, beside everything else."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
import time
import traceback
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError
from autoctrl.hooks.conversation import Conversation, HungUp, Refused
from autoctrl.hooks.exchange import Answer, Request
from autoctrl.hooks.limits import Limits
from autoctrl.hooks.rate import Rate, RateLimit

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    import h11

    from autoctrl.hooks.exchange import Hook

BACKLOG = 512
LONGEST_METHOD = 10
IPV6_NETWORK_BITS = 64
# Who sends nonsense all day must not fill the disk with our complaints.
LOGGED = Rate(per_s=2, burst=50)
FAILED = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"Something went wrong here.\n")
CROWDED, OCCUPIED = "there are too many connections", "too many are at work"
USUAL = Limits()


@contextmanager
def answering(
    hooks: Mapping[str, Hook],
    listener: socket.socket,
    tell: Callable[[str], None],
    limits: Limits = USUAL,
) -> Iterator[None]:
    """Answer what comes to ``listener`` while the block runs, in threads of its own.

    ``hooks`` are by exact path; each is called in one of several threads. ``tell``, which raises
    nothing, gets a line for each request that is refused or fails. In the end hooks that are at
    work may finish.
    """
    server = _Server(hooks, tell, limits)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.run(listener)), name="hooks", daemon=True
    )
    thread.start()
    server.is_up.wait()
    try:
        yield
    finally:
        server.end()
        thread.join()


class _Target(NamedTuple):
    """What a request asks for, as far as the log may know it.

    path  one of the hooks', or empty
    """

    method: str = "?"
    path: str = ""


class _Server:
    """Connections, hooks at work, and how many there may be of both."""

    def __init__(
        self, hooks: Mapping[str, Hook], tell: Callable[[str], None], limits: Limits
    ) -> None:
        self.is_up = threading.Event()
        self._hooks, self._limits = hooks, limits
        self._log = _Log(tell)
        self._rate = RateLimit(limits.rate)
        self._connections = 0
        self._busy: set[asyncio.Task[object] | None] = set()
        self._slots = asyncio.Semaphore(limits.running)

    async def run(self, listener: socket.socket) -> None:
        """Answer until ``end`` is called, then let the hooks at work finish."""
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._take, sock=listener, backlog=BACKLOG)
        self.is_up.set()
        await self._ending.wait()
        server.close()
        busy = [task for task in self._busy if task is not None]
        if busy:
            await asyncio.wait(busy, timeout=self._limits.grace_s)

    def end(self) -> None:
        """Let ``run`` return; to be called from another thread."""
        self._loop.call_soon_threadsafe(self._ending.set)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer, self._limits)
        self._connections += 1
        try:
            with suppress(OSError, TimeoutError, HungUp):
                await self._converse(conversation)
                await conversation.part()
        finally:
            self._connections -= 1
            conversation.close()

    async def _converse(self, conversation: Conversation) -> None:
        """Read a request and answer it, or say why not."""
        target = _Target()
        try:
            if self._connections > self._limits.connections:
                raise _busy(CROWDED)
            head = await conversation.head()
            path = head.target.partition(b"?")[0].decode("latin-1")
            method = head.method.decode("latin-1")[:LONGEST_METHOD]
            target = _Target(method, path if path in self._hooks else "")
            self._judge(target, conversation.address)
            async with self._at_work():
                body = await conversation.body(head)
                answer = await self._ask_hook(_request(head, path, body))
                if answer.status >= HTTPStatus.BAD_REQUEST:
                    self._log.refusal(target, conversation.address, answer.status)
                await conversation.answer(answer)
        except Refused as error:
            self._log.refusal(target, conversation.address, error.status, error.why)
            text = f"{error.status.phrase}.\n".encode()
            await conversation.answer(Answer(error.status, text), error.headers)

    def _judge(self, target: _Target, address: str) -> None:
        """Raise ``Refused`` unless a hook may see the request."""
        wait_s = self._rate.take(f"{network_of(address)} {target.path}", time.monotonic())
        if wait_s:
            seconds = {"Retry-After": str(int(wait_s) + 1)}
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "there are too many", seconds)
        if not target.path:
            raise Refused(HTTPStatus.NOT_FOUND, "nothing is there")
        if target.method != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "it is no POST", {"Allow": "POST"})

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """Belong to those that may finish when the listener ends."""
        task = asyncio.current_task()
        self._busy.add(task)
        try:
            yield
        finally:
            self._busy.discard(task)

    async def _ask_hook(self, request: Request) -> Answer:
        """Call the hook in a thread, once few enough are at work. Raises ``Refused`` if not."""
        try:
            async with asyncio.timeout(self._limits.patience_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise _busy(OCCUPIED) from error
        answered: asyncio.Future[Answer] = self._loop.create_future()
        # A daemon: a hook that never returns does not keep the process from ending.
        threading.Thread(target=self._work, args=(request, answered), daemon=True).start()
        return await answered

    def _work(self, request: Request, answered: asyncio.Future[Answer]) -> None:
        answer = FAILED
        try:
            answer = self._hooks[request.path](request)
        except Exception as error:  # noqa: BLE001 - whatever a hook does, the listener goes on
            self._log.failure(request.path, error)
        finally:
            with suppress(RuntimeError):  # the listener has ended
                self._loop.call_soon_threadsafe(self._settle, answered, answer)

    def _settle(self, answered: asyncio.Future[Answer], answer: Answer) -> None:
        self._slots.release()
        if not answered.done():
            answered.set_result(answer)


class _Log:
    """Lines about what was refused or failed, not too many: further ones are counted."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._rate = RateLimit(LOGGED)
        self._skipped = 0

    def refusal(self, target: _Target, address: str, status: int, why: str = "") -> None:
        """Say that a request was refused."""
        path = target.path or "an unknown path"
        reason = f": {why}" if why else ""
        self._say(f"{target.method} {path} from {address}: {status:d}{reason}")

    def failure(self, path: str, error: Exception) -> None:
        """Say that a hook failed, and where; a foreign error's text may hold what was sent."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = f" {error}" if isinstance(error, AutoctrlError) else ""
        where = f"{frame.filename}:{frame.lineno}"
        self._say(f"{path} failed: {type(error).__name__} at {where}.{text}")

    def _say(self, text: str) -> None:
        with self._lock:
            if self._rate.take("", time.monotonic()):
                self._skipped += 1
                return
            more = f" (and {self._skipped} that are not listed)" if self._skipped else ""
            self._skipped = 0
        self._tell(f"hooks: {text}{more}")


def network_of(address: str) -> str:
    """Return what counts as one address: one of IPv4, a network of IPv6 as a household has it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, IPV6_NETWORK_BITS), strict=False))


def _request(head: h11.Request, path: str, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Request(head.method.decode("latin-1"), path, headers, body, datetime.now(UTC))


def _busy(why: str) -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, why, {"Retry-After": "1"})
