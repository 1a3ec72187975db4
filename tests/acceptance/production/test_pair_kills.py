"""InfluxDB and HTCondor: whoever is killed at whatever call, each job starts once and nothing is
lost.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from autoctrl.model.job import JobRecord
from tests.acceptance.exactly_once.driver import Point
from tests.acceptance.exactly_once.judge import (
    check_at_any_time,
    check_in_the_end,
    check_once,
    check_restarts,
    find,
)
from tests.acceptance.exactly_once.laboratory import write_runs
from tests.acceptance.exactly_once.lives import AFTERMATH, METHODS, WRITING, Lives
from tests.acceptance.production.pair import CHAIN, SHORT, blow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.acceptance.production.pair import Pair

# For machines that are many times slower; a life that stands still gives up much earlier.
PATIENCE_S = 1800
DIFFERENT = ("store.", "local.")
TRIALS_AT_ONCE = 6
# A call is made for runs of this kind only; every other method is called for any run.
NEEDS = {"local.remove": "stuck", "notifier.tell": "bad", "store.history": "bad"}
MODES = ("spool", "shared")
ALL = (*CHAIN, "bad", "stuck")
LATER = 4
RUNS = {1: "good", 2: "good", 8: "bad", 9: "stuck"}
# Before which call of a method, and after which one if it changes something, a server dies: spread
# over the work.
STORE = {
    "append": (1, 9),
    "beat": (1,),
    "check_writing": (1,),
    "close": (1,),
    "find_outputs": (1,),
    "heartbeats": (2,),
    "history": (1,),
    "lease": (3, 12),
    "marks": (9,),
    "moment": (4,),
    "open_tasks": (16,),
    "remarks": (11,),
    "runs": (13,),
    "tasks": (4,),
}
SCHEDD = {
    "acknowledge": (1, 2),
    "describe": (1,),
    "find": (1, 1),
    "place": (1,),
    "poll": (1, 3),
    "remove": (1, 1),
    "remarks": (5,),
    "result": (1,),
    "submit": (1, 2),
}
BALLAST_MB = 40
# A schedd that is back reconnects to its jobs, or starts them again; on a slow machine first one,
# then the other.
STARTS_PER_DEATH = 3
SPOOLING_S = (0.02, 0.1, 0.3)  # how long after the beginning of a submission the schedd dies


def kill_at(pair: Pair, method: str, mode: str) -> None:
    """Kill one controller after the other before and after a call of a method; new runs arrive for
    each.

    Where the call only reads, before and after are the same moment, and one controller is enough.
    """
    needed = [NEEDS[method]] if method in NEEDS else []
    folder, kinds = pair.project([*CHAIN, *needed], mode), dict[int, str]()
    points = [Point(method, 1, "after")]
    if method in WRITING:
        points = [Point(method, 1, "before"), *points, Point(method, LATER, "after")]
    lives = Lives()
    try:
        for number, point in enumerate(
            [*([AFTERMATH[method]] if method in AFTERMATH else []), *points], start=1
        ):
            kinds |= {number: "good"} | ({10 + number: needed[0]} if needed else {})
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


def chosen(config: pytest.Config) -> list[str]:
    """Return the methods of ports whose adapter is another than in the embedded form.

    With ``--long`` all: inline calls, sources and notifiers are the same code in both forms.
    """
    is_long = config.getoption("--long")
    return [name for name in METHODS if is_long or name.startswith(DIFFERENT)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test of kills every method that is chosen."""
    if "method" in metafunc.fixturenames:
        metafunc.parametrize("method", chosen(metafunc.config))


@pytest.fixture(scope="module")
def trials(pair: Pair, pytestconfig: pytest.Config) -> Iterator[Mapping[str, Future[None]]]:
    """All trials, several at once: they mostly wait for the pool."""
    with ThreadPoolExecutor(TRIALS_AT_ONCE) as threads:
        yield {
            method: threads.submit(kill_at, pair, method, MODES[number % 2])
            for number, method in enumerate(chosen(pytestconfig))
        }


@pytest.mark.timeout(PATIENCE_S)
def test_the_controller_is_killed(method: str, trials: Mapping[str, Future[None]]) -> None:
    """A kill of the controller before or after a call of any method loses and repeats nothing."""
    trials[method].result()


def points_of(
    port: str, calls: Mapping[str, tuple[int, ...]], command: tuple[str, ...]
) -> list[Point]:
    """Return the points at which a server dies; every method of the port has one or two."""
    wanted = {name.partition(".")[2] for name in METHODS if name.startswith(f"{port}.")}
    assert calls.keys() == wanted, "say when the server dies at a method that is new"
    moments = [(f"{port}.{method}", number) for method, number in calls.items()]
    return [
        Point(method, number, when, command)
        for method, numbers in moments
        for number, when in zip(numbers, ("before", "after"), strict=False)
    ]


def live_through(folder: Path, kinds: Mapping[int, str], points: list[Point]) -> None:
    """Let one controller work while a server dies at all these points; judge."""
    write_runs(folder, kinds)
    lives = Lives()
    try:
        counts = lives.live(folder, *points) or {}
    finally:
        lives.close()
    check_in_the_end(folder, kinds)
    check_restarts(folder, most_starts=STARTS_PER_DEATH * len(points))
    assert not [point for point in points if counts.get(point.method, 0) < point.number], counts


@pytest.mark.timeout(PATIENCE_S)
def test_influxdb_is_killed(pair: Pair) -> None:
    """An InfluxDB that dies before or after any question to it costs time: nothing is lost, each
    job starts once.
    """
    folder = pair.project(ALL)
    try:
        live_through(folder, RUNS, points_of("store", STORE, blow(pair.influx)))
        check_once(folder, RUNS)
    finally:
        pair.influx.start()


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize("mode", MODES)
def test_the_schedd_is_killed(pair: Pair, mode: str) -> None:
    """A schedd that dies before, in or after any question to it loses no job, and starts again what
    it must only.
    """
    ballast = pair.pool.fresh_folder() / "ballast"
    ballast.write_bytes(bytes(BALLAST_MB << 20))
    folder = pair.project(ALL, mode, transfer_input=ballast if mode == "spool" else "", **SHORT)
    points = points_of("local", SCHEDD, blow(pair.pool))
    points += [
        Point("local.submit", number, "before", blow(pair.pool, after_s))
        for number, after_s in enumerate(SPOOLING_S, start=3)
    ]
    live_through(folder, RUNS, points)
    jobs = [record for record in find(folder).records if isinstance(record, JobRecord)]
    assert {job.key.task.workflow for job in jobs if job.attempt > 1} == {"bad"}, (
        "an attempt was given up"
    )
