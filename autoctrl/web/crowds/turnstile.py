"""How many requests are at work at once, and how many wait.

What waits is bounded, and forgotten as soon as its client has gone; what comes beyond that is told
to come again. A request that a file system answers waits in a queue of its own, so that a hung
mount stops nobody else; so does one that logs in or out, which a silent provider may hold up, one
that hands over a file, and one that reads much of the store. An answer that goes out piece by piece
keeps its place until its last piece. ``/health`` and the page's own files wait for nobody.

A body is read before its request waits, so that a half one holds no place; but nobody's body is who
may not come in, and all of them together have a bound.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import PlainTextResponse

from autoctrl.web.crowds.body import LARGEST
from autoctrl.web.crowds.intake import WORDS, body_size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Judge = Callable[[Scope], Awaitable[ASGIApp | None]]

FREE = ("/health", "/static/")
DOORS = ("/login", "/logout")
ALL_BODIES = 16 * 1024 * 1024
BODY_S = 15.0
JUDGED_AT_ONCE = 16
TOO_LATE = 408
HOUR_S = 3600.0


class Room(NamedTuple):
    """How much one queue holds.

    at_work    requests that are worked at
    waiting    requests that wait for that
    patience_s longest wait, seconds
    answer_s   how long an answer may take until its last piece has gone out, None for ever
    """

    at_work: int
    waiting: int
    patience_s: float = 10.0
    answer_s: float | None = None


class Rooms(NamedTuple):
    """The queues of a page.

    pages      what is answered from the store, soon
    doors      those who log in or out: a provider may be silent
    logs       what a file system answers, or a bucket of hints: it may hang
    downloads  files that are handed over, as quickly as their reader takes them
    long       what reads much of the store
    """

    pages: Room = Room(at_work=16, waiting=256)
    doors: Room = Room(at_work=4, waiting=128)
    logs: Room = Room(at_work=4, waiting=32)
    downloads: Room = Room(at_work=8, waiting=64, answer_s=HOUR_S)
    long: Room = Room(at_work=2, waiting=16, patience_s=30.0, answer_s=HOUR_S / 6)


ROOMS = Rooms()
# The room of a request by the first of these that its path has.
BY_PATH = {
    re.compile(pattern): room
    for pattern, room in {
        "/campaigns/[^/]+/(outputs|logs)/": "downloads",
        "/api/output/": "downloads",
        "/campaigns/[^/]+/(read|tasks)/": "logs",
        "/api/(log|jobs)/": "logs",
        "/api/(runs|outputs|incidents)$": "long",
        "/api/(fields|history|provenance)/": "long",
    }.items()
}
# Whatever page it is: all runs in pieces, or all runs compared by what is not their number.
OF_ALL = re.compile(rb"(^|&)(limit=all(&|$)|sort=(?!-?(newest|oldest)?(&|$)))")


def room_of(scope: Scope) -> str:
    """Return the name of the room in which a request is answered."""
    path = scope["path"]
    if path.startswith(DOORS):
        return "doors"
    if OF_ALL.search(scope["query_string"]):
        return "long"
    return next((room for pattern, room in BY_PATH.items() if pattern.match(path)), "pages")


class Turnstile:
    """Lets requests in, a few at a time."""

    def __init__(self, app: ASGIApp, rooms: Rooms = ROOMS, judge: Judge | None = None) -> None:
        """Stand before ``app``; ``judge`` says by its head alone whether a request that has a body
        is let in: it returns what answers it otherwise.
        """
        self.app, self.judge = app, judge
        self.queues = {name: _Queue(room) for name, room in rooms._asdict().items()}
        self.judging = asyncio.Semaphore(JUDGED_AT_ONCE)
        self.bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request when its turn comes."""
        if scope["type"] != "http" or scope["path"].startswith(FREE):
            await self.app(scope, receive, send)
            return
        refusal = await self._judge(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        client = _Client(receive, self.bodies)
        try:
            await self._let_in(scope, client, send)
        finally:
            client.release()

    async def _judge(self, scope: Scope) -> ASGIApp | None:
        """Return what answers a request whose body is not worth to be read."""
        if self.judge is None or not body_size(scope["headers"]):
            return None
        async with self.judging:
            return await self.judge(scope)

    async def _let_in(self, scope: Scope, client: _Client, send: Send) -> None:
        """Answer a request as soon as it is whole and its turn comes."""
        queue = self.queues[room_of(scope)]
        code = await client.read()
        if code:
            # The rest of a body that is not waited for is thrown away, so that this is read.
            end = {"Connection": "close"} if code == TOO_LATE else {}
            refusal = PlainTextResponse(f"{WORDS[code]}\n", code, {"Retry-After": "2", **end})
            await refusal(scope, client.receive, send)
        elif await queue.enter(client):
            await self._answer(queue, scope, client, send)
        elif not client.has_gone:
            busy = "Too many requests are at work here. Try again in a moment.\n"
            refusal = PlainTextResponse(busy, 503, {"Retry-After": "2", "Connection": "close"})
            await refusal(scope, client.receive, send)

    async def _answer(self, queue: _Queue, scope: Scope, client: _Client, send: Send) -> None:
        """Answer a request that is in; it makes room as soon as the last piece of its answer goes
        out, or its client has gone, or that takes too long.
        """
        is_in = True

        async def send_and_leave(message: Message) -> None:
            nonlocal is_in
            is_last = message["type"] == "http.response.body" and not message.get("more_body")
            if is_in and is_last:
                is_in = False
                queue.leave()
            await send(message)

        limit = asyncio.timeout(queue.room.answer_s)
        try:
            async with limit:
                await self.app(scope, client.receive, send_and_leave)
        except TimeoutError:
            if not limit.expired():
                raise
            # It ends without its last piece, by which its reader knows that it was cut off.
        finally:
            if is_in:
                queue.leave()


class _Queue:
    """Requests at work, and those that wait, first come first served."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.at_work = asyncio.Semaphore(room.at_work)
        self.waiting = 0

    async def enter(self, client: _Client) -> bool:
        """Wait for a turn; say whether it came before the client or our patience had gone."""
        if self.waiting >= self.room.waiting:
            return False
        if not self.at_work.locked() and not client.has_gone:
            return await self.at_work.acquire()
        self.waiting += 1
        turn = asyncio.ensure_future(self.at_work.acquire())
        gone = asyncio.ensure_future(client.wait_until_gone())
        try:
            await asyncio.wait(
                {turn, gone}, timeout=self.room.patience_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self.waiting -= 1
            gone.cancel()
            is_in = turn.done() and not turn.cancelled()
            turn.cancel()
        if is_in and client.has_gone:
            self.leave()
        return is_in and not client.has_gone

    def leave(self) -> None:
        """Let the next one in."""
        self.at_work.release()


class Bodies:
    """The bytes of all bodies that are being read, wait, or are worked at."""

    def __init__(self, most: int = ALL_BODIES) -> None:
        """Hold ``most`` bytes."""
        self.most, self.held = most, 0

    def take(self, size: int) -> bool:
        """Hold so many bytes more; say whether there is room for them."""
        if self.held + size > self.most:
            return False
        self.held += size
        return True


class _Client:
    """What a client sends: read whole before anybody works for it, so that a half request holds no
    place and it is noticed when the client goes.
    """

    def __init__(self, receive: Receive, bodies: Bodies) -> None:
        self._receive, self._bodies = receive, bodies
        self._body = bytearray()
        self._held = 0
        self._is_ahead = False  # the body has been read and not yet been handed on
        self.has_gone = False

    async def read(self) -> int:
        """Read the body; return the status with which it is refused, 0 if it is not."""
        try:
            async with asyncio.timeout(BODY_S):
                return await self._read()
        except TimeoutError:
            return TOO_LATE

    async def _read(self) -> int:
        has_more = True
        while has_more:
            message = await self._receive()
            self.has_gone = message["type"] == "http.disconnect"
            piece = message.get("body", b"")
            if len(self._body) + len(piece) > LARGEST:
                return 413
            if not self._bodies.take(len(piece)):
                return 503
            self._held += len(piece)
            self._body += piece
            has_more = message.get("more_body", False) and not self.has_gone
        self._is_ahead = not self.has_gone
        return 0

    def release(self) -> None:
        """Hold nothing any more."""
        self._bodies.held -= self._held
        self._held = 0

    async def wait_until_gone(self) -> None:
        """Return when the client has gone."""
        while not self.has_gone:
            message = await self._receive()
            self.has_gone = message["type"] == "http.disconnect"

    async def receive(self) -> Message:
        """Return the next message."""
        if self.has_gone:
            return {"type": "http.disconnect"}
        if not self._is_ahead:
            return await self._receive()
        self._is_ahead = False
        return {"type": "http.request", "body": bytes(self._body), "more_body": False}
