"""How one record follows another of the same identity."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from datetime import datetime

TICK = timedelta(microseconds=1)


class Sequenced(Protocol):
    """A record that is counted within its identity: a run or a mark."""

    @property
    def time(self) -> datetime:
        """When it was written, aware UTC."""

    @property
    def sequence(self) -> int:
        """Previous + 1, from 1."""


Successor = TypeVar("Successor", bound=Sequenced)


def later(now: datetime, before: datetime) -> datetime:
    """Return the time of a record that is written ``now`` after one of the time ``before``."""
    return max(now, before + TICK)


def following(before: Successor | None, record: Successor) -> Successor:
    """Return ``record`` as the one that follows ``before``; as it is if it is the first."""
    if before is None:
        return record
    successor = cast("Any", record)._replace(
        time=later(record.time, before.time), sequence=before.sequence + 1
    )
    return cast("Successor", successor)
