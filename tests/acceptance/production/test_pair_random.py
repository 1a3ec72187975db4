"""InfluxDB, schedd and controller are killed or stopped at random times while new runs keep
arriving.
"""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.exactly_once.judge import check_at_any_time, check_in_the_end, check_restarts
from tests.acceptance.exactly_once.laboratory import write_runs
from tests.acceptance.exactly_once.loops import children, finish, kill, loop
from tests.acceptance.production.pair import CHAIN, SHORT, process_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.acceptance.production.pair import Pair

    Hurt = Callable[[Pair, int, float], None]

LONG = 20
SHORTEST_S, LONGEST_S = 0.5, 2.5
LONGEST_OUTAGE_S = 6.5  # beyond the deadline of a question
LOOK_EVERY = 4
PATIENCE_S = 600.0


def kill_loop(_: Pair, pid: int, __: float) -> None:
    kill([pid])


def kill_controller(_: Pair, pid: int, __: float) -> None:
    kill([pid, *children(pid)])


def kill_schedd(pair: Pair, _: int, __: float) -> None:
    os.kill(process_of(pair.pool), signal.SIGKILL)


def kill_influxdb(pair: Pair, _: int, outage_s: float) -> None:
    pair.influx.kill()
    time.sleep(outage_s)
    pair.influx.start()


def stop_schedd(pair: Pair, _: int, outage_s: float) -> None:
    stop(process_of(pair.pool), outage_s)


def stop_influxdb(pair: Pair, _: int, outage_s: float) -> None:
    stop(process_of(pair.influx), outage_s)


def stop(pid: int, outage_s: float) -> None:
    """Let a process stand still for some time."""
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(outage_s)
    finally:
        os.kill(pid, signal.SIGCONT)


DISTURBANCES: Mapping[str, Hurt] = {
    "the loop is killed": kill_loop,
    "the loop and its workers are killed": kill_controller,
    "the schedd is killed": kill_schedd,
    "the InfluxDB is killed": kill_influxdb,
    "the schedd stands still": stop_schedd,
    "the InfluxDB stands still": stop_influxdb,
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["spool"])
def test_random_disturbances(pair: Pair, mode: str, is_long: bool) -> None:  # noqa: FBT001 - a fixture
    """Whatever is killed or stands still, in the end all is done, nothing twice, nothing lost."""
    folder, kinds = pair.project([*CHAIN, "bad"], mode, **SHORT), dict[int, str]()
    dice = random.Random(5)
    order = [*DISTURBANCES] * (LONG if is_long else 1)
    dice.shuffle(order)
    process = loop(folder)
    try:
        for number, name in enumerate(order, start=1):
            kinds[number] = "good" if dice.random() < 0.85 else "bad"
            write_runs(folder, kinds)
            if process.poll() is not None:
                process = loop(folder)
            time.sleep(dice.uniform(SHORTEST_S, LONGEST_S))
            DISTURBANCES[name](pair, process.pid, dice.uniform(0, LONGEST_OUTAGE_S))
            if number % LOOK_EVERY == 0:
                check_at_any_time(folder)
    finally:
        process.kill()
        process.wait()
        pair.influx.start()
    finish(folder, PATIENCE_S)
    check_in_the_end(folder, kinds)
    check_restarts(folder, most_starts=len(order))
