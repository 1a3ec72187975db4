"""Whose turn it is to write, pure: claims and ends as they stand in the store; see
docs/decisions/0007.

A claim is a point of the measurement ``mutex`` at an even time, its *rank*; one ns later its owner
writes how it ended. The rank is also the moment (server's clock) after which others may take over,
and the last position at which its owner may write.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.stores.influx.points import NS_PER_US

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENDED, WITHDRAWN, FAILED = "end", "withdrawn", "failed"


class Payload(NamedTuple):
    """What a turn writes.

    lines  points at positions from the first one given, without gap or repetition
    size   how many positions they take, at least one
    """

    lines: list[str]
    size: int


class Claim(NamedTuple):
    """Somebody's wish to write.

    rank   ns since 1970, even and unique
    owner  which process, as ``process.this_process`` names it
    names  ranks of the claims that it takes for dead and is going to declare void
    """

    rank: int
    owner: str
    names: tuple[int, ...] = ()


class End(NamedTuple):
    """How a turn ended: its commit.

    rank         that of its claim
    first, last  the positions that were written, all of them
    previous     the last position written before
    voids        ranks of claims that never wrote and never will: whatever lies at their positions
                 does not count
    """

    rank: int
    first: int
    last: int
    previous: int
    voids: tuple[int, ...] = ()

    @property
    def hole(self) -> Hole | None:
        """The positions, both ends excluded, at which voided claims may have left something."""
        return Hole(self.previous, self.first) if self.voids else None


class Hole(NamedTuple):
    """Positions that do not count, both ends excluded."""

    after: int
    before: int


BEGINNING = End(0, 0, 0, 0)


class State(NamedTuple):
    """The mutex as one reading shows it.

    now        the server's clock, ns since 1970
    committed  the newest end that holds for ever; what is at later positions does not count (yet)
    ends       the ends that hold, by rank, from the one at which the reading began
    claims     claims of higher rank than ``committed`` that have not ended, by rank
    failed     ranks of those whose owners gave up after they may have written
    voided     ranks that somebody declared void
    """

    now: int
    committed: End
    ends: tuple[End, ...]
    claims: tuple[Claim, ...]
    failed: frozenset[int]
    voided: frozenset[int]

    @property
    def highest(self) -> int:
        """The highest rank in sight."""
        return max(
            [
                self.committed.rank,
                *(end.rank for end in self.ends),
                *(claim.rank for claim in self.claims),
            ]
        )

    def ended(self, rank: int) -> End | None:
        """Return the end of this rank if it holds, settled or not."""
        return next((end for end in self.ends if end.rank == rank), None)

    def is_contested(self, rank: int) -> bool:
        """Whether somebody who has not ended may still declare this rank void."""
        return any(rank in claim.names for claim in self.claims)


def claim_word(claim: Claim) -> str:
    """Return the text of a claim."""
    return json.dumps({"word": "claim", "owner": claim.owner, "names": claim.names})


def end_word(end: End) -> str:
    """Return the text of an end."""
    return json.dumps({"word": ENDED, **end._asdict()})


def other_word(word: str) -> str:
    """Return the text of ``withdrawn``, nothing was written, or ``failed``, something may be."""
    return json.dumps({"word": word})


def read_end(text: str) -> End | None:
    """Return the end that a text describes, None if it describes something else."""
    said = json.loads(text)
    return _end(said) if said.get("word") == ENDED else None


def _end(said: Mapping[str, Any]) -> End:
    return End(said["rank"], said["first"], said["last"], said["previous"], tuple(said["voids"]))


class Settled(NamedTuple):
    """What a set of ends comes to.

    ends    those that hold, by rank
    voided  ranks that they declare void
    """

    ends: list[End]
    voided: set[int]


def settle(ends: Iterable[End]) -> Settled:
    """Return which ends hold: all but those that one of higher rank declares void, if it holds."""
    found = Settled([], set())
    for end in sorted(ends, reverse=True):
        if end.rank not in found.voided:
            found.ends.append(end)
            found.voided.update(end.voids)
    found.ends.reverse()
    return found


class Words(NamedTuple):
    """The words of the mutex, sorted.

    claims  by rank
    ends    in the order in which they were read
    over    ``withdrawn`` or ``failed`` by the rank of the claim
    """

    claims: dict[int, Claim]
    ends: list[End]
    over: dict[int, str]

    def ranks_over(self, word: str) -> frozenset[int]:
        """Return the ranks of the claims that were over with this word."""
        return frozenset(rank for rank, said in self.over.items() if said == word)


def _sort_words(words: Iterable[tuple[int, str]]) -> Words:
    found = Words({}, [], {})
    for time, text in words:
        said = json.loads(text)
        word = said["word"]
        if word == "claim":
            found.claims[time] = Claim(time, said["owner"], tuple(said["names"]))
        elif word == ENDED:
            found.ends.append(_end(said))
        elif word in {WITHDRAWN, FAILED}:
            found.over[time - 1] = word
    return found


def read_state(now: int, words: Iterable[tuple[int, str]], mine: int = 0) -> State:
    """Return the state that the words (time, text) of the mutex describe.

    They must have been read from a settled end on, or from the first. ``mine`` is the rank of one's
    own claim while one waits: it will not void a claim that it names and that has ended after all.
    """
    said = _sort_words(words)
    settled = settle(said.ends)
    finished = {end.rank for end in said.ends} | settled.voided | said.ranks_over(WITHDRAWN)
    waiting = [said.claims[rank] for rank in sorted(said.claims.keys() - finished)]
    named = {rank for claim in waiting if claim.rank != mine for rank in claim.names}
    committed = next((end for end in reversed(settled.ends) if end.rank not in named), BEGINNING)
    left = tuple(claim for claim in waiting if claim.rank > committed.rank)
    failed, voided = said.ranks_over(FAILED), frozenset(settled.voided)
    return State(now, committed, tuple(settled.ends), left, failed, voided)


class NextStep(Enum):
    """What a claimant does next."""

    ENTER = "write"
    WAIT = "read again: those of lower rank go first"
    WITHDRAW = "begin anew"


def judge(state: State, mine: Claim, *, is_established: bool) -> NextStep:
    """Return what the owner of ``mine`` does after a reading.

    A claim is *established* if the first reading after it showed no higher rank: whoever claims
    with a higher rank from then on sees this claim and waits for it. So lower ranks go first, and
    nobody else can be inside.
    """
    is_there = any(claim.rank == mine.rank for claim in state.claims)
    is_outranked = not is_established and state.highest > mine.rank
    # Nothing may be built on an end that somebody may still declare void. That claimant waits for
    # us, so we give way.
    is_open = any(end.rank > state.committed.rank for end in state.ends)
    if not is_there or is_outranked or is_open or state.is_contested(mine.rank):
        return NextStep.WITHDRAW
    return NextStep.WAIT if find_ahead(state, mine) else NextStep.ENTER


def find_ahead(state: State, mine: Claim) -> list[Claim]:
    """Return the claims that go first: of lower rank, not over, not declared void by this one."""
    return [
        claim for claim in state.claims if claim.rank < mine.rank and claim.rank not in mine.names
    ]


def find_voids(state: State, mine: Claim) -> tuple[int, ...]:
    """Return the ranks that this claim declares void: those it named that have not ended."""
    return tuple(claim.rank for claim in state.claims if claim.rank in mine.names)


def first_position(state: State, voids: Iterable[int]) -> int:
    """Return the first position that a turn may use, after all that is or may still be written."""
    after_voids = [rank // NS_PER_US + 1 for rank in (0, *voids)]
    return max(state.now // NS_PER_US, state.committed.last + 1, *after_voids)
