"""One writer at a time, and what of the store counts: the mutex on real points; see
docs/decisions/0007.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.process import has_died, spell_owner, this_process
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.errors import Unreachable
from autoctrl.stores.influx.points import field_text, line
from autoctrl.stores.influx.server import SECOND_NS, Row, parse_time
from autoctrl.stores.influx.turns import (
    BEGINNING,
    FAILED,
    NS_PER_US,
    WITHDRAWN,
    Claim,
    End,
    Hole,
    State,
    Step,
    ahead,
    claim_word,
    end_word,
    first_position,
    holding,
    judge,
    other_word,
    read_end,
    read_state,
    to_void,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autoctrl.stores.influx.server import Server

    Needs = Callable[[int], str]  # committed position -> streams of a script

TURN_S = 5.0
WAIT_S = 60.0
WINDOWS_S = (600, 86_400, 60 * 86_400, flux.WHOLE_S)
SLACK_S = 5
FRESH_S = 10.0
SHORTEST_S, LONGEST_S = 0.005, 0.025
LONGEST_QUEUE = 10
SPREAD_US = 50_000
ENDS_AT_ONCE = 50
CHANCE = random.SystemRandom()  # a forked child must not draw its parent's numbers


class Batch(NamedTuple):
    """What a turn writes.

    lines  points at positions from the first one given, without gap or repetition
    size   how many positions they take, at least one
    """

    lines: list[str]
    size: int


class _LostError(Exception):
    """This claim came to nothing; nothing of it counts."""


class _KnownError(Exception):
    """The fate of the end that was in doubt is known, so this turn has nothing to do."""


class Mutex:
    """Gives turns. After ``turn_s`` others take over from a holder that is silent; ``wait_s`` is
    how long to wait.

    ``holes`` are the positions that do not count though they are committed.
    """

    def __init__(self, server: Server, *, turn_s: float = TURN_S, wait_s: float = WAIT_S) -> None:
        self._server = server
        self._turn_s = turn_s
        self._wait_s = wait_s
        self._known: State | None = None
        self._read_at = 0.0
        self._holes: dict[int, Hole] = {}
        self._given_up: set[int] = set()
        self._fates: dict[int, bool] = {}
        self._pinned: State | None = None
        self._first_seen: dict[int, float] = {}

    @property
    def committed(self) -> int:
        """The newest position that counts, as of the last reading."""
        return self._known.committed.last if self._known else 0

    def counts(self, position: int) -> bool:
        """Say whether what lies at a position counts, as of the last reading."""
        inside = any(hole.after < position < hole.before for hole in self._holes.values())
        return position <= self.committed and not inside

    @contextmanager
    def moment(self, needs: Needs | None = None) -> Iterator[list[Row]]:
        """Let all readings within that are not for a turn be as of one state; yield what is asked
        for as of it.

        Within another moment it is that one's state, and nothing is read.
        """
        before = self._pinned
        rows: list[Row] = []
        if before is None:
            self._pinned, rows = self.look(needs)
        try:
            yield rows
        finally:
            self._pinned = before

    def read(self, needs: Needs) -> tuple[State, list[Row]]:
        """Read what is asked for up to the committed position of now, or of the moment that
        ``moment`` holds.
        """
        pinned = self._pinned
        if pinned is None:
            return self.look(needs)
        return pinned, self._server.query(needs(pinned.committed.last))

    def look(self, needs: Needs | None = None, mine: int = 0) -> tuple[State, list[Row]]:
        """Read the state, and what is asked for besides up to the committed position; ``mine``: see
        ``read_state``.
        """
        if self._known is None:
            self._open()
        base = self._base
        back_s = SLACK_S + max(0, self._estimate() - base.rank) // SECOND_NS
        asked = needs(base.last) if needs else ""
        rows = self._server.query(flux.words(self._server.address.bucket, back_s) + asked)
        words = [row for row in rows if row.result == "words"]
        if not any(
            row.time == base.rank + 1 for row in words
        ):  # a clock has jumped: the base is out of sight
            back_s = flux.WHOLE_S
            words = self._words(back_s)
        state = self._take([row for row in words if row.time >= base.rank], back_s, mine)
        if needs and state.committed.rank != base.rank:
            return state, self._server.query(needs(state.committed.last))
        return state, [row for row in rows if row.result != "words"]

    @property
    def _base(self) -> End:
        return self._known.committed if self._known else BEGINNING

    def _estimate(self) -> int:
        """Return about what the server's clock says now; only to choose convenient numbers."""
        known = self._known
        return known.now + int((time.monotonic() - self._read_at) * SECOND_NS) if known else 0

    def _words(self, back_s: int) -> list[Row]:
        return self._server.query(flux.words(self._server.address.bucket, back_s))

    def _take(self, words: list[Row], back_s: int, mine: int = 0) -> State:
        now = parse_time(words[0].extra["_start"]) + back_s * SECOND_NS
        state = read_state(now, ((row.time, row.value) for row in words), mine)
        for end in state.ends:
            if end.hole is not None and end.rank <= state.committed.rank:
                self._holes[end.rank] = end.hole
        # Readings overlap at the base, so each of our own claims is seen before the base passes it.
        for rank in [rank for rank in self._given_up if rank <= state.committed.rank]:
            self._fates[rank] = state.ended(rank) is not None
            self._given_up.discard(rank)
        self._known, self._read_at = state, time.monotonic()
        return state

    def _open(self) -> None:
        """Read for the first time: look back as far as needed for an end that holds, and at all
        earlier holes.
        """
        words: list[Row] = []
        for back_s in WINDOWS_S:
            words = self._words(back_s)
            if (
                words
                and read_state(0, ((row.time, row.value) for row in words)).committed != BEGINNING
            ):
                break
        if not words:
            # Without a time of its own the point gets the server's, which is all it is for.
            self._server.write(['mutex word="{\\"word\\":\\"opened\\"}"'])
            words = self._words(back_s)
        state = self._take(words, back_s)
        fences = self._stream("fence", [], 0, state.highest // NS_PER_US)
        for start in range(0, len(fences), ENDS_AT_ONCE):
            self._learn_holes(fences[start : start + ENDS_AT_ONCE])

    def _stream(self, measurement: str, conditions: list[str], since: int, upto: int) -> list[Row]:
        bucket = self._server.address.bucket
        chosen = [flux.measurement(measurement), *conditions]
        return self._server.query(flux.select(bucket, measurement, chosen, (since, upto)))

    def _learn_holes(self, fences: list[Row]) -> None:
        """Of the announced ends with holes take those that were then written."""
        bucket = self._server.address.bucket
        times = [row.time for row in fences]
        ends: list[End] = []
        for row in self._server.query(
            "".join(flux.at_time(bucket, "mutex", time_ns) for time_ns in times)
        ):
            end = read_end(row.value)
            if end is not None:
                ends.append(end)
        for end in holding(ends)[0]:
            if end.hole is not None:
                self._holes[end.rank] = end.hole

    def turn(self, needs: Needs | None, work: Callable[[State, list[Row], int], Batch]) -> End:
        """Write what ``work`` returns for the state, what was asked for, and the first position;
        return the commit.

        Whatever ``work`` raises ends the turn, and nothing was written. It may be called again when
        the claim was lost. Raises ``StoreError`` if others do not let go of the mutex, or the
        server cannot do it.
        """
        deadline = time.monotonic() + self._wait_s
        while True:
            mine = self._claim(self._fresh())
            try:
                state, rows, voids = self._enter(mine, needs, deadline)
                first = first_position(state, voids)
                batch = self._work(mine, work, state, rows, first)
                end = End(mine.rank, first, first + batch.size - 1, state.committed.last, voids)
                self._commit(mine, end, batch)
                state = self._settle(end, deadline)
            except _LostError:
                _pause()
            else:
                # Who reads after having written reads what was written.
                self._pinned = state if self._pinned else None
                return end

    def _fresh(self) -> State:
        """Return the state, a little old at most: to choose a rank by and to name who is over."""
        known = self._known
        return known if known and time.monotonic() - self._read_at < FRESH_S else self.look()[0]

    def _check_patience(self, deadline: float, holder: Claim) -> None:
        if time.monotonic() > deadline:
            message = (
                f"The {self._server.address} could not be written: "
                f"{spell_owner(holder.owner)} has been writing"
                f" for more than {self._wait_s:.0f} s, or others took every turn."
            )
            raise StoreError(message, hint="Nothing was written. Try again later.")

    def _is_over(self, claim: Claim, state: State) -> bool:
        """Say whether its owner may be taken for dead: a guess that costs nothing if it is
        wrong.
        """
        seen_s = time.monotonic() - self._first_seen.setdefault(claim.rank, time.monotonic())
        return (
            claim.rank in state.failed
            or claim.rank in self._given_up
            or claim.rank < state.now
            or seen_s > 2 * self._turn_s
            or has_died(claim.owner)
        )

    def _claim(self, state: State) -> Claim:
        over = tuple(claim.rank for claim in state.claims if self._is_over(claim, state))
        room = int(self._turn_s * SECOND_NS)
        # Half of the time at least must lie between the first position that may be used and the
        # rank.
        after = max(state.committed.last * NS_PER_US, 0, *over)
        earliest = max(self._estimate() + room, after + room // 2, state.highest + 2)
        # Even, never a whole µs, so that no end (odd) and no other point of the store is at the
        # same time.
        rank = (
            earliest // NS_PER_US + CHANCE.randrange(SPREAD_US)
        ) * NS_PER_US + 2 * CHANCE.randrange(1, 499)
        self._given_up.add(rank)  # until it is over for good; only others' claims are waited for
        return Claim(rank, this_process(), over)

    def _put(self, time_ns: int, word: str, *, patience_s: float | None = None) -> None:
        self._server.write(
            [line("mutex", {}, [("word", field_text(word))], time_ns)], patience_s=patience_s
        )

    def _enter(
        self, mine: Claim, needs: Needs | None, deadline: float
    ) -> tuple[State, list[Row], tuple[int, ...]]:
        try:
            self._put(mine.rank, claim_word(mine))
            return self._when_first(mine, needs, deadline)
        except StoreError:
            self._withdraw(mine, WITHDRAWN)
            raise

    def _when_first(
        self, mine: Claim, needs: Needs | None, deadline: float
    ) -> tuple[State, list[Row], tuple[int, ...]]:
        is_established = False
        while True:
            state, rows = self.look(needs, mine.rank)
            step = judge(state, mine, is_established=is_established)
            if step is Step.ENTER:
                return state, rows, to_void(state, mine)
            queue = ahead(state, mine)
            is_late = mine.rank - state.now < self._turn_s * SECOND_NS / 2
            if (
                step is Step.WITHDRAW
                or is_late
                or any(self._is_over(claim, state) for claim in queue)
            ):
                self._withdraw(mine, WITHDRAWN)
                self._check_patience(deadline, queue[0] if queue else mine)
                raise _LostError
            is_established = True
            _pause(len(queue))

    def _withdraw(self, mine: Claim, word: str) -> None:
        """Say that the claim is over; if even that fails, the others find out by its age."""
        try:
            self._put(mine.rank + 1, other_word(word), patience_s=0.0)
        except StoreError:
            return
        if word == WITHDRAWN:
            self._given_up.discard(mine.rank)

    def _work(
        self,
        mine: Claim,
        work: Callable[[State, list[Row], int], Batch],
        state: State,
        rows: list[Row],
        first: int,
    ) -> Batch:
        try:
            batch = work(state, rows, first)
        except BaseException:
            self._withdraw(mine, WITHDRAWN)
            raise
        if (first + batch.size) * NS_PER_US > mine.rank:
            self._withdraw(mine, WITHDRAWN)
            if batch.size * NS_PER_US > self._turn_s * SECOND_NS / 2:
                message = f"A batch of {batch.size} records is too large for one turn."
                raise StoreError(message, hint="Append fewer records at once.")
            raise _LostError
        return batch

    def _commit(self, mine: Claim, end: End, batch: Batch) -> None:
        """Write the points, and when they are acknowledged the end that makes them count."""
        word = field_text(end_word(end))
        fence = [line("fence", {}, [("word", word)], mine.rank + 1)] if end.voids else []
        try:
            self._server.write(fence + batch.lines)
        except BaseException:
            self._withdraw(mine, FAILED)
            raise
        try:
            self._put(mine.rank + 1, end_word(end))
        except StoreError as error:
            if not self._is_written(end):
                message = f"{error.message} Nothing of the batch counts."
                raise StoreError(message, hint=error.hint) from error

    def _is_written(self, end: End) -> bool:
        """Find out what became of an end whose fate is in doubt: it is there, or declared void by a
        turn of ours.
        """

        def nothing(state: State, rows: list[Row], first: int) -> Batch:
            del state, rows, first
            if end.rank in self._fates:
                raise _KnownError
            return Batch([], 1)

        try:
            self.turn(None, nothing)
        except _KnownError:
            pass
        except Unreachable as error:
            message = f"{error.message} Whether the last batch was written is not known."
            raise StoreError(
                message, hint=f"{error.hint} Then read again and decide anew."
            ) from error
        return self._fates.get(end.rank, False)

    def _settle(self, end: End, deadline: float) -> State:
        """Return the state in which the end holds for ever.

        Raises ``_LostError`` if it was declared void.
        """
        while True:
            state, _ = self.look()
            if end.rank not in self._fates:
                blockers = [claim for claim in state.claims if end.rank in claim.names]
                if all(self._is_over(claim, state) for claim in blockers):
                    self._is_written(end)
                else:
                    self._check_patience(deadline, blockers[-1])
                    _pause()
                    continue
            if not self._fates.pop(end.rank, False):
                raise _LostError
            return state


def _pause(length: int = 1) -> None:
    """Wait a while before the next reading, longer at the end of a queue."""
    time.sleep(CHANCE.uniform(SHORTEST_S, LONGEST_S) * min(length, LONGEST_QUEUE))
