"""How many requests an address may make: a token bucket for each, without a clock of its own."""

from __future__ import annotations

from typing import NamedTuple


class Rate(NamedTuple):
    """What one key may do.

    per_s  requests a second in the long run
    burst  requests that may come at once, 1 or more
    """

    per_s: float
    burst: int

    @property
    def refill_s(self) -> float:
        """How long an empty bucket takes to be full again, seconds."""
        return self.burst / self.per_s


class _Bucket(NamedTuple):
    """What was left at a time, seconds of the caller's clock."""

    left: float
    time_s: float


class RateLimit:
    """A bucket for each key; those that are full again are forgotten.

    Where there are ``most_keys`` that are not full, further keys share one bucket.
    """

    def __init__(self, rate: Rate, most_keys: int = 10_000) -> None:
        self._rate, self._most_keys = rate, most_keys
        self._buckets: dict[str, _Bucket] = {}
        self._swept_s = 0.0

    def take(self, key: str, now_s: float) -> float:
        """Take one request out of a bucket; return 0, or after how many seconds there is one again.

        ``now_s`` is any clock that does not run backwards; a time that does counts as no time.
        """
        self._sweep(now_s)
        if key not in self._buckets and len(self._buckets) >= self._most_keys:
            key = ""
        before = self._buckets.get(key, _Bucket(self._rate.burst, now_s))
        gained = max(0.0, now_s - before.time_s) * self._rate.per_s
        left = min(float(self._rate.burst), before.left + gained)
        time_s = max(now_s, before.time_s)
        if left < 1:
            self._buckets[key] = _Bucket(left, time_s)
            return (1 - left) / self._rate.per_s
        self._buckets[key] = _Bucket(left - 1, time_s)
        return 0.0

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._buckets)

    def _sweep(self, now_s: float) -> None:
        """Forget the buckets that are full by now, once in the time that one takes to be."""
        if now_s - self._swept_s < self._rate.refill_s:
            return
        self._swept_s = now_s
        self._buckets = {
            key: bucket
            for key, bucket in self._buckets.items()
            if bucket.left + (now_s - bucket.time_s) * self._rate.per_s < self._rate.burst
        }
