"""How long somebody who did not answer is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from autoctrl.login.pause import FIRST, LONGEST, NONE, Pause

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_each_silence_makes_it_twice_as_long_up_to_a_bound() -> None:
    """Five seconds, ten, twenty, forty, then a minute each time."""
    pause, now, lengths = Pause(), NOW, []
    for _ in range(6):
        pause = pause.after_silence(now)
        lengths.append(pause.left(now).total_seconds())
        now += pause.left(now)
        assert pause.left(now) == NONE
    assert lengths == [5, 10, 20, 40, 60, 60]
    assert LONGEST.total_seconds() == 60


def test_those_who_asked_together_count_once() -> None:
    """A silence that is noticed within the pause does not make it longer."""
    pause = Pause().after_silence(NOW)
    late = pause.after_silence(NOW + timedelta(seconds=3))
    assert late == pause
    assert late.left(NOW + timedelta(seconds=3)) == timedelta(seconds=2)


def test_a_clock_that_is_set_back_does_not_make_it_longer() -> None:
    """A day back: the pause that was five seconds is five seconds."""
    pause = Pause().after_silence(NOW)
    assert pause.left(NOW - timedelta(days=1)) == FIRST
