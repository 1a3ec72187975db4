"""Thresholds: fixed limits, a reference run, and the settings file that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import SettingsError
from autoctrl.science.quality import Level, Limits, Reference, Threshold, read_limits

if TYPE_CHECKING:
    from pathlib import Path

RANGES = Threshold("rate", warn=Limits((1, 10)), alarm=Limits((None, 100)))
BEFORE = Reference("run 4501", {"rate": 50.0, "rate_error": 3.0})
FILE = """
reference = "there/dq.json"

[rate]
warn = [1, 10]
alarm = [-inf, 100]
alarm_relative = 0.2

[noise]
warn_sigmas = 3
may_miss = true
"""


@pytest.mark.parametrize(
    ("value", "level", "reason"),
    [
        (1, Level.FINE, ""),
        (10, Level.FINE, ""),
        (0.5, Level.WARN, "rate = 0.5 is below 1"),
        (50, Level.WARN, "rate = 50 is above 10"),
        (101, Level.ALARM, "rate = 101 is above 100"),
        (float("nan"), Level.ALARM, "rate is missing"),
        (float("inf"), Level.ALARM, "rate is missing"),
    ],
)
def test_fixed_limits_judge_with_a_reason(value: float, level: Level, reason: str) -> None:
    """Both ends of a range are still inside; outside of it the verdict says which number is beyond
    which limit.
    """
    verdict = RANGES.judge({"rate": value})
    assert (verdict.level, verdict.reason) == (level, reason)


@pytest.mark.parametrize(
    ("value", "limits", "reason"),
    [
        (44.0, Limits(relative=0.12), ""),
        (43.0, Limits(relative=0.12), "rate = 43 is 14.0% below 50 of run 4501 (limit 12.0%)"),
        (62.0, Limits(sigmas=2.4), ""),
        (
            63.0,
            Limits(sigmas=2.4),
            "rate = 63 is 2.6 standard deviations above 50 of run 4501 (limit 2.4)",
        ),
    ],
)
def test_a_reference_run_is_a_measure(value: float, limits: Limits, reason: str) -> None:
    """A number may differ from the reference's by a part of it, or by standard deviations of both
    runs.
    """
    verdict = Threshold("rate", alarm=limits).judge({"rate": value, "rate_error": 4.0}, BEFORE)
    assert (verdict.level, verdict.reason) == (Level.ALARM if reason else Level.FINE, reason)


def test_without_errors_any_difference_is_endless() -> None:
    """A number without standard deviation equals the reference's or is beyond any number of
    them.
    """
    plain = Reference("run 1", {"rate": 2.0})
    exact = Threshold("rate", warn=Limits(sigmas=5))
    assert exact.judge({"rate": 2.0}, plain).level is Level.FINE
    assert "infinitely many" in exact.judge({"rate": 2.1}, plain).reason
    assert (
        Threshold("rate", warn=Limits(relative=0.5))
        .judge({"rate": 1.0}, Reference("run 1", {"rate": 0.0}))
        .reason
    )


def test_a_missing_number_is_an_alarm_unless_it_may_miss() -> None:
    """What could not be measured is never fine by itself."""
    assert RANGES.judge({}).level is Level.ALARM
    assert Threshold("rate", may_miss=True).judge({}).level is Level.FINE


def test_limits_are_read_from_a_settings_file(tmp_path: Path) -> None:
    """Each table is a number; the report of the reference run lies relative to the file."""
    (tmp_path / "limits.toml").write_text(FILE)
    thresholds, reference = read_limits(tmp_path / "limits.toml")
    assert reference == tmp_path / "there" / "dq.json"
    assert thresholds == (
        Threshold("rate", Limits((1, 10)), Limits((float("-inf"), 100), relative=0.2)),
        Threshold("noise", Limits(sigmas=3), may_miss=True),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[rate", "cannot be read"),
        ("rate = 3", "limits.toml, rate: it is not a table"),
        ("[rate]\nwarm = [1, 2]", "rate.warm: there is no such key. Did you mean 'warn'?"),
        ("[rate]\nwarn = [1]", "rate.warn: it is [lowest, highest]"),
        ("[rate]\nwarn = [2, 1]", "rate.warn: it is [lowest, highest], in this order"),
        ("[rate]\nwarn = [nan, 1]", "rate.warn: it is [lowest, highest], in this order"),
        ('[rate]\nwarn = ["a", 2]', "rate.warn: it is [lowest, highest]"),
        ("reference = 'r'\n[rate]\nalarm_sigmas = -1", "rate.alarm_sigmas: it is a number above 0"),
        ("[rate]\nmay_miss = 1", "rate.may_miss: it is true or false"),
        (
            "[rate]\nalarm_sigmas = 3",
            "rate: it is compared with a reference run, and the file names none",
        ),
        ("reference = 3", "reference: it is the path of a report"),
    ],
)
def test_a_wrong_settings_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """The sentence names file, table and key, and what should stand there."""
    (tmp_path / "limits.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_limits(tmp_path / "limits.toml")
    assert reason in str(caught.value)
