"""One writer at a time: the mutex on real points; see docs/decisions/0007."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.process import has_died, spell_owner, this_process
from autoctrl.stores.influx.errors import Unreachable
from autoctrl.stores.influx.points import NS_PER_S, NS_PER_US, field_text, line
from autoctrl.stores.influx.turns import (
    FAILED,
    WITHDRAWN,
    Claim,
    End,
    NextStep,
    Payload,
    State,
    claim_word,
    end_word,
    find_ahead,
    find_voids,
    first_position,
    judge,
    other_word,
)
from autoctrl.stores.influx.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.stores.influx.server import FluxRow, Server
    from autoctrl.stores.influx.view import Needs

    Work = Callable[[State, list[FluxRow], int], Payload]

TURN_S = 5.0
WAIT_S = 60.0
SHORTEST_S, LONGEST_S = 0.005, 0.025
LONGEST_QUEUE = 10
SPREAD_US = 50_000
CHANCE = random.SystemRandom()  # a forked child must not draw its parent's numbers


class _LostError(Exception):
    """This claim came to nothing; nothing of it counts."""


class _KnownError(Exception):
    """The fate of the end that was in doubt is known, so this turn has nothing to do."""


class Turn(NamedTuple):
    """A turn that has come.

    claim  by which it was reached
    state  of the mutex then
    rows   what was asked for, up to what is committed
    voids  ranks that its end declares void
    """

    claim: Claim
    state: State
    rows: list[FluxRow]
    voids: tuple[int, ...]

    @property
    def first(self) -> int:
        """The first position at which it may write."""
        return first_position(self.state, self.voids)

    def end(self, size: int) -> End:
        """Return its end, if it writes at so many positions."""
        first, before = self.first, self.state.committed.last
        return End(self.claim.rank, first, first + size - 1, before, self.voids)


class Mutex:
    """Gives turns to write; ``view`` reads what counts.

    After ``turn_s`` others take over from a holder that is silent; ``wait_s`` is how long to wait
    for a turn.
    """

    def __init__(self, server: Server, *, turn_s: float = TURN_S, wait_s: float = WAIT_S) -> None:
        self.view = View(server)
        self._server = server
        self._turn_s = turn_s
        self._wait_s = wait_s
        self._first_seen: dict[int, float] = {}

    def take_turn(self, needs: Needs | None, work: Work) -> End:
        """Write what ``work`` returns, and return the commit.

        ``work`` gets the state, what was asked for, and the first position. Whatever it raises ends
        the turn, and nothing was written. It may be called again when the claim was lost. Raises
        ``StoreError`` if others do not let go of the mutex, or the server cannot do it.
        """
        deadline = time.monotonic() + self._wait_s
        while True:
            mine = self._claim(self.view.fresh())
            try:
                turn = self._enter(mine, needs, deadline)
                payload = self._work(turn, work)
                end = turn.end(payload.size)
                self._commit(end, payload)
                state = self._settle(end, deadline)
            except _LostError:
                _pause()
            else:
                self.view.move_moment(state)
                return end

    def _check_patience(self, deadline: float, holder: Claim) -> None:
        if time.monotonic() > deadline:
            owner = spell_owner(holder.owner)
            message = (
                f"The {self._server.address} could not be written: {owner} has been writing"
                f" for more than {self._wait_s:.0f} s, or others took every turn."
            )
            raise StoreError(message, hint="Nothing was written. Try again later.")

    def _is_over(self, claim: Claim, state: State) -> bool:
        """Whether its owner may be taken for dead: a guess that costs nothing if it is wrong."""
        seen_s = time.monotonic() - self._first_seen.setdefault(claim.rank, time.monotonic())
        return (
            claim.rank in state.failed
            or claim.rank in self.view.undecided
            or claim.rank < state.now
            or seen_s > 2 * self._turn_s
            or has_died(claim.owner)
        )

    def _claim(self, state: State) -> Claim:
        over = tuple(claim.rank for claim in state.claims if self._is_over(claim, state))
        room = int(self._turn_s * NS_PER_S)
        # At least half of the time must lie between the first position that may be used and the
        # rank.
        after = max(state.committed.last * NS_PER_US, 0, *over)
        earliest = max(self.view.estimate_now() + room, after + room // 2, state.highest + 2)
        # Even, never a whole µs, so that no end (odd) and no other point of the store is at the
        # same time.
        us = earliest // NS_PER_US + CHANCE.randrange(SPREAD_US)
        rank = us * NS_PER_US + 2 * CHANCE.randrange(1, 499)
        self.view.undecided.add(rank)  # until it is over for good; only others are waited for
        return Claim(rank, this_process(), over)

    def _put(self, time_ns: int, word: str, *, patience_s: float | None = None) -> None:
        point = line("mutex", {}, [("word", field_text(word))], time_ns)
        self._server.write([point], patience_s=patience_s)

    def _enter(self, mine: Claim, needs: Needs | None, deadline: float) -> Turn:
        try:
            self._put(mine.rank, claim_word(mine))
            return self._wait_for_turn(mine, needs, deadline)
        except StoreError:
            self._withdraw(mine.rank, WITHDRAWN)
            raise

    def _wait_for_turn(self, mine: Claim, needs: Needs | None, deadline: float) -> Turn:
        is_established = False
        while True:
            state, rows = self.view.look(needs, mine.rank)
            step = judge(state, mine, is_established=is_established)
            if step is NextStep.ENTER:
                return Turn(mine, state, rows, find_voids(state, mine))
            queue = find_ahead(state, mine)
            if step is NextStep.WITHDRAW or self._is_hopeless(mine, state, queue):
                self._withdraw(mine.rank, WITHDRAWN)
                self._check_patience(deadline, queue[0] if queue else mine)
                raise _LostError
            is_established = True
            _pause(len(queue))

    def _is_hopeless(self, mine: Claim, state: State, queue: list[Claim]) -> bool:
        """Whether too little time is left, or somebody ahead must be named by a new claim."""
        is_late = mine.rank - state.now < self._turn_s * NS_PER_S / 2
        return is_late or any(self._is_over(claim, state) for claim in queue)

    def _withdraw(self, rank: int, word: str) -> None:
        """Say that one's claim is over; if even that fails, the others find out by its age."""
        try:
            self._put(rank + 1, other_word(word), patience_s=0.0)
        except StoreError:
            return
        if word == WITHDRAWN:
            self.view.undecided.discard(rank)

    def _work(self, turn: Turn, work: Work) -> Payload:
        rank = turn.claim.rank
        try:
            payload = work(turn.state, turn.rows, turn.first)
        except BaseException:
            self._withdraw(rank, WITHDRAWN)
            raise
        if (turn.first + payload.size) * NS_PER_US > rank:
            self._withdraw(rank, WITHDRAWN)
            if payload.size * NS_PER_US > self._turn_s * NS_PER_S / 2:
                message = f"A batch of {payload.size} records is too large for one turn."
                raise StoreError(message, hint="Append fewer records at once.")
            raise _LostError
        return payload

    def _commit(self, end: End, payload: Payload) -> None:
        """Write the points, and when they are acknowledged the end that makes them count."""
        word = field_text(end_word(end))
        fence = [line("fence", {}, [("word", word)], end.rank + 1)] if end.voids else []
        try:
            self._server.write(fence + payload.lines)
        except BaseException:
            self._withdraw(end.rank, FAILED)
            raise
        try:
            self._put(end.rank + 1, end_word(end))
        except StoreError as error:
            if not self._find_fate(end):
                message = f"{error.message} Nothing of the batch counts."
                raise StoreError(message, hint=error.hint) from error

    def _find_fate(self, end: End) -> bool:
        """Return whether an end in doubt is there; if not, a turn of ours declares it void."""

        def write_nothing(state: State, rows: list[FluxRow], first: int) -> Payload:
            del state, rows, first
            if end.rank in self.view.fates:
                raise _KnownError
            return Payload([], 1)

        try:
            self.take_turn(None, write_nothing)
        except _KnownError:
            pass
        except Unreachable as error:
            message = f"{error.message} Whether the last batch was written is not known."
            hint = f"{error.hint} Then read again and decide anew."
            raise StoreError(message, hint=hint) from error
        return self.view.fates.get(end.rank, False)

    def _settle(self, end: End, deadline: float) -> State:
        """Return the state in which the end holds for ever.

        Raises ``_LostError`` if it was declared void.
        """
        while True:
            state = self.view.look().state
            if end.rank not in self.view.fates:
                blockers = [claim for claim in state.claims if end.rank in claim.names]
                if all(self._is_over(claim, state) for claim in blockers):
                    self._find_fate(end)
                else:
                    self._check_patience(deadline, blockers[-1])
                    _pause()
                    continue
            if not self.view.fates.pop(end.rank, False):
                raise _LostError
            return state


def _pause(length: int = 1) -> None:
    """Wait a while before the next reading, longer at the end of a queue."""
    time.sleep(CHANCE.uniform(SHORTEST_S, LONGEST_S) * min(length, LONGEST_QUEUE))
