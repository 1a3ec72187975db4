"""An answer of the provider that is used again, and asked for by one thread at a time."""

from __future__ import annotations

import math
from threading import Condition
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from autoctrl.login.errors import DOWN_HINT, ProviderDown
from autoctrl.login.pause import NONE, Pause

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from autoctrl.ports import Clock

T = TypeVar("T")
MOST_WAITING = 3
SOON_S = 1
WAIT_S = 30.0  # who asks gives up much sooner
BUSY = "The provider of logins is being asked by others already."


class Known(NamedTuple, Generic[T]):
    """What was answered last, and when."""

    value: T
    at: datetime


class Remembered(Generic[T]):
    """Keeps an answer; threads may share it.

    Nobody holds a lock while the provider is asked: one asks, a few wait for that, all others use
    the last answer or, where there is none, are told so at once.
    """

    def __init__(self, ask: Callable[[], T], clock: Clock, every: timedelta = NONE) -> None:
        """Ask nothing yet; ``ask`` returns the answer or raises ``ProviderDown``, and is called
        once in ``every`` so much time at most, once there was an answer.
        """
        self._ask, self._clock, self._every = ask, clock, every
        self._changed = Condition()
        self._known: Known[T] | None = None
        self._tried: datetime | None = None
        self._failure = ""
        self._pause = Pause()
        self._is_asking = False
        self.waiting = 0

    @property
    def failure(self) -> str:
        """Why the last question had no answer, empty if it had one."""
        return self._failure

    def get(self, is_good: Callable[[Known[T]], bool]) -> T:
        """Return the last answer if it ``is_good``, else a new one; where that cannot be had now,
        the last one all the same. Raises ``ProviderDown`` if there is none.
        """
        with self._changed:
            if not self._is_due(is_good):
                return self._last()
            if self._is_asking:
                return self._wait()
            self._is_asking, self._tried = True, self._clock.now()
        try:
            self._note(self._ask())
        except ProviderDown as error:
            self._note_failure(error.message)
        finally:
            with self._changed:
                self._is_asking = False
                self._changed.notify_all()
        with self._changed:
            return self._last()

    def _is_due(self, is_good: Callable[[Known[T]], bool]) -> bool:
        now, known = self._clock.now(), self._known
        if self._pause.left(now):
            return False
        if known is None or self._tried is None:
            return True
        return not is_good(known) and now - self._tried >= self._every

    def _wait(self) -> T:
        """Wait for who asks, if few do; to be called with the lock."""
        if self.waiting < MOST_WAITING:
            self.waiting += 1
            try:
                self._changed.wait_for(lambda: not self._is_asking, WAIT_S)
            finally:
                self.waiting -= 1
        return self._last()

    def _last(self) -> T:
        if self._known is None:
            raise self.refusal()
        return self._known.value

    def refusal(self) -> ProviderDown:
        """Return why there is no answer, and when it is worth asking again."""
        left_s = self._pause.left(self._clock.now()).total_seconds()
        retry_s = max(SOON_S, math.ceil(left_s))
        return ProviderDown(self._failure or BUSY, hint=DOWN_HINT, retry_s=retry_s)

    def _note(self, value: T) -> None:
        with self._changed:
            self._known = Known(value, self._clock.now())
            self._failure, self._pause = "", Pause()

    def _note_failure(self, message: str) -> None:
        with self._changed:
            self._failure = message
            self._pause = self._pause.after_silence(self._clock.now())
