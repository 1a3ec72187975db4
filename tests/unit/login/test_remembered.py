"""An answer that many use and one asks for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.login.errors import ProviderDown
from autoctrl.login.remembered import MOST_WAITING, Remembered
from autoctrl.testing import FakeClock

if TYPE_CHECKING:
    from autoctrl.login.remembered import Known

LIMIT_S = 60.0


class Oracle:
    """Answers 1, 2, 3 and so on, when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.entered, self.answers = threading.Event(), threading.Event()
        self.answers.set()
        self.is_down = False

    def ask(self) -> int:
        self.asked += 1
        self.entered.set()
        assert self.answers.wait(LIMIT_S)
        if self.is_down:
            message = "It is down."
            raise ProviderDown(message)
        return self.asked


def never(_: Known[int]) -> bool:
    return False


def test_one_asks_a_few_wait_and_all_others_are_told_at_once() -> None:
    """While the first answer is under way nobody asks a second time, and few threads are held."""
    oracle, clock = Oracle(), FakeClock()
    kept = Remembered(oracle.ask, clock)
    oracle.answers.clear()
    with ThreadPoolExecutor(1 + MOST_WAITING) as pool:
        first = pool.submit(kept.get, never)
        assert oracle.entered.wait(LIMIT_S)
        waiting = [pool.submit(kept.get, never) for _ in range(MOST_WAITING)]
        while kept.waiting < MOST_WAITING:
            threading.Event().wait(0.001)
        with pytest.raises(ProviderDown, match="asked by others") as said:
            kept.get(never)
        assert said.value.retry_s == 1
        oracle.answers.set()
        assert [one.result(LIMIT_S) for one in (first, *waiting)] == [1] * (1 + MOST_WAITING)
    assert oracle.asked == 1


def test_what_is_known_is_used_where_nothing_better_can_be_had() -> None:
    """A provider that stopped answering is remembered, and asked again after a growing pause."""
    oracle, clock = Oracle(), FakeClock()
    kept = Remembered(oracle.ask, clock)
    assert kept.get(never) == 1
    oracle.is_down = True
    for pause_s in (5, 10, 20):
        before = oracle.asked
        assert (kept.get(never), kept.get(never)) == (1, 1)
        assert oracle.asked == before + 1
        assert kept.failure == "It is down."
        assert kept.refusal().retry_s == pause_s
        clock.advance(pause_s)
    oracle.is_down = False
    assert (kept.get(never), kept.failure) == (oracle.asked, "")


def test_it_is_not_asked_oftener_than_is_permitted() -> None:
    """What is not good enough is asked for anew once a minute, also where that fails."""
    oracle, clock = Oracle(), FakeClock()
    kept = Remembered(oracle.ask, clock, timedelta(minutes=1))
    assert [kept.get(never) for _ in range(3)] == [1, 1, 1]
    clock.advance(60)
    oracle.is_down = True
    assert kept.get(never) == 1
    clock.advance(59)
    assert (kept.get(never), oracle.asked) == (1, 2)
    clock.advance(1)
    assert (kept.get(never), oracle.asked) == (1, 3)


def test_whoever_was_never_heard_of_is_not_asked_in_a_pause() -> None:
    """Who asks too early is told why and when to come again."""
    oracle, clock = Oracle(), FakeClock()
    kept = Remembered(oracle.ask, clock)
    oracle.is_down = True
    for _ in range(3):
        with pytest.raises(ProviderDown, match="It is down") as said:
            kept.get(never)
        assert said.value.retry_s == 5
    assert oracle.asked == 1
    oracle.is_down = False
    clock.advance(5)
    assert kept.get(never) == 2
