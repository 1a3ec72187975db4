"""One answer for all who ask the same: a page is drawn once for a position of the store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from starlette.responses import Response

    from autoctrl.ports import Clock

LONGEST = timedelta(seconds=1)  # what a page says of ages may be so old
MOST = 256
MOST_BYTES = 16 * 1024 * 1024


class _Kept(NamedTuple):
    """An answer that is made or was.

    answer    the answer, or what became of making it
    made      when it was begun
    position  where the store stood then
    """

    answer: asyncio.Future[Response]
    made: datetime
    position: Hashable

    @property
    def is_good(self) -> bool:
        """Whether there is an answer."""
        answer = self.answer
        return answer.done() and not answer.cancelled() and answer.exception() is None

    @property
    def size(self) -> int:
        """How many bytes it holds; those of one that is being made are not known."""
        return len(self.answer.result().body) if self.is_good else 0


class SharedAnswers:
    """Keeps the newest answers for a moment: so many, of so many bytes. To be used in one event
    loop.
    """

    def __init__(self, clock: Clock, position: Callable[[], Hashable]) -> None:
        """Keep nothing yet; ``position`` tells where the store stands, quickly."""
        self._clock, self._position = clock, position
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return sum(kept.size for kept in self._kept.values())

    async def answer(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """Return what ``make`` returns or raises, in a thread; or what it has just done for
        somebody else who asked by the same key, if nothing was written since.
        """
        now = self._clock.now()
        position = await run_in_threadpool(self._position)
        kept = self._kept.get(key)
        if kept is None or not self._holds(kept, now, position):
            kept = self._begin(key, make, now, position)
        return await asyncio.shield(kept.answer)

    def _begin(
        self, key: Hashable, make: Callable[[], Response], now: datetime, position: Hashable
    ) -> _Kept:
        making = asyncio.ensure_future(run_in_threadpool(make))
        kept = self._kept[key] = _Kept(making, now, position)
        self._kept.move_to_end(key)
        self._make_room()
        making.add_done_callback(partial(self._take, key, kept))
        return kept

    def _take(self, key: Hashable, kept: _Kept, _: object) -> None:
        """Take note that an answer is made: whether anybody asks again or not, it goes soon."""
        self._make_room()
        wait_s = LONGEST.total_seconds()
        asyncio.get_running_loop().call_later(wait_s, self._forget, key, kept)

    def _forget(self, key: Hashable, kept: _Kept) -> None:
        if self._kept.get(key) is kept:
            del self._kept[key]

    def _make_room(self) -> None:
        """Let the oldest go where there are too many, or too many bytes."""
        while len(self._kept) > MOST or self.size > MOST_BYTES:
            self._kept.popitem(last=False)

    def _holds(self, kept: _Kept, now: datetime, position: Hashable) -> bool:
        """Say whether an answer still does; one that failed is tried again once it has."""
        if kept.position != position:
            return False
        if not kept.answer.done():
            return True  # however long it takes, another would take longer
        return kept.is_good and now - LONGEST < kept.made <= now
