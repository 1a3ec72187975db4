"""What rounds decide without any process: the order of the chain, pauses, sums."""

from __future__ import annotations

import pytest

from autoctrl.machine.discover_runs import DiscoveredRuns
from autoctrl.machine.loop import next_pause
from autoctrl.machine.requests import read_summary
from autoctrl.machine.rounds import Round
from autoctrl.machine.summary import Move, Summary


def test_a_round_adds_up_what_its_cycles_did() -> None:
    """Runs that were discovered count as movement too."""
    made = Round(
        DiscoveredRuns((1, 2), (3,), ()),
        (Summary("a", moved=4, open=(1, 2)), Summary("b", open=(0, 5))),
    )
    assert (made.moved, made.processing) == (7, 7)
    assert (
        Round(DiscoveredRuns((), (), ()), ()).moved,
        Round(DiscoveredRuns((), (), ()), ()).processing,
    ) == (
        0,
        0,
    )


@pytest.mark.parametrize(
    ("moved", "processing", "is_busy", "pause_s", "expected"),
    [
        (1, 0, False, 8.0, 0.05),
        (1, 5, True, 8.0, 0.05),
        (0, 1, False, 0.1, 0.15),
        (0, 0, True, 0.1, 0.15),
        (0, 1, False, 9.0, 10.0),
        (0, 0, False, 0.05, 10.0),
    ],
)
def test_rounds_follow_quickly_while_something_moves(
    moved: int, processing: int, *, is_busy: bool, pause_s: float, expected: float
) -> None:
    """At once after movement, less and less often while jobs run, at the asked interval when
    idle.
    """
    done = Round(DiscoveredRuns((), (), ()), (Summary("a", moved=moved, open=(0, processing)),))
    assert next_pause(done, pause_s, 10.0, is_busy=is_busy) == pytest.approx(expected)


def test_no_pause_is_longer_than_asked() -> None:
    """An interval below the shortest pause is taken at its word."""
    done = Round(DiscoveredRuns((), (), ()), (Summary("a", moved=1),))
    assert next_pause(done, 1.0, 0.01, is_busy=False) == 0.01


def test_a_summary_survives_the_way_between_processes() -> None:
    """What a module's process answers is the summary again; an answer that is only an error becomes
    one.
    """
    summary = Summary("a", ("b",), {"start": 1}, 3, (1, 2), ("run 1 / a: x",), ("p",))
    assert read_summary("a", summary._asdict()) == summary
    moved = summary._replace(moves=(Move("1", "fail", "x", "/log"),), elapsed_s=0.5)
    answer = {**moved._asdict(), "open": [1, 2], "moves": [["1", "fail", "x", "/log"]]}
    assert read_summary("a", answer) == moved
    assert read_summary("a", {"error": "ended by SIGSEGV"}) == Summary(
        "a", error="ended by SIGSEGV"
    )
