"""How long a notifier may take before somebody ends its process."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_S = 8.0
SPARE_S = 2.0
REQUEST_S = 5.0
LEAST_S = 1.0


def time_left_s() -> float:
    """Return the seconds that one message may take from now on, none or less if it is too late.

    A process that sends messages has an alarm of the kernel, which ends it: what is under way then
    counts as perhaps told, so that nothing is begun that will not be finished.
    """
    alarm_s, _ = signal.getitimer(signal.ITIMER_REAL)
    return min(LONGEST_S, alarm_s - SPARE_S) if alarm_s else LONGEST_S


class Patience:
    """The time for one question to a service, asked again as long as the service wants that."""

    def __init__(
        self,
        request_s: float = REQUEST_S,
        *,
        time_left: Callable[[], float] = time_left_s,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Give ``request_s`` at most to one request."""
        self._most_s, self._time_left = request_s, time_left
        self._now, self._sleep = now, sleep
        self._ends = 0.0

    def begin(self) -> None:
        """Begin with a question."""
        self._ends = self._now() + self._time_left()

    @property
    def left_s(self) -> float:
        """The seconds that are left for the question."""
        return self._ends - self._now()

    @property
    def request_s(self) -> float:
        """How long the next request may take; one is always tried."""
        return min(self._most_s, max(self.left_s, LEAST_S))

    def wait(self, seconds: float | None) -> bool:
        """Wait, and return True, if a request can follow within the time that is left."""
        if seconds is None or seconds + LEAST_S > self.left_s:
            return False
        self._sleep(max(seconds, LEAST_S / 2))
        return True
