"""The controller is killed before and after calls of every method of every port; each job starts
once all the same.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.exactly_once.driver import Point
from tests.acceptance.exactly_once.judge import (
    check_at_any_time,
    check_in_the_end,
    check_once,
    check_restarts,
    check_told,
)
from tests.acceptance.exactly_once.laboratory import WORKFLOWS, make_project, write_runs
from tests.acceptance.exactly_once.lives import AFTERMATH, METHODS, WRITING, Lives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUNS = {1: "good", 8: "bad", 9: "stuck"}
TRIALS_AT_ONCE = 6
MOST_LIVES = 200
NEEDED = [name for name in WORKFLOWS if name != "long"]


class Trials:
    """Several trials at once, each with a controller of its own."""

    def __init__(self) -> None:
        self.free: Queue[Lives] = Queue()
        self.all = [Lives() for _ in range(TRIALS_AT_ONCE)]
        for lives in self.all:
            self.free.put(lives)

    @contextmanager
    def borrowed(self) -> Iterator[Lives]:
        """Give a process that forks controllers to one trial."""
        lives = self.free.get()
        try:
            yield lives
        finally:
            self.free.put(lives)

    def try_point(self, folder: Path, point: Point) -> bool:
        """Kill a controller at a point, let another one finish, judge; say whether the point was
        reached.
        """
        make_project(folder, NEEDED)
        write_runs(folder, RUNS)
        with self.borrowed() as lives:
            if point.method in AFTERMATH:
                assert lives.live(folder, AFTERMATH[point.method]) is None
            was_reached = lives.live(folder, point) is None
            check_at_any_time(folder)
            lives.live(folder)
        check_in_the_end(folder, RUNS)
        check_once(folder, RUNS)
        check_restarts(folder)
        check_told(folder)
        return was_reached


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    found = Trials()
    yield found
    for lives in found.all:
        lives.close()


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory, trials: Trials) -> Mapping[str, int]:
    """How often an undisturbed controller calls each method, or one that takes up what an earlier
    one left.
    """
    folder = make_project(tmp_path_factory.mktemp("counted") / "project", NEEDED)
    write_runs(folder, RUNS)
    with trials.borrowed() as lives:
        found = dict(lives.live(folder) or {})
        check_in_the_end(folder, RUNS)
        check_once(folder, RUNS)
        for method, point in AFTERMATH.items():
            folder = make_project(tmp_path_factory.mktemp("aftermath") / "project", NEEDED)
            write_runs(folder, RUNS)
            assert lives.live(folder, point) is None
            found[method] = (lives.live(folder) or {}).get(method, 0)
    return found


def points_of(method: str, total: int) -> list[Point]:
    """Return the first, the middle and the last call of a method that is called so often."""
    moments = ("before", "after") if method in WRITING else ("after",)
    return [
        Point(method, number, when)
        for number in sorted({1, (total + 1) // 2, total})
        for when in moments
    ]


@pytest.fixture(scope="module")
def reached(
    counts: Mapping[str, int], trials: Trials, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[Point, Future[bool]]]:
    """All trials, several at once: they mostly wait."""
    folder = tmp_path_factory.mktemp("killed")
    points = [point for method in METHODS for point in points_of(method, counts.get(method, 0))]
    with ThreadPoolExecutor(TRIALS_AT_ONCE) as pool:
        yield {
            point: pool.submit(trials.try_point, folder / "-".join(map(str, point[:3])), point)
            for point in points
        }


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("method", METHODS)
def test_kill_at(
    method: str, counts: Mapping[str, int], reached: Mapping[Point, Future[bool]]
) -> None:
    """A kill at the first, the middle and the last call of a method loses and repeats nothing."""
    total = counts.get(method, 0)
    assert total, f"{method} is never called here: let the project call it, or argue in NOT_CALLED"
    was_reached = {point: reached[point].result() for point in points_of(method, total)}
    assert all(was_reached[point] for point in was_reached if point.number == 1)


@pytest.mark.parametrize(
    "point",
    [
        Point("store.append", 2, "before"),
        Point("store.append", 2, "after"),
        Point("local.submit", 1, "after"),
    ],
    ids=lambda point: f"{point.method} {point.number} {point.when}",
)
def test_one_step_per_life(point: Point, trials: Trials, tmp_path: Path) -> None:
    """Controllers of which each writes or submits hardly more than once get all the work done, each
    job once.
    """
    # A call needs more than one step in one life: its intent and its result.
    folder = make_project(tmp_path / "project", [name for name in NEEDED if name != "call"])
    write_runs(folder, RUNS)
    lives = 0
    with trials.borrowed() as controller:
        while controller.live(folder, point) is None:
            lives += 1
            check_at_any_time(folder)
            assert lives < MOST_LIVES
    assert lives >= 3
    check_once(folder, RUNS)
    check_restarts(folder)
    check_in_the_end(folder, RUNS, ("call",))
