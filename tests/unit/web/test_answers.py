"""One answer for all who ask the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from autoctrl.model.role import Role
from autoctrl.testing import FakeClock
from autoctrl.web.crowds.shared_answers import MOST, SharedAnswers
from autoctrl.web.entry.visitor import KEY, STRANGER, Visitor
from autoctrl.web.pages.shared import key_of

if TYPE_CHECKING:
    from starlette.responses import Response


class Drawing:
    """Draws pages, counts them, and waits at the door if it is told to."""

    def __init__(self) -> None:
        self.clock, self.revision, self.count = FakeClock(), 1, 0
        self.door, self.began = Event(), Event()
        self.door.set()
        self.failure: Exception | None = None
        self.size = 0
        self.answers = SharedAnswers(self.clock, lambda: self.revision)

    def draw(self) -> Response:
        self.count += 1
        self.began.set()
        assert self.door.wait(60)
        if self.failure is not None:
            raise self.failure
        return PlainTextResponse(str(self.count).ljust(self.size))

    async def ask(self, key: str = "/") -> bytes:
        return bytes((await self.answers.answer(key, self.draw)).body)


def test_an_answer_holds_for_a_moment_until_something_is_written() -> None:
    """A second that has passed, a clock put back, another question, a store that has moved: then
    the page is drawn anew.
    """

    async def read() -> list[bytes]:
        drawing = Drawing()
        seen = [await drawing.ask(), await drawing.ask()]
        drawing.clock.advance(0.9)
        seen += [await drawing.ask(), await drawing.ask("/other")]
        drawing.revision += 1
        seen += [await drawing.ask(), await drawing.ask()]
        drawing.clock.advance(1)
        seen.append(await drawing.ask())
        drawing.clock.advance(-5)
        seen.append(await drawing.ask())
        return seen

    assert asyncio.run(read()) == [b"1", b"1", b"1", b"2", b"3", b"3", b"4", b"5"]


def test_those_who_ask_meanwhile_get_the_same() -> None:
    """A page that is being drawn is not drawn twice, also if the first who asked has gone."""

    async def read() -> tuple[list[bytes], int]:
        drawing = Drawing()
        drawing.door.clear()
        first, *others = [asyncio.create_task(drawing.ask()) for _ in range(20)]
        await asyncio.to_thread(drawing.began.wait, 60)
        first.cancel()
        drawing.door.set()
        return await asyncio.gather(*others), drawing.count

    assert asyncio.run(read()) == ([b"1"] * 19, 1)


def test_a_failure_is_told_and_not_kept() -> None:
    """The next who asks may have more luck."""

    async def read() -> bytes:
        drawing = Drawing()
        drawing.failure = ValueError("no store")
        with pytest.raises(ValueError, match="no store"):
            await drawing.ask()
        drawing.failure = None
        return await drawing.ask()

    assert asyncio.run(read()) == b"2"


def test_what_is_kept_has_a_bound_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large answers make room for newer ones; one that is too large alone is not kept."""
    monkeypatch.setattr("autoctrl.web.crowds.shared_answers.MOST_BYTES", 10)

    async def read() -> list[tuple[int, int]]:
        drawing, seen = Drawing(), []
        for size in (4, 6, 5, 11):
            drawing.size = size
            await drawing.ask(str(size))
            seen.append((drawing.answers.size, len(drawing.answers._kept)))
        return seen

    assert asyncio.run(read()) == [(4, 1), (10, 2), (5, 1), (0, 0)]


def test_an_answer_is_forgotten_although_nobody_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After its time, whatever else happens; a newer one in its place stays."""
    monkeypatch.setattr("autoctrl.web.crowds.shared_answers.LONGEST", timedelta(0))

    async def read() -> bool:
        drawing = Drawing()
        await drawing.ask()
        for _ in range(20):
            await asyncio.sleep(0)
        return not drawing.answers._kept

    assert asyncio.run(read())


def scope_of(**changes: Any) -> dict[str, Any]:
    """Return a request for an overview, with changes."""
    plain: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/campaigns/prompt",
        "query_string": b"a=1",
    }
    plain["scheme"] = "http"
    return {**plain, "headers": [(b"host", b"here")], KEY: Visitor(Role.VIEWER, "anna"), **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "HEAD"},
        {"path": "/campaigns/other"},
        {"query_string": b"a=2"},
        {"headers": [(b"host", b"there")]},
        {KEY: Visitor(Role.ADMIN, "anna")},
        {KEY: Visitor(Role.VIEWER, "bert")},
        {KEY: Visitor(Role.VIEWER, "anna", session="another")},
        {KEY: STRANGER},
    ],
)
def test_what_is_shared_depends_on_who_asks_for_what(changes: dict[str, Any]) -> None:
    """Two requests that differ in anything that a page shows are never answered alike."""
    plain = key_of(Request(scope_of()), None)
    assert plain == key_of(Request(scope_of()), None)
    assert plain not in {
        key_of(Request(scope_of(**changes)), None),
        key_of(Request(scope_of()), "utc"),
    }


def test_no_header_makes_one_address_of_another() -> None:
    """The name of the server is not put together with the path."""
    whole = scope_of(path="/campaigns/prompt", headers=[(b"host", b"here")])
    split = scope_of(path="/prompt", headers=[(b"host", b"here/campaigns")])
    assert key_of(Request(whole), None) != key_of(Request(split), None)


def test_no_more_is_kept_than_is_good() -> None:
    """However many different questions come, the oldest answers make room."""

    async def read() -> int:
        drawing = Drawing()
        for number in range(MOST + 10):
            await drawing.ask(str(number))
        await drawing.ask(str(MOST + 9))
        await drawing.ask("0")
        return drawing.count

    assert asyncio.run(read()) == MOST + 11
