"""How often requests are let through: counted per webhook, per channel and per client address."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

# A clock that is read in floating point may end a wait this much too early.
TOLERANCE_S = 0.001


class Scope(Enum):
    """Whose requests a limit counts: of one webhook, of a channel, of the client's address."""

    USER = "user"
    SHARED = "shared"
    GLOBAL = "global"


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds."""

    count: int
    period_s: float


@dataclass(frozen=True)
class Limits:
    """The limits of the service; a client must not know them.

    user             requests to one webhook
    shared           messages in one channel, whichever webhook posts them
    everywhere       requests of one client address
    invalid_answers  answers of 401, 403 and 429 in ten minutes, then the address is shut out
    body_bytes       size of a body
    """

    user: Rate = Rate(5, 2.0)
    shared: Rate = Rate(30, 60.0)
    everywhere: Rate = Rate(50, 1.0)
    invalid_answers: int = 10_000
    body_bytes: int = 10 * 1024 * 1024


@dataclass(frozen=True)
class Refusal:
    """A request that came too often, and whether its client had been told to wait."""

    scope: Scope
    retry_after_s: float
    is_early: bool


class Bucket:
    """Tokens that are all given back when the period of the first one taken is over."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.reset_s = -math.inf
        self._used = 0
        self._held_s = -math.inf
        self._told_s = -math.inf

    def remaining(self, now_s: float) -> int:
        """Return how many tokens are left."""
        return self.rate.count - (self._used if now_s < self.reset_s else 0)

    def take(self, now_s: float) -> None:
        """Take a token."""
        if now_s >= self.reset_s:
            self._used = 0
            self.reset_s = now_s + self.rate.period_s
        self._used += 1

    def hold(self, scope: Scope, seconds: float, now_s: float) -> Refusal:
        """Let nothing through for so long, from this request on."""
        self._held_s = max(self._held_s, now_s + seconds)
        self.tell(now_s + seconds, now_s)
        return Refusal(scope, seconds, is_early=False)

    def wait_s(self, now_s: float) -> float:
        """Return how long a request would have to wait now, in whole milliseconds."""
        until_s = self._held_s
        if self.remaining(now_s) <= 0:
            until_s = max(until_s, self.reset_s)
        return ceil_ms(until_s - now_s) if until_s > now_s + TOLERANCE_S else 0.0

    def tell(self, until_s: float, now_s: float) -> bool:
        """Note that a client was told to wait; say whether it should have known."""
        is_early = now_s < self._told_s - TOLERANCE_S
        self._told_s = max(self._told_s, until_s)
        return is_early


def ceil_ms(seconds: float) -> float:
    """Return a time in seconds, rounded up to a millisecond."""
    return math.ceil(round(seconds * 1000, 3)) / 1000


@dataclass
class Limiter:
    """All buckets of the service, and the answers that count against a client's address."""

    limits: Limits
    _buckets: dict[tuple[Scope, str], Bucket] = field(default_factory=dict)
    _invalid_s: deque[float] = field(default_factory=deque)

    def bucket(self, scope: Scope, key: str) -> Bucket:
        """Return the bucket of a webhook, a channel or, without a key, the client's address."""
        rates = {
            Scope.USER: self.limits.user,
            Scope.SHARED: self.limits.shared,
            Scope.GLOBAL: self.limits.everywhere,
        }
        return self._buckets.setdefault((scope, key), Bucket(rates[scope]))

    def admit(self, keys: dict[Scope, str], now_s: float) -> Refusal | None:
        """Take a token from each of these buckets, or none and say which refuses."""
        for scope, key in keys.items():
            bucket = self.bucket(scope, key)
            wait_s = bucket.wait_s(now_s)
            if wait_s > 0:
                return Refusal(scope, wait_s, bucket.tell(now_s + wait_s, now_s))
        for scope, key in keys.items():
            self.bucket(scope, key).take(now_s)
        return None

    def note_invalid(self, now_s: float) -> None:
        """Count an answer against the client's address."""
        self._invalid_s.append(now_s)

    def invalid_count(self, now_s: float) -> int:
        """Return how many answers of the last ten minutes count against the address."""
        while self._invalid_s and self._invalid_s[0] <= now_s - 600:
            self._invalid_s.popleft()
        return len(self._invalid_s)
