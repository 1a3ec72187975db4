"""One answer for all who ask the same: a page is drawn once for a position of the store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from starlette.responses import Response

    from autoctrl.ports import Clock

LONGEST = timedelta(seconds=1)  # what a page says of ages may be so old
MOST = 256


class _Kept(NamedTuple):
    """An answer that is made or was.

    answer    the answer, or what became of making it
    made      when it was begun
    position  where the store stood then
    """

    answer: asyncio.Future[Response]
    made: datetime
    position: Hashable


class SharedAnswers:
    """Keeps the newest answers for a moment. To be used in one event loop."""

    def __init__(self, clock: Clock, position: Callable[[], Hashable]) -> None:
        """Keep nothing yet; ``position`` tells where the store stands, quickly."""
        self._clock, self._position = clock, position
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def answer(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """Return what ``make`` returns or raises, in a thread; or what it has just done for
        somebody else who asked by the same key, if nothing was written since.
        """
        now = self._clock.now()
        position = await run_in_threadpool(self._position)
        kept = self._kept.get(key)
        if kept is None or not self._holds(kept, now, position):
            making = asyncio.ensure_future(run_in_threadpool(make))
            kept = self._kept[key] = _Kept(making, now, position)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return await asyncio.shield(kept.answer)

    def _holds(self, kept: _Kept, now: datetime, position: Hashable) -> bool:
        """Say whether an answer still does; one that failed is tried again once it has."""
        if kept.position != position or not now - LONGEST < kept.made <= now:
            return False
        answer = kept.answer
        return not answer.done() or (not answer.cancelled() and answer.exception() is None)
