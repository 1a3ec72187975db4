"""The built-in scheduler: round after round, by one process for a campaign."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from autoctrl.errors import LeaseHeld, LeaseLost, StoreError
from autoctrl.machine.discover_runs import DiscoveredRuns
from autoctrl.machine.inquiry import SHORTEST_PAUSE_S
from autoctrl.machine.rounds import Round, Rounds
from autoctrl.machine.wake import Sleeper
from autoctrl.model.names import loop_lease
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autoctrl.machine.inquiry import OpenProject
    from autoctrl.ports import Store

PAUSE_GROWTH = 1.5
TELLING_PAUSE_S = 1.0
LEASE_S = 30.0
MOST_OUTAGES = 3
RESTLESS_ROUNDS = 5


def loop(
    project: OpenProject,
    campaign: str,
    *,
    workflows: Sequence[str] | None = None,
    every_s: float = 10.0,
    until_idle: bool = False,
    on_round: Callable[[Round], None] = lambda _: None,
) -> bool:
    """Make round after round; return whether anything failed.

    That is a task that failed for good, or a workflow whose cycle could not work in the last round.
    While something moves or runs, rounds follow one another quickly; else every ``every_s``
    seconds, or when somebody wakes the loop. ``until_idle`` ends when nothing moved and nothing is
    processing. A store that does not answer is a problem of the round, and the loop goes on when it
    is back; with ``until_idle`` it raises its ``StoreError`` after three rounds in vain. Raises
    ``LeaseHeld`` if another loop works for this campaign.
    """
    with (
        closing(Rounds(project, campaign, workflows)) as rounds,
        _only_loop(project.store, campaign) as lease,
    ):
        attempts = _Attempts(rounds, lease, until_idle=until_idle)
        sleeper = Sleeper(project.settings.state_folder)
        has_failed, pause_s = False, SHORTEST_PAUSE_S
        while True:
            sleeper.prepare()
            done = attempts.next_round()
            on_round(done)
            has_failed = has_failed or any(summary.failed for summary in done.summaries)
            if until_idle and is_idle(done, is_busy=attempts.is_busy):
                rounds.finish()
                return has_failed or any(summary.error for summary in done.summaries)
            pause_s = next_pause(done, pause_s, every_s, is_busy=attempts.is_busy)
            # What notifiers have done is written down soon, before anybody tells it again.
            lease.wait(min(pause_s, TELLING_PAUSE_S) if rounds.is_telling else pause_s, sleeper)


class _Attempts:
    """Rounds in spite of a store that does not always answer."""

    def __init__(self, rounds: Rounds, lease: _LoopLease, *, until_idle: bool) -> None:
        self._rounds, self._lease, self._until_idle = rounds, lease, until_idle
        self._outages = self._restless = 0

    @property
    def is_busy(self) -> bool:
        """Whether the last round could not be made, or a module still works for it."""
        return self._outages > 0 or self._rounds.is_busy

    def next_round(self) -> Round:
        """Make a round; a store that does not answer is a problem of it.

        Modules that take long, each in turn, would let no round end with all of them idle: before
        that is taken for work, one round waits for all.
        """
        try:
            self._lease.claim()
            done = self._rounds.cycle(is_patient=self._restless >= RESTLESS_ROUNDS)
        except StoreError as error:
            self._outages += 1
            if is_fatal(error, self._outages, until_idle=self._until_idle):
                raise
            return Round(DiscoveredRuns((), (), (str(error),)), ())
        self._outages = 0
        is_restless = self._until_idle and self.is_busy and is_idle(done, is_busy=False)
        self._restless = self._restless + 1 if is_restless else 0
        return done


def is_fatal(error: StoreError, outages: int, *, until_idle: bool) -> bool:
    """Say whether the loop ends: its lease is somebody else's, or the store was away too often."""
    is_displaced = isinstance(error, LeaseHeld | LeaseLost)
    return is_displaced or (until_idle and outages >= MOST_OUTAGES)


def is_idle(done: Round, *, is_busy: bool) -> bool:
    """Say whether nothing moved, nothing runs and no module is at work."""
    return not (done.moved or done.processing or is_busy)


def next_pause(done: Round, pause_s: float, every_s: float, *, is_busy: bool) -> float:
    """Return how long to wait after a round, seconds.

    Hardly at all while something moves, ever longer while jobs run.
    """
    if done.moved:
        return min(SHORTEST_PAUSE_S, every_s)
    return min(pause_s * PAUSE_GROWTH, every_s) if done.processing or is_busy else every_s


class _LoopLease:
    """The lease by which there is one loop for a campaign."""

    def __init__(self, store: Store, campaign: str) -> None:
        self._store, self._campaign = store, campaign
        self._name = loop_lease(campaign)

    def claim(self) -> None:
        """Claim or renew it. Raises ``LeaseHeld`` if another loop has it."""
        try:
            self._store.lease(self._name, this_process(), LEASE_S)
        except LeaseHeld as error:
            message = f"A loop is already running for campaign {self._campaign}. {error.message}"
            hint = "One is enough: leave it alone, or stop it first."
            raise LeaseHeld(message, hint=hint) from error

    def wait(self, pause_s: float, sleeper: Sleeper) -> None:
        """Sleep, unless somebody wakes us, and keep the lease while the store answers."""
        ends = time.monotonic() + pause_s
        while (left := ends - time.monotonic()) > 0:
            if sleeper.sleep(min(left, LEASE_S / 3)):
                return
            if left > LEASE_S / 3:
                with suppress(StoreError):  # the next round says what is wrong
                    self._store.lease(self._name, this_process(), LEASE_S)

    def give_up(self) -> None:
        """Give it up; where the store does not answer, it runs out by itself."""
        with suppress(StoreError):
            self._store.lease(self._name, this_process(), 0)


@contextmanager
def _only_loop(store: Store, campaign: str) -> Iterator[_LoopLease]:
    lease = _LoopLease(store, campaign)
    lease.claim()
    try:
        yield lease
    finally:
        lease.give_up()
