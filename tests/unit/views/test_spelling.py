"""Times, sizes and values as they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.model.actor import Actor
from autoctrl.views import Spelling, spell_actor, spell_memory, spell_seconds, spell_size
from autoctrl.views.spelling import count, spell_age, spell_countdown, spell_duration

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Rome", "America/Chicago"])
def test_the_first_and_last_of_all_times_are_spelt_too(zone: str) -> None:
    """They mean that something is not known yet, and lie in no zone but UTC or in any."""
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert len(Spelling(zone).time(moment).split()) == len(("date", "time", "zone"))
        assert Spelling(zone).time_of_day(moment)


def test_times_are_in_the_projects_zone() -> None:
    """Date, time and zone; or the time of day alone."""
    assert Spelling("Europe/Zurich").time(NOON) == "2026-11-20 13:00:00 CET"
    assert Spelling("Europe/Zurich").time_of_day(NOON) == "13:00:00"
    assert Spelling("UTC").time(NOON) == "2026-11-20 12:00:00 UTC"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NOON, "2026-11-20 12:00:00 UTC"),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        ("x", "x"),
        (0.1 + 0.2, "0.3"),
        (12.0, "12"),
        (1234567.25, "1234567.25"),
    ],
)
def test_values_are_written_for_people(value: object, text: str) -> None:
    """Ten digits are enough of a number."""
    assert Spelling("UTC").value(value) == text
    assert Spelling("UTC").pairs({"name": value}) == f"name={text}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (250, "4 min 10 s"),
        (7200, "2 h"),
        (86400, "1 day"),
        (3 * 86400 + 4 * 3600 + 5, "3 days 4 h"),
        (3605, "1 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    """The two largest, without those between them that are nought."""
    assert spell_duration(timedelta(seconds=seconds)) == text


def test_an_age_and_a_countdown_are_counted_from_now() -> None:
    """What was is so long ago; what comes passes in so long, or any moment."""
    later = NOON + timedelta(minutes=4, seconds=10)
    assert spell_age(NOON, later) == "4 min 10 s ago"
    assert spell_countdown(later, NOON) == "passes in 4 min 10 s"
    assert spell_countdown(NOON, NOON) == "passes any moment now"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (2_000_000, "2.0 MB"),
        (3_200_000_000, "3.2 GB"),
        (5_100_000_000_000, "5.1 TB"),
    ],
)
def test_a_size_has_one_digit_behind_the_point(size: int, text: str) -> None:
    """Steps are of a thousand."""
    assert spell_size(size) == text


def test_what_is_not_known_is_empty() -> None:
    """Seconds and memory of a job that has not ended."""
    assert (spell_seconds(None), spell_memory(None)) == ("", "")
    assert (spell_seconds(1.25), spell_memory(512.4)) == ("1.2 s", "512 MB")


def test_people_and_numbers_are_named() -> None:
    """Who and by which way; one or many."""
    assert spell_actor(Actor("anna", "web")) == "anna (web)"
    assert (count(1, "run"), count([1, 2], "run"), count(0, "task")) == (
        "1 run",
        "2 runs",
        "0 tasks",
    )
