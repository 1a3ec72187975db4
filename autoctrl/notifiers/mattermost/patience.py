"""How long a notifier may take: its process has ten seconds for all its messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 9.0
REQUEST_S = 5.0
LEAST_S = 1.0


class Patience:
    """The time that is left, counted from when it is first asked for."""

    def __init__(
        self,
        limit_s: float = LIMIT_S,
        request_s: float = REQUEST_S,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Have ``limit_s`` in all, ``request_s`` for one request."""
        self._limit_s, self._request_s = limit_s, request_s
        self._now, self._sleep = now, sleep
        self._ends: float | None = None

    @property
    def left_s(self) -> float:
        """The seconds that are left."""
        if self._ends is None:
            self._ends = self._now() + self._limit_s
        return self._ends - self._now()

    @property
    def request_s(self) -> float:
        """How long the next request may take; one is always tried."""
        return min(self._request_s, max(self.left_s, LEAST_S))

    def wait(self, seconds: float | None) -> bool:
        """Wait, and return True, if a request can follow within the time that is left."""
        if seconds is None or seconds + LEAST_S > self.left_s:
            return False
        self._sleep(max(seconds, LEAST_S / 2))
        return True
