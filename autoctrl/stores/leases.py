"""The rules of leases, pure: who holds one, how long, and whether a batch may be written under it.

A store judges by its own ticks: time since boot, which goes on while the machine sleeps and which
does not change with the wall clock. A lease of an earlier boot has ended, since its holder cannot
be alive. So has one whose holder was a process of this machine that is dead.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from autoctrl.errors import LeaseHeld, LeaseLost
from autoctrl.ports import Lease
from autoctrl.process import has_died, spell_owner

MICROS = 1_000_000
LARGEST_MARGIN = 1 * MICROS
MARGIN_PART = 10


class Ticks(NamedTuple):
    """A moment by the store's own clock.

    boot    identity of this boot of the machine
    micros  µs since then
    """

    boot: str
    micros: int


class Held(NamedTuple):
    """What a store keeps of one lease.

    owner    who claimed it last
    epoch    counts the holders, from 1
    boot     the boot in which it was claimed
    ends     µs since that boot
    length   µs for which it was last claimed, 0 after it was given up
    expires  wall time of its end, for people
    """

    owner: str
    epoch: int
    boot: str
    ends: int
    length: int
    expires: datetime


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def boot_ticks() -> Ticks:
    """Return the present moment by the kernel's clock since boot."""
    return Ticks(_boot(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)


def _left(held: Held, ticks: Ticks) -> int:
    return held.ends - ticks.micros if held.boot == ticks.boot else 0


def margin(length: int) -> int:
    """Return how little of a lease (µs) does not suffice for a batch: a tenth, at most a second."""
    return min(LARGEST_MARGIN, length // MARGIN_PART)


def claim(
    name: str, held: Held | None, *, owner: str, seconds: float, ticks: Ticks, now: datetime
) -> Held:
    """Return the lease after ``owner`` asked for ``seconds`` of it.

    Raises ``LeaseHeld`` if somebody else has it.
    """
    epoch = _next_epoch(name, held, owner, ticks)
    length = round(seconds * MICROS)
    expires = now + timedelta(microseconds=length)
    return Held(owner, epoch, ticks.boot, ticks.micros + length, length, expires)


def _next_epoch(name: str, held: Held | None, owner: str, ticks: Ticks) -> int:
    """Return the epoch that ``owner`` claims: it stays as long as the holder does."""
    if held is None:
        return 1
    if _left(held, ticks) <= 0:
        return held.epoch + 1
    if held.owner == owner:
        return held.epoch
    if has_died(held.owner):
        return held.epoch + 1
    until = f"{held.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    message = f"The lease {name} is held by {spell_owner(held.owner)} until {until}."
    hint = (
        "Wait: its holder renews it while working, and it ends by itself once the holder is dead."
    )
    raise LeaseHeld(message, hint=hint)


def release(held: Held | None, owner: str, ticks: Ticks, now: datetime) -> Held | None:
    """Return the ended lease, None if ``owner`` does not hold it."""
    if held is None or held.owner != owner or _left(held, ticks) <= 0:
        return None
    return held._replace(ends=ticks.micros, length=0, expires=now)


def check(lease: Lease, held: Held | None, ticks: Ticks) -> None:
    """Raise ``LeaseLost`` unless the store holds ``lease``, with more than the margin left."""
    who = f"The lease {lease.name} of {lease.owner} (epoch {lease.epoch})"
    hint = "Nothing was written. Claim the lease again, read afresh and decide anew."
    if held is None or (held.owner, held.epoch) != (lease.owner, lease.epoch):
        other = "is unknown here" if held is None else f"is now {held.owner}'s (epoch {held.epoch})"
        message = f"{who} is lost: it {other}."
        raise LeaseLost(message, hint=hint)
    left = _left(held, ticks)
    if left <= margin(held.length):
        state = f"has only {left / MICROS:.3f} s left" if left > 0 else "has ended"
        message = f"{who} is lost: it {state}."
        raise LeaseLost(message, hint=hint)


def as_lease(name: str, held: Held) -> Lease:
    """Return a lease as its holder sees it."""
    return Lease(name, held.owner, held.epoch, held.expires)
