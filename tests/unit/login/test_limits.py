"""How often people and programs may ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.hooks.rate import Rate
from autoctrl.login.limits import LOGINS, Gatekeeper, Refused, Toll, Turns, neighbourhood
from autoctrl.login.sessions import FLOW_LASTS, MOST_FLOWS

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_address_is_limited_and_so_are_all_together() -> None:
    """One that floods does not take what belongs to others; many that do are stopped together."""
    keeper = Gatekeeper(Toll(Rate(1.0, 2), Rate(1.0, 5)))
    assert [keeper.take("10.0.0.1", NOW) for _ in range(3)] == [0, 0, 1]
    assert [keeper.take("10.0.0.2", NOW) for _ in range(3)] == [0, 0, 1]
    assert [keeper.take("10.0.0.3", NOW) for _ in range(2)] == [0, 1]
    assert keeper.take("10.0.0.4", NOW + timedelta(seconds=1)) == 0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("node7", "node7"),
        ("", ""),
    ],
)
def test_a_machine_is_counted_once(address: str, counted: str) -> None:
    """Whoever has a network of addresses to choose from is one who asks."""
    assert neighbourhood(address) == counted


def test_no_flood_pushes_out_a_login_that_has_begun() -> None:
    """All that may begin while one is under way are fewer than are kept."""
    together = LOGINS.of_all.burst + LOGINS.of_all.per_s * FLOW_LASTS.total_seconds()
    assert together < MOST_FLOWS


def test_few_take_turns_and_nobody_waits() -> None:
    """Who finds all turns taken is told so; a turn that has ended is free."""
    turns = Turns(2)
    with turns.one() as first, turns.one() as second:
        assert first
        assert second
        with turns.one() as third:
            assert not third
        with turns.one() as fourth:
            assert not fourth
    with turns.one() as again:
        assert again


def test_some_wait_for_a_turn() -> None:
    """As many as there is room for; one that waits goes on when a turn has ended."""
    turns = Turns(1, waiting=1, patience_s=60.0)

    def wait() -> bool:
        with turns.one() as is_ours:
            return is_ours

    with ThreadPoolExecutor(2) as pool:
        with turns.one() as first:
            assert first
            others = [pool.submit(wait) for _ in range(2)]
            told = next(as_completed(others, 60))
            assert told.result() is False
        assert sorted(other.result(60) for other in others) == [False, True]


def test_what_was_refused_is_known_for_a_while() -> None:
    """The newest are remembered, each until its time has passed."""
    refused = Refused(timedelta(seconds=30), most=2)
    for word in (b"1", b"2", b"3"):
        refused.add(word, NOW)
    assert [refused.holds(word, NOW) for word in (b"1", b"2", b"3")] == [False, True, True]
    assert not refused.holds(b"3", NOW + timedelta(seconds=30))
