"""The token bucket: what an address may do, compared with counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autoctrl.hooks.rate import Rate, RateLimit

RATES = st.builds(Rate, st.sampled_from([0.5, 1.0, 8.0]), st.integers(1, 20))
# Eighths of a second: sums of them are exact.
PAUSES_S = st.lists(st.integers(0, 80).map(lambda eighths: eighths / 8), max_size=60)


def times(pauses_s: list[float]) -> list[float]:
    return [1000 + sum(pauses_s[: index + 1]) for index in range(len(pauses_s))]


@given(RATES, PAUSES_S)
def test_no_stretch_of_time_has_too_many(rate: Rate, pauses_s: list[float]) -> None:
    """In every stretch of time are at most the burst, and what the rate adds meanwhile."""
    limit = RateLimit(rate)
    admitted = [time_s for time_s in times(pauses_s) if limit.take("a", time_s) == 0]
    for first, begin_s in enumerate(admitted):
        for last, end_s in enumerate(admitted[first:], 1):
            assert last <= rate.burst + (end_s - begin_s) * rate.per_s + 1e-6


@given(RATES, PAUSES_S)
def test_who_waits_as_told_is_admitted(rate: Rate, pauses_s: list[float]) -> None:
    """After the seconds that a refusal names the next request is admitted."""
    limit = RateLimit(rate)
    for time_s in times(pauses_s):
        wait_s = limit.take("a", time_s)
        if wait_s:
            assert limit.take("a", time_s + wait_s + 1e-6) == 0
            return


@given(RATES, st.integers(1, 50))
def test_a_burst_is_admitted_whole_and_no_more(rate: Rate, asked: int) -> None:
    """At one moment the burst is admitted, and nothing beyond it."""
    limit = RateLimit(rate)
    admitted = sum(limit.take("a", 1000) == 0 for _ in range(asked))
    assert admitted == min(asked, rate.burst)


@given(RATES, PAUSES_S)
def test_keys_do_not_share(rate: Rate, pauses_s: list[float]) -> None:
    """What one key does changes nothing for another."""
    alone, beside = RateLimit(rate), RateLimit(rate)
    for time_s in times(pauses_s):
        beside.take("other", time_s)
        assert alone.take("a", time_s) == beside.take("a", time_s)


def test_a_clock_that_runs_backwards_gives_nothing() -> None:
    """An earlier time than the last one fills no bucket, then or later."""
    limit = RateLimit(Rate(1, 1))
    assert limit.take("a", 1000) == 0
    assert limit.take("a", 900) == 1
    assert limit.take("a", 1000) == 1
    assert limit.take("a", 1001) == 0


def test_full_buckets_are_forgotten() -> None:
    """A key that could do all again is not remembered."""
    limit = RateLimit(Rate(1, 5))
    for number in range(100):
        limit.take(str(number), 1000)
    assert len(limit) == 100
    limit.take("late", 1006)
    assert len(limit) == 1


def test_many_addresses_take_no_memory() -> None:
    """Beyond so many keys the further ones share one bucket, and those known keep their own."""
    limit = RateLimit(Rate(1, 2), most_keys=3)
    admitted = [limit.take(str(number), 1000) == 0 for number in range(10)]
    assert admitted == [True] * 3 + [True] * 2 + [False] * 5
    assert len(limit) == 4
    assert limit.take("0", 1000) == 0
