"""InfluxDB and HTCondor: whoever is killed at whatever call, each job starts once and nothing is lost."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.exactly_once.driver import Point
from tests.acceptance.exactly_once.judge import check_at_any_time, check_in_the_end, check_once, check_restarts
from tests.acceptance.exactly_once.laboratory import write_runs
from tests.acceptance.exactly_once.lives import AFTERMATH, METHODS, Lives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.acceptance.production.pair import Pair

TRIALS_AT_ONCE = 6
# A call is made for runs of this kind only; every other method is called for any run.
NEEDS = {"local.remove": "stuck", "notifier.notify": "bad", "store.history": "bad"}
MODES = ("spool", "shared")
LATER = 4


def kill_at(pair: Pair, method: str, mode: str) -> None:
    """Kill one controller after the other before and after a call of a method; new runs arrive for each."""
    folder, kinds = pair.project(mode=mode), dict[int, str]()
    points = [Point(method, 1, "before"), Point(method, 1, "after"), Point(method, LATER, "after")]
    lives = Lives()
    try:
        for number, point in enumerate([*([AFTERMATH[method]] if method in AFTERMATH else []), *points], start=1):
            kinds |= {number: "good"} | ({10 + number: NEEDS[method]} if method in NEEDS else {})
            write_runs(folder, kinds)
            was_reached = lives.live(folder, point) is None
            assert was_reached or point.number == LATER, f"{point} was never reached"
            check_at_any_time(folder)
        lives.live(folder)
    finally:
        lives.close()
    check_in_the_end(folder, kinds)
    check_once(folder, kinds)
    check_restarts(folder)


@pytest.fixture(scope="module")
def trials(pair: Pair) -> Iterator[Mapping[str, Future[None]]]:
    """All trials, several at once: they mostly wait for the pool."""
    with ThreadPoolExecutor(TRIALS_AT_ONCE) as threads:
        yield {
            method: threads.submit(kill_at, pair, method, MODES[number % 2]) for number, method in enumerate(METHODS)
        }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("method", METHODS)
def test_the_controller_is_killed(method: str, trials: Mapping[str, Future[None]]) -> None:
    """A kill of the controller before or after a call of any method loses and repeats nothing."""
    trials[method].result()
