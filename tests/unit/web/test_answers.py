"""One answer for all who ask the same."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse

from autoctrl.testing import FakeClock
from autoctrl.web.answers import MOST, SharedAnswers

if TYPE_CHECKING:
    from starlette.responses import Response


class Drawing:
    """Draws pages, counts them, and waits at the door if it is told to."""

    def __init__(self) -> None:
        self.clock, self.revision, self.count = FakeClock(), 1, 0
        self.door, self.began = Event(), Event()
        self.door.set()
        self.failure: Exception | None = None
        self.answers = SharedAnswers(self.clock, lambda: self.revision)

    def draw(self) -> Response:
        self.count += 1
        self.began.set()
        assert self.door.wait(60)
        if self.failure is not None:
            raise self.failure
        return PlainTextResponse(str(self.count))

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
