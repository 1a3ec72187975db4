"""The rules of leases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.errors import LeaseHeld, LeaseLost
from autoctrl.process import spell_owner, this_process
from autoctrl.stores.leases import (
    MICROS,
    Held,
    Ticks,
    as_lease,
    boot_ticks,
    check,
    claim,
    margin,
    release,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def at(seconds: float, boot: str = "b") -> Ticks:
    return Ticks(boot, round(seconds * MICROS))


def claimed(held: Held | None, owner: str, when: Ticks, seconds: float = 10) -> Held:
    return claim("n", held, owner=owner, seconds=seconds, ticks=when, now=NOW)


def test_claims_and_epochs() -> None:
    """A claim of what is free raises the epoch, renewing does not."""
    first = claimed(None, "a", at(0))
    assert first == Held("a", 1, "b", 10 * MICROS, 10 * MICROS, NOW + timedelta(seconds=10))
    assert claimed(first, "a", at(9)).epoch == 1
    assert claimed(first, "a", at(10)).epoch == 2
    assert claimed(first, "b", at(10)).epoch == 2
    with pytest.raises(LeaseHeld, match="held by a until 2026-11-20T00:00:10Z"):
        claimed(first, "b", at(9.999))


def test_another_boot() -> None:
    """After a boot nobody holds anything, however little time has passed since it."""
    first = claimed(None, "a", at(100))
    assert claimed(first, "b", at(1, "later")).epoch == 2
    assert release(first, "a", at(1, "later"), NOW) is None


@pytest.mark.parametrize(
    ("length", "least"),
    [(100 * MICROS, MICROS), (10 * MICROS, MICROS), (MICROS, MICROS // 10), (0, 0)],
)
def test_margin(length: int, least: int) -> None:
    """The margin is a tenth of the lease, at most a second."""
    assert margin(length) == least


def test_check() -> None:
    """A lease holds for its owner and epoch until only the margin is left."""
    held = claimed(None, "a", at(0))
    lease = as_lease("n", held)
    check(lease, held, at(8.99))
    for wrong, now, text in [
        (lease, 9, "has only 1.000 s left"),
        (lease, 10, "has ended"),
        (lease._replace(owner="b"), 1, "is now a's"),
        (lease._replace(epoch=2), 1, "is now a's"),
    ]:
        with pytest.raises(LeaseLost, match=text):
            check(wrong, held, at(now))
    with pytest.raises(LeaseLost, match="unknown here"):
        check(lease, None, at(1))
    with pytest.raises(LeaseLost, match="has ended"):
        check(lease, held, at(1, "later"))


def test_release() -> None:
    """Only its holder gives a lease up, and then it has ended."""
    held = claimed(None, "a", at(0))
    assert release(None, "a", at(1), NOW) is None
    assert release(held, "b", at(1), NOW) is None
    given_up = release(held, "a", at(1), NOW)
    assert given_up is not None
    assert claimed(given_up, "b", at(1)).epoch == 2
    with pytest.raises(LeaseLost):
        check(as_lease("n", held), given_up, at(1))


def test_ticks_rise() -> None:
    """The clock since boot rises, within one boot."""
    before, after = boot_ticks(), boot_ticks()
    assert before.boot == after.boot != ""
    assert 0 < before.micros <= after.micros


def test_death_of_the_holder() -> None:
    """A lease of a process that is known to be dead is free at once; one that may live elsewhere is
    not.
    """
    alive = this_process()
    host, pid, _, namespace = alive.split(":")
    dead = f"alice by cli on {host}:{pid}:1:{namespace}"
    first = claimed(None, dead, at(0))
    assert claimed(first, "b", at(1)).epoch == 2
    assert claimed(first, dead, at(1)).epoch == 1
    for owner in (alive, f"{host}:{pid}:1:1{namespace}", "a:1:1", "x:1:y:2"):
        with pytest.raises(LeaseHeld):
            claimed(claimed(None, owner, at(0)), "b", at(1))


@pytest.mark.parametrize(
    ("owner", "text"),
    [
        ("node7.cern.ch:4711:664712:4026531836", "process 4711 on node7.cern.ch"),
        ("somebody:else", "somebody:else"),
        ("a:b:c:d", "a:b:c:d"),
    ],
)
def test_an_owner_is_spelt_for_people(owner: str, text: str) -> None:
    """A process is named by number and host; what names no process stays as it is."""
    assert spell_owner(owner) == text
