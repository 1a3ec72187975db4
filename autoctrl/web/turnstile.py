"""How many requests are at work at once, and how many wait.

What waits is bounded, and forgotten as soon as its client has gone; what comes beyond that is told
to come again. A request that a file system answers waits in a queue of its own, so that a hung
mount stops nobody else; so does one that logs in or out, which a silent provider may hold up, and
one that hands over a file, or reads much of the store. An answer that goes out piece by piece keeps
its place until its last piece. ``/health`` and the page's own files wait for nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FREE = ("/health", "/static/")
LARGEST_BODY = 256 * 1024
HOUR_S = 3600.0
DOORS = ("/login", "/logout")


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
    logs       what a file system answers, or a bucket of hints: it may hang
    downloads  files that are handed over, as quickly as their reader takes them
    long       what reads much of the store
    doors      logins and logouts, which a silent provider may hold up
    """

    pages: Room = Room(at_work=16, waiting=256)
    logs: Room = Room(at_work=4, waiting=32)
    downloads: Room = Room(at_work=8, waiting=64, answer_s=HOUR_S)
    long: Room = Room(at_work=2, waiting=16, patience_s=30.0, answer_s=HOUR_S / 6)
    doors: Room = Room(at_work=4, waiting=128)


ROOMS = Rooms()
# The room of a request by the first of these that its path has.
BY_PATH = {
    "/outputs/": "downloads",
    "/api/output/": "downloads",
    "/logs/": "downloads",
    "/read/": "logs",
    "/tasks/": "logs",
    "/api/log/": "logs",
    "/api/jobs/": "logs",
    "/api/runs": "long",
    "/api/outputs": "long",
    "/api/fields/": "long",
    "/api/incidents": "long",
    "/api/history/": "long",
    "/api/provenance/": "long",
}
STREAMED = b"limit=all"


def room_of(scope: Scope) -> str:
    """Return the name of the room in which a request is answered."""
    path = scope["path"]
    if path.startswith(DOORS):
        return "doors"
    if STREAMED in scope["query_string"]:
        return "long"
    return next((room for part, room in BY_PATH.items() if part in path), "pages")


class Turnstile:
    """Lets requests in, a few at a time."""

    def __init__(self, app: ASGIApp, rooms: Rooms = ROOMS) -> None:
        """Stand before ``app``."""
        self.app = app
        self.queues = {name: _Queue(room) for name, room in rooms._asdict().items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request when its turn comes."""
        if scope["type"] != "http" or scope["path"].startswith(FREE):
            await self.app(scope, receive, send)
            return
        queue = self.queues[room_of(scope)]
        client = _Client(receive)
        if not await client.read():
            refusal = PlainTextResponse("This is too long.\n", 413)
            await refusal(scope, receive, send)
        elif await queue.enter(client):
            await self._answer(queue, scope, client, send)
        elif not client.has_gone:
            refusal = PlainTextResponse(
                "Too many requests are at work here. Try again in a moment.\n",
                503,
                {"Retry-After": "2"},
            )
            await refusal(scope, receive, send)

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


class _Client:
    """What a client sends: read whole before anybody works for it, so that a half request holds no
    place and it is noticed when the client goes.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ahead: list[Message] = []
        self.has_gone = False

    async def read(self) -> bool:
        """Read the body; say whether it is no longer than any that is taken."""
        size, has_more = 0, True
        while has_more and not self.has_gone and size <= LARGEST_BODY:
            message = await self._receive()
            self.has_gone = message["type"] == "http.disconnect"
            self._ahead.append(message)
            size += len(message.get("body", b""))
            has_more = message.get("more_body", False)
        return size <= LARGEST_BODY

    async def wait_until_gone(self) -> None:
        """Return when the client has gone."""
        while not self.has_gone:
            message = await self._receive()
            self.has_gone = message["type"] == "http.disconnect"

    async def receive(self) -> Message:
        """Return the next message."""
        return self._ahead.pop(0) if self._ahead else await self._receive()
