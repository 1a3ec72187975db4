"""Whose turn it is to write, pure: claims and ends as they stand in the store; see
docs/decisions/0007.

A claim is a point of the measurement ``mutex`` at an even time, its *rank*; one ns later its owner
writes how it ended. The rank is at the same time the moment (server's clock) after which others may
take over, and the last position at which its owner may write.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

NS_PER_US = 1000
ENDED, WITHDRAWN, FAILED = "end", "withdrawn", "failed"


class Claim(NamedTuple):
    """Somebody's wish to write.

    rank   ns since 1970, even and unique
    owner  which process, as ``owner.this_process`` names it
    names  ranks of the claims that it takes for dead and will declare void
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
    ends       the ends that hold, by rank, from the one on from which was read
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
    def holes(self) -> list[Hole]:
        """The holes that the read ends declare."""
        return [end.hole for end in self.ends if end.hole is not None]

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
        """Say whether somebody who has not ended may still declare this rank void."""
        return any(rank in claim.names for claim in self.claims)


def claim_word(claim: Claim) -> str:
    """Return the text of a claim."""
    return json.dumps({"word": "claim", "owner": claim.owner, "names": claim.names})


def end_word(end: End) -> str:
    """Return the text of an end."""
    return json.dumps({"word": ENDED, **end._asdict()})


def other_word(word: str) -> str:
    """Return the text of ``withdrawn`` (nothing was written) or ``failed`` (something may have
    been).
    """
    return json.dumps({"word": word})


def read_end(text: str) -> End | None:
    """Return the end that a text says, None if it says something else."""
    said = json.loads(text)
    if said.get("word") != ENDED:
        return None
    return End(said["rank"], said["first"], said["last"], said["previous"], tuple(said["voids"]))


def holding(ends: Iterable[End]) -> tuple[list[End], set[int]]:
    """Return the ends that hold, by rank, and the ranks that they declare void; a higher rank's
    word goes first.
    """
    voided: set[int] = set()
    kept: list[End] = []
    for end in sorted(ends, reverse=True):
        if end.rank not in voided:
            kept.append(end)
            voided.update(end.voids)
    return kept[::-1], voided


def read_state(now: int, words: Iterable[tuple[int, str]], mine: int = 0) -> State:
    """Return the state that the words (time, text) of the mutex make, read from a settled end on or
    from the first.

    ``mine`` is the rank of one's own claim while one waits: what it names and has ended after all
    it will not void.
    """
    claims: dict[int, Claim] = {}
    ends: list[End] = []
    over: dict[int, str] = {}
    for time, text in words:
        said = json.loads(text)
        word = said["word"]
        if word == "claim":
            claims[time] = Claim(time, said["owner"], tuple(said["names"]))
        elif word == ENDED:
            ends.append(
                End(
                    said["rank"],
                    said["first"],
                    said["last"],
                    said["previous"],
                    tuple(said["voids"]),
                )
            )
        elif word in {WITHDRAWN, FAILED}:
            over[time - 1] = word
    kept, voided = holding(ends)
    finished = (
        {end.rank for end in ends}
        | voided
        | {rank for rank, word in over.items() if word == WITHDRAWN}
    )
    waiting = [claims[rank] for rank in sorted(claims.keys() - finished)]
    named = {rank for claim in waiting if claim.rank != mine for rank in claim.names}
    committed = next((end for end in reversed(kept) if end.rank not in named), BEGINNING)
    left = tuple(claim for claim in waiting if claim.rank > committed.rank)
    failed = frozenset(rank for rank, word in over.items() if word == FAILED)
    return State(now, committed, tuple(kept), left, failed, frozenset(voided))


class Step(Enum):
    """What a claimant does next."""

    ENTER = "write"
    WAIT = "read again: those of lower rank go first"
    WITHDRAW = "begin anew"


def judge(state: State, mine: Claim, *, is_established: bool) -> Step:
    """Say what the owner of ``mine`` does after a reading.

    Who saw no higher rank in the first reading after the claim is *established*: whoever claims
    with a higher rank from then on sees this claim and waits for it. So lower ranks go first, and
    nobody else can be inside.
    """
    is_there = any(claim.rank == mine.rank for claim in state.claims)
    is_outranked = not is_established and state.highest > mine.rank
    # An end that somebody may still declare void is nothing to build on; he waits for us, so we
    # give way.
    is_open = any(end.rank > state.committed.rank for end in state.ends)
    if not is_there or is_outranked or is_open or state.is_contested(mine.rank):
        return Step.WITHDRAW
    return Step.WAIT if ahead(state, mine) else Step.ENTER


def ahead(state: State, mine: Claim) -> list[Claim]:
    """Return those who go first: of lower rank, not over, and not declared void by this claim."""
    return [
        claim for claim in state.claims if claim.rank < mine.rank and claim.rank not in mine.names
    ]


def to_void(state: State, mine: Claim) -> tuple[int, ...]:
    """Return the ranks that the owner declares void when it writes: those that it named, if they
    have not ended.
    """
    return tuple(claim.rank for claim in state.claims if claim.rank in mine.names)


def first_position(state: State, voids: Iterable[int]) -> int:
    """Return the first position that whoever has the turn may use: after all that is or may yet be
    written.
    """
    return max(
        state.now // NS_PER_US,
        state.committed.last + 1,
        *(rank // NS_PER_US + 1 for rank in (0, *voids)),
    )
