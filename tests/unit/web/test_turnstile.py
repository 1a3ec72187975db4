"""How many requests are at work, how many wait, and who waits for whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.web.crowds import turnstile
from autoctrl.web.crowds.body import LARGEST
from autoctrl.web.crowds.turnstile import Bodies, Room, Rooms, Turnstile, room_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class House:
    """An application whose requests stay until they are let out, behind a turnstile."""

    def __init__(self, pages: Room, others: Room, pieces: int = 0) -> None:
        self.inside: list[str] = []
        self.bodies: list[bytes] = []
        self.out = asyncio.Event()
        self.pieces = pieces
        self.turnstile = Turnstile(self.app, Rooms(pages, others, others, others, others))

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside.append(scope["path"])
        for piece in range(self.pieces):
            if piece == 0:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await self.out.wait()
        self.bodies.append((await receive())["body"])
        if self.pieces == 0:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Caller:
    """One request: what it was answered, and whether its client has hung up."""

    def __init__(
        self, house: House, path: str, body: bytes = b"", query: bytes = b"", size: int = 0
    ) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        scope: dict[str, Any] = {"type": "http", "path": path, "method": "GET", "headers": []}
        if size:
            scope["headers"] = [(b"content-length", str(size).encode())]
        scope["query_string"] = query
        self.task = asyncio.create_task(house.turnstile(scope, self.receive, self.send))

    async def receive(self) -> Message:
        if self.messages:
            return self.messages.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"]) if self.sent else 0


async def settle() -> None:
    """Let everything happen that can happen by itself."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test within a bounded time."""
    asyncio.run(asyncio.wait_for(test, 60))


def test_what_waits_is_bounded_and_the_rest_is_told_to_come_again() -> None:
    """Two at work, three wait, further ones get 503 at once; all that waited are answered, what
    they sent included.
    """

    async def test() -> None:
        house = House(Room(2, 3), Room(1, 1))
        callers = [Caller(house, "/", str(number).encode()) for number in range(8)]
        await settle()
        assert len(house.inside) == 2
        assert [caller.status for caller in callers] == [0, 0, 0, 0, 0, 503, 503, 503]
        assert (b"retry-after", b"2") in callers[-1].sent[0]["headers"]
        house.out.set()
        await asyncio.gather(*(caller.task for caller in callers))
        assert [caller.status for caller in callers] == [200] * 5 + [503] * 3
        assert sorted(house.bodies) == [b"0", b"1", b"2", b"3", b"4"]

    run(test())


def test_nobody_works_for_a_client_that_has_gone() -> None:
    """Whoever hangs up while waiting makes room for the next one and is never let in."""

    async def test() -> None:
        house = House(Room(1, 2), Room(1, 1))
        callers = [Caller(house, f"/{number}") for number in range(3)]
        await settle()
        callers[1].gone.set()
        await callers[1].task
        late = Caller(house, "/late")
        await settle()
        assert late.status == 0
        house.out.set()
        await asyncio.gather(callers[0].task, callers[2].task, late.task)
        assert house.inside == ["/0", "/2", "/late"]
        assert callers[1].sent == []

    run(test())


@pytest.mark.parametrize(
    "paths",
    [
        ("/api/log/1/reco", "/campaigns/prompt/read/reco/1"),
        ("/campaigns/prompt/tasks/reco/1", "/api/jobs/1/reco"),
        ("/campaigns/prompt/outputs/reco/1", "/api/output/1/reco"),
        ("/campaigns/prompt/logs/reco/1", "/campaigns/prompt/outputs/reco/2"),
        ("/api/runs", "/api/outputs"),
        ("/api/fields/reco", "/api/history/1/reco"),
        ("/api/incidents", "/api/provenance/1/reco"),
    ],
)
def test_what_may_take_long_stops_only_its_like(paths: tuple[str, str]) -> None:
    """What a file system answers, what is handed over, and what reads much wait in queues of their
    own; health and the page's own files wait for nobody.
    """

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1))
        every = [*paths, "/", "/health", "/static/x"]
        callers = [Caller(house, path) for path in every]
        await settle()
        assert house.inside == [paths[0], "/", "/health", "/static/x"]
        house.out.set()
        await asyncio.gather(*(caller.task for caller in callers))

    run(test())


def test_a_stream_keeps_its_place_until_its_last_piece() -> None:
    """The first pieces of an answer make no room for another; its last one does."""

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1), pieces=3)
        first = Caller(house, "/api/status", query=b"runs=1-9&limit=all")
        second = Caller(house, "/api/runs")
        await settle()
        assert [message.get("body") for message in first.sent] == [None, b"x", b"x", b"x"]
        assert house.inside == ["/api/status"]
        house.out.set()
        await asyncio.gather(first.task, second.task)
        assert house.inside == ["/api/status", "/api/runs"]

    run(test())


def test_a_stream_that_takes_too_long_is_cut_off() -> None:
    """It ends without a last piece, and its place is free."""

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1, answer_s=0.01), pieces=1)
        first = Caller(house, "/campaigns/prompt/outputs/reco/1")
        await first.task
        assert first.sent[-1] == {"type": "http.response.body", "body": b"x", "more_body": True}
        second = Caller(house, "/campaigns/prompt/outputs/reco/2")
        await second.task
        assert [caller.status for caller in (first, second)] == [200, 200]

    run(test())


@pytest.mark.parametrize("door", ["/login", "/login/callback", "/login/backchannel", "/logout"])
def test_those_who_log_in_take_no_place_of_a_page(door: str) -> None:
    """A silent provider holds up those at the door alone, and pages hold up nobody there."""

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1))
        paths = [door, "/login", "/", "/campaigns/prompt", "/health"]
        callers = [Caller(house, path) for path in paths]
        late = Caller(house, "/login")
        await settle()
        assert house.inside == [door, "/", "/health"]
        assert late.status == 503
        house.out.set()
        await asyncio.gather(*(caller.task for caller in callers), late.task)
        assert [caller.status for caller in callers] == [200] * 5

    run(test())


def test_a_half_request_holds_no_place() -> None:
    """A body is read whole before anybody works for it; one that is too long is refused."""

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1))
        half = Caller(house, "/half")
        half.messages[0]["more_body"] = True
        long = Caller(house, "/long", b"x" * (LARGEST + 1))
        whole = Caller(house, "/whole")
        await settle()
        assert house.inside == ["/whole"]
        assert long.status == 413
        half.gone.set()
        house.out.set()
        await asyncio.gather(half.task, long.task, whole.task)
        assert house.inside == ["/whole"]
        assert half.sent == []

    run(test())


def test_who_may_not_come_in_is_answered_before_the_body_is_read() -> None:
    """The head is enough for that; whoever has no body is judged with all others, later."""
    judged: list[str] = []

    async def refuse(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 403, "headers": []})

    async def judge(scope: Scope) -> ASGIApp | None:
        judged.append(scope["path"])
        return refuse if scope["path"] == "/stranger" else None

    async def test() -> None:
        house = House(Room(4, 4), Room(1, 1))
        house.turnstile.judge = judge
        house.out.set()
        stranger = Caller(house, "/stranger", b"x", size=9)
        known = Caller(house, "/known", b"x", size=1)
        reader = Caller(house, "/reader")
        await asyncio.gather(stranger.task, known.task, reader.task)
        assert [caller.status for caller in (stranger, known, reader)] == [403, 200, 200]
        assert len(stranger.messages) == 1
        assert (judged, house.inside) == (["/stranger", "/known"], ["/known", "/reader"])

    run(test())


def test_all_bodies_together_have_a_bound() -> None:
    """What comes beyond it is told to come again, and what was held is free afterwards."""

    async def test() -> None:
        house = House(Room(1, 9), Room(1, 1))
        house.turnstile.bodies = bodies = Bodies(10)
        callers = [Caller(house, f"/{number}", b"12345") for number in range(3)]
        await settle()
        assert [caller.status for caller in callers] == [0, 0, 503]
        assert (b"retry-after", b"2") in callers[2].sent[0]["headers"]
        house.out.set()
        await asyncio.gather(*(caller.task for caller in callers))
        assert (house.bodies, bodies.held) == ([b"12345"] * 2, 0)
        again = Caller(house, "/again", b"1234567890")
        await again.task
        assert (again.status, bodies.held) == (200, 0)

    run(test())


def test_a_half_body_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client is told so and has to hang up; nothing of it is kept."""
    monkeypatch.setattr(turnstile, "BODY_S", 0.01)

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1))
        half = Caller(house, "/half", b"123", size=9)
        half.messages[0]["more_body"] = True
        await half.task
        assert (half.status, house.inside, house.turnstile.bodies.held) == (408, [], 0)
        assert (b"connection", b"close") in half.sent[0]["headers"]

    run(test())


@pytest.mark.parametrize(
    ("path", "query", "room"),
    [
        ("/campaigns/logs", b"", "pages"),
        ("/campaigns/outputs/runs/1", b"", "pages"),
        ("/campaigns/read/plots/outputs", b"", "pages"),
        ("/campaigns/logs/tasks/reco/1", b"", "logs"),
        ("/campaigns/prompt/grid", b"note=limit=allow", "pages"),
        ("/api/status", b"a=1&limit=all", "long"),
        ("/campaigns/prompt", b"sort=age&skip=50", "long"),
        ("/campaigns/prompt", b"sort=-newest", "pages"),
        ("/campaigns/prompt", b"status=failed&sort=oldest&runs=1", "pages"),
        ("/campaigns/prompt", b"sort=&status=failed", "pages"),
        ("/api/runs", b"", "long"),
        ("/api/outputs", b"", "long"),
    ],
)
def test_a_name_leads_into_no_other_room(path: str, query: bytes, room: str) -> None:
    """A campaign, workflow or note that is called like a page is none."""
    assert room_of({"path": path, "query_string": query}) == room


def test_patience_ends() -> None:
    """Whoever has waited for too long is told so, and their place is free."""

    async def test() -> None:
        house = House(Room(1, 1, patience_s=0.01), Room(1, 1))
        first, second = Caller(house, "/1"), Caller(house, "/2")
        await second.task
        assert second.status == 503
        third = Caller(house, "/3")
        await third.task
        assert third.status == 503
        house.out.set()
        await first.task
        assert house.inside == ["/1"]

    run(test())


def test_a_request_that_fails_makes_room() -> None:
    """An application that raises, and one that answers nothing, leave nothing behind."""

    async def test() -> None:
        house = House(Room(1, 1), Room(1, 1))
        first = Caller(house, "/1")
        await settle()
        first.task.cancel()
        await asyncio.gather(first.task, return_exceptions=True)
        house.out.set()
        second = Caller(house, "/2")
        await second.task
        assert second.status == 200

    run(test())
