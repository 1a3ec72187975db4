"""What of the store counts, as the newest reading of the mutex's words shows it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.stores.influx import flux
from autoctrl.stores.influx.points import NS_PER_S, NS_PER_US
from autoctrl.stores.influx.server import FluxRow, of_stream, parse_time
from autoctrl.stores.influx.turns import BEGINNING, End, Hole, State, read_end, read_state, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autoctrl.stores.influx.server import Server

    Needs = Callable[[int], str]  # committed position -> streams of a script

WINDOWS_S = (600, 86_400, 60 * 86_400, flux.WHOLE_S)
SLACK_S = 5
FRESH_S = 10.0
ENDS_AT_ONCE = 50
OPENED = 'mutex word="{\\"word\\":\\"opened\\"}"'


class Reading(NamedTuple):
    """What one reading has found.

    state  of the mutex
    rows   what was asked for besides, up to the committed position of the state
    """

    state: State
    rows: list[FluxRow]


class WordRows(NamedTuple):
    """Words of the mutex as a query has found them.

    rows    one for each word, oldest first
    back_s  how far before the server's present time the query began
    """

    rows: list[FluxRow]
    back_s: int

    def read(self, since: int = 0, mine: int = 0) -> State:
        """Return the state that the words from a rank on describe; ``mine``: see ``read_state``."""
        now = parse_time(self.rows[0].extra["_start"]) + self.back_s * NS_PER_S
        words = ((row.time, row.value) for row in self.rows if row.time >= since)
        return read_state(now, words, mine)


class View:
    """Reads the state of the mutex, and everything else up to what is committed.

    ``undecided`` are the ranks of this client's claims whose outcome it has not seen yet; ``fates``
    says of others whether their end holds.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._bucket = server.address.bucket
        self._known: State | None = None
        self._read_at = 0.0
        self._pinned: State | None = None
        # Positions that do not count though committed, by the rank of the end that says so.
        self._holes: dict[int, Hole] = {}
        self.undecided: set[int] = set()
        self.fates: dict[int, bool] = {}

    @property
    def committed(self) -> int:
        """The newest position that counts, as of the last reading."""
        return self._base.last

    @property
    def _base(self) -> End:
        return self._known.committed if self._known else BEGINNING

    def counts(self, position: int) -> bool:
        """Whether what lies at a position counts, as of the last reading."""
        is_in_hole = any(hole.after < position < hole.before for hole in self._holes.values())
        return position <= self.committed and not is_in_hole

    def estimate_now(self) -> int:
        """Return about what the server's clock says now; only to choose convenient numbers."""
        if self._known is None:
            return 0
        return self._known.now + int((time.monotonic() - self._read_at) * NS_PER_S)

    def fresh(self) -> State:
        """Return a state that is a little old at most, enough to choose a rank by."""
        if self._known and time.monotonic() - self._read_at < FRESH_S:
            return self._known
        return self.look().state

    @property
    def is_in_moment(self) -> bool:
        """Whether ``read`` shows the state of a moment instead of the newest."""
        return self._pinned is not None

    @contextmanager
    def moment(self, needs: Needs) -> Iterator[list[FluxRow]]:
        """Let ``read`` show one state within the block, and yield what is asked for as of it."""
        self._pinned, rows = self.look(needs)
        try:
            yield rows
        finally:
            self._pinned = None

    def move_moment(self, state: State) -> None:
        """Go on with a later state, if in a moment, so that one reads what one has written."""
        self._pinned = state if self._pinned else None

    def read(self, needs: Needs) -> Reading:
        """Read what is asked for, as of the moment that holds, or of now."""
        pinned = self._pinned
        if pinned is None:
            return self.look(needs)
        return Reading(pinned, self._server.query(needs(pinned.committed.last)))

    def look(self, needs: Needs | None = None, mine: int = 0) -> Reading:
        """Read the state of now, and what is asked for besides; ``mine``: see ``read_state``."""
        if self._known is None:
            self._open()
        base = self._base
        words, rows = self._read_since(base, needs(base.last) if needs else "")
        state = self._take(words.read(base.rank, mine))
        if needs and state.committed.rank != base.rank:
            rows = self._server.query(needs(state.committed.last))
        return Reading(state, rows)

    def _read_since(self, base: End, asked: str) -> tuple[WordRows, list[FluxRow]]:
        back_s = SLACK_S + max(0, self.estimate_now() - base.rank) // NS_PER_S
        rows = self._server.query(flux.words(self._bucket, back_s) + asked)
        words = of_stream(rows, "words")
        others = [row for row in rows if row.result != "words"]
        if any(row.time == base.rank + 1 for row in words):
            return WordRows(words, back_s), others
        # A clock has jumped, and the base is out of sight.
        return self._find_words(flux.WHOLE_S), others

    def _find_words(self, back_s: int) -> WordRows:
        return WordRows(self._server.query(flux.words(self._bucket, back_s)), back_s)

    def _take(self, state: State) -> State:
        for end in state.ends:
            if end.hole is not None and end.rank <= state.committed.rank:
                self._holes[end.rank] = end.hole
        # Readings overlap at the base, so each of our own claims is seen before the base passes it.
        for rank in [rank for rank in self.undecided if rank <= state.committed.rank]:
            self.fates[rank] = state.ended(rank) is not None
            self.undecided.discard(rank)
        self._known, self._read_at = state, time.monotonic()
        return state

    def _open(self) -> None:
        """Read for the first time: back to an end that holds, and all holes before it."""
        words = WordRows([], 0)
        for back_s in WINDOWS_S:
            words = self._find_words(back_s)
            if words.rows and words.read().committed != BEGINNING:
                break
        if not words.rows:
            # Without a time of its own the point gets the server's, which is all it is for.
            self._server.write([OPENED])
            words = self._find_words(words.back_s)
        state = self._take(words.read())
        conditions = [flux.measurement("fence")]
        span = flux.Positions(0, state.highest // NS_PER_US)
        fences = self._server.query(flux.select(self._bucket, "fence", conditions, span))
        for start in range(0, len(fences), ENDS_AT_ONCE):
            self._learn_holes(fences[start : start + ENDS_AT_ONCE])

    def _learn_holes(self, fences: list[FluxRow]) -> None:
        """Learn the holes of those announced ends that were then written."""
        asked = "".join(flux.at_time(self._bucket, "mutex", row.time) for row in fences)
        found = [read_end(row.value) for row in self._server.query(asked)]
        for end in settle(end for end in found if end is not None).ends:
            if end.hole is not None:
                self._holes[end.rank] = end.hole
