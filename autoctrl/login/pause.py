"""How long somebody who did not answer is left alone: longer each time. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

FIRST = timedelta(seconds=5)
LONGEST = timedelta(seconds=60)
NONE = timedelta(0)


class Pause(NamedTuple):
    """A time in which somebody is not asked.

    lasts  how long it is, nothing while they answer
    until  when it ends
    """

    lasts: timedelta = NONE
    until: datetime | None = None

    def left(self, now: datetime) -> timedelta:
        """Return how long they are still not to be asked; a clock that was set back never makes it
        longer than it was.
        """
        if self.until is None:
            return NONE
        return min(max(self.until - now, NONE), self.lasts)

    def after_silence(self, now: datetime) -> Pause:
        """Return the pause after one more silence: twice as long as the last one. Those who had
        asked at the same time and come later do not make it longer.
        """
        if self.left(now):
            return self
        lasts = min(max(2 * self.lasts, FIRST), LONGEST)
        return Pause(lasts, now + lasts)
