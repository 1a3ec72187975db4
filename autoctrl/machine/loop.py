"""The built-in scheduler: round after round, by one process for a campaign."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from autoctrl.compose import Project
from autoctrl.errors import LeaseHeld, LeaseLost, StoreError
from autoctrl.machine.discover_runs import Arrivals
from autoctrl.machine.rounds import SHORTEST_PAUSE_S, Round, Rounds
from autoctrl.model.names import loop_lease
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autoctrl.config import Settings

PAUSE_GROWTH = 1.5
LEASE_S = 30.0
MOST_OUTAGES = 3


def loop(
    settings: Settings,
    campaign: str,
    *,
    workflows: Sequence[str] | None = None,
    every_s: float = 10.0,
    until_idle: bool = False,
    on_round: Callable[[Round], None] = lambda _: None,
) -> bool:
    """Make round after round; return whether a task failed for good or a cycle could not work in
    the last ones.

    While something moves or runs, rounds follow one another quickly; else every ``every_s``
    seconds. ``until_idle`` ends when nothing moved and nothing is processing. A store that does not
    answer is a problem of the round, and the loop goes on when it is back; with ``until_idle`` it
    raises its ``StoreError`` after three rounds in vain. Raises ``LeaseHeld`` if another loop works
    for this campaign.
    """
    with (
        Project(settings) as project,
        closing(Rounds(settings, campaign, workflows, project)) as rounds,
    ):
        name = loop_lease(campaign)
        _claim(project, name, campaign)
        is_bad, pause_s, outages = False, SHORTEST_PAUSE_S, 0
        try:
            while True:
                try:
                    _claim(project, name, campaign)
                    done = rounds.cycle(is_patient=False)
                    outages = 0
                except (LeaseHeld, LeaseLost):
                    raise
                except StoreError as error:
                    outages += 1
                    if until_idle and outages >= MOST_OUTAGES:
                        raise
                    done = Round(Arrivals((), (), (str(error),)), ())
                on_round(done)
                is_bad = is_bad or any(summary.failed for summary in done.summaries)
                if until_idle and not outages and _is_idle(done, rounds):
                    return is_bad or any(summary.error for summary in done.summaries)
                pause_s = next_pause(
                    done, pause_s, every_s, is_busy=bool(outages) or rounds.is_busy
                )
                _wait(project, name, pause_s)
        finally:
            with suppress(StoreError):  # then it runs out by itself
                project.store.lease(name, this_process(), 0)


def _is_idle(done: Round, rounds: Rounds) -> bool:
    return not (done.moved or done.processing or rounds.is_busy)


def _claim(project: Project, name: str, campaign: str) -> None:
    try:
        project.store.lease(name, this_process(), LEASE_S)
    except LeaseHeld as error:
        message = f"A loop works for campaign {campaign} already. {error.message}"
        raise LeaseHeld(message, hint="One is enough: leave it alone, or stop it first.") from error


def next_pause(done: Round, pause_s: float, every_s: float, *, is_busy: bool) -> float:
    """Return how long to wait after a round, seconds: hardly while something moves, ever longer
    while jobs run.
    """
    if done.moved:
        return min(SHORTEST_PAUSE_S, every_s)
    return min(pause_s * PAUSE_GROWTH, every_s) if done.processing or is_busy else every_s


def _wait(project: Project, name: str, pause_s: float) -> None:
    """Sleep, keeping the loop's lease while the store answers."""
    ends = time.monotonic() + pause_s
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, LEASE_S / 3))
        if left > LEASE_S / 3:
            with suppress(StoreError):  # the next round says what is wrong
                project.store.lease(name, this_process(), LEASE_S)
