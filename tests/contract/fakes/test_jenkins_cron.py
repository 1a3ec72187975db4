"""The times of the fake of Jenkins: five fields, hashes, aliases, zones, and what is illegal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.contract.fakes.jenkins_scene import ONE_AT_A_TIME, pipeline, timer
from tests.fakes.jenkins import Jenkins, Outcome, Run
from tests.fakes.jenkins.cron import parse, problem_of


def at(text: str) -> float:
    """Return seconds since 1970 of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("spec", "fits", "fits_not"),
    [
        ("* * * * *", "2026-07-01 12:34", None),
        ("30 * * * *", "2026-07-01 12:30", "2026-07-01 12:31"),
        ("*/20 8-9,12 * * *", "2026-07-01 12:40", "2026-07-01 10:40"),
        ("0-30/10 0 * * *", "2026-07-01 00:30", "2026-07-01 00:40"),
        ("0 0 1 7 *", "2026-07-01 00:00", "2026-08-01 00:00"),
        ("0 0 * * 0", "2026-07-05 00:00", "2026-07-06 00:00"),
        ("0 0 * * 7", "2026-07-05 00:00", "2026-07-04 00:00"),
        ("0 0 1 * 1", "2026-06-01 00:00", "2026-07-01 00:00"),
        ("TZ=Europe/Zurich\n0 8 * * *", "2026-07-01 06:00", "2026-07-01 08:00"),
        ("# nightly\n\n0 1 * * *\n0 2 * * *", "2026-07-01 02:00", "2026-07-01 03:00"),
    ],
)
def test_a_line_says_when(spec: str, fits: str, fits_not: str | None) -> None:
    """All five fields must fit, and one line of several."""
    table = parse(spec, "a/b")
    assert table.matches(at(fits))
    assert fits_not is None or not table.matches(at(fits_not))


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ("H * * * *", {0: range(60)}),
        ("H(10-19) * * * *", {0: range(10, 20)}),
        ("@hourly", {0: range(60)}),
        ("@daily", {0: range(60), 1: range(24)}),
        ("@midnight", {0: range(60), 1: range(3)}),
        ("@weekly", {0: range(60), 1: range(24), 4: range(7)}),
        ("@monthly", {0: range(60), 1: range(24), 2: range(1, 29)}),
        ("@yearly", {0: range(60), 1: range(24), 2: range(1, 29), 3: range(1, 13)}),
        ("@annually", {0: range(60), 1: range(24), 2: range(1, 29), 3: range(1, 13)}),
    ],
)
def test_a_hash_is_stable_and_spread(spec: str, allowed: dict[int, range]) -> None:
    """A hash is one value of its range, the same for a job each time and another for others."""
    seeds = [f"folder/job{number}" for number in range(200)]
    for place, values in allowed.items():
        found = [parse(spec, seed).lines[0].fields[place] for seed in seeds]
        assert found == [parse(spec, seed).lines[0].fields[place] for seed in seeds]
        assert {len(one) for one in found} == {1}
        union = frozenset[int]().union(*found)
        assert union <= set(values)
        assert len(union) > len(values) / 2


def test_a_hash_with_a_step_is_spread() -> None:
    """``H/15`` is four minutes of the hour, that begin where the hash says."""
    found = {parse("H/15 * * * *", f"job{number}").lines[0].fields[0] for number in range(200)}
    assert {len(one) for one in found} == {4}
    assert {min(one) for one in found} == set(range(15))
    assert all(
        b - a == 15 for one in found for a, b in zip(sorted(one), sorted(one)[1:], strict=False)
    )


@pytest.mark.parametrize(
    "spec",
    [
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * MON",
        "* * * JAN *",
        "? * * * *",
        "* * L * *",
        "* * 1W * *",
        "5/10 * * * *",
        "*/0 * * * *",
        "9-5 * * * *",
        "H(50-70) * * * *",
        "@reboot",
        "TZ=Mars/Base\n* * * * *",
        "a",
    ],
)
def test_an_illegal_line_is_found(spec: str) -> None:
    """Names, seconds, ``?``, ``L``, ``W`` and what is out of range are illegal."""
    assert "illegal" in problem_of(spec)


def started(server: Jenkins) -> list[str]:
    """Return the minutes at which builds started."""
    return [datetime.fromtimestamp(one.started, UTC).strftime("%H:%M") for one in server.builds]


def test_a_timer_starts_builds() -> None:
    """A job starts at its times without a quiet period; a disabled one does not."""
    with Jenkins(now=at("2026-07-01 12:00:10")) as server:
        server.add_item("a/b", pipeline(timer("*/10 * * * *")))
        server.add_item("a/c", pipeline(timer("* * * * *"), "<disabled>true</disabled>"))
        server.tick(1800)
        assert started(server) == ["12:10", "12:20", "12:30"]
        assert server.builds[0].causes[0].text == "Started by timer"


def test_missed_times_are_not_made_up() -> None:
    """What was due while the server was down is lost."""
    with Jenkins(now=at("2026-07-01 12:00")) as server:
        server.add_item("b", pipeline(timer("*/10 * * * *")))
        server.tick(700)
        server.stop()
        server.tick(3600)
        assert started(server) == ["12:10"]
        server.start()
        server.tick(600)
        assert started(server) == ["12:10", "13:20"]


def test_at_most_one_further_build_waits() -> None:
    """While a build runs and no other may, the timer's wishes fold into one."""

    def slow(run: Run) -> Outcome:
        return Outcome(seconds=3000 if run.number == 1 else 60)

    with Jenkins(now=at("2026-07-01 12:00")) as server:
        server.run_with(slow)
        server.add_item("b", pipeline(timer("*/10 * * * *") + ONE_AT_A_TIME))
        server.tick(3000)
        (item,) = server.state.waiting()
        assert (item.state, len(item.causes)) == ("blocked", 4)
        server.tick(1000)
        assert started(server) == ["12:10", "13:00"]
