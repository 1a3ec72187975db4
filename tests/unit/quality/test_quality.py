"""Plots, thresholds, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import UsageError
from autoctrl.quality import Level, PlotResult, Threshold, chosen_plots, evaluate, register

if TYPE_CHECKING:
    from collections.abc import Mapping

RANGES = Threshold("rate", warn=(1, 10), alarm=(None, 100))


class Rate:
    """Gives a number and a figure."""

    name = "rate"

    def __call__(self, data: float, previous: Mapping[str, float] | None = None) -> PlotResult:
        return PlotResult("figure", {"rate": data, "change": data - (previous or {}).get("rate", data)})


class Broken:
    """Fails whatever it gets."""

    name = "broken"

    def __call__(self, data: float, previous: Mapping[str, float] | None = None) -> PlotResult:
        raise ValueError(data, previous)


@pytest.mark.parametrize(
    ("value", "level", "reason"),
    [
        (1, Level.FINE, ""),
        (10, Level.FINE, ""),
        (0.5, Level.WARN, "rate = 0.5 is below 1"),
        (50, Level.WARN, "rate = 50 is above 10"),
        (101, Level.ALARM, "rate = 101 is above 100"),
        (float("nan"), Level.ALARM, "rate is missing"),
    ],
)
def test_a_threshold_judges_with_a_reason(value: float, level: Level, reason: str) -> None:
    """Both ends of a range are still inside; outside of it the verdict says why."""
    verdict = RANGES.judge({"rate": value})
    assert (verdict.level, verdict.reason) == (level, reason)


def test_a_missing_number_is_an_alarm() -> None:
    """What could not be measured is never fine."""
    assert RANGES.judge({}).level is Level.ALARM


def test_a_failing_plot_does_not_stop_the_others() -> None:
    """The reason of a failed plot is kept, the others are drawn, and the report is an alarm."""
    report = evaluate([Broken(), Rate()], 5.0, [RANGES], {"rate": 4.0})
    assert report.figures == {"rate": "figure"}
    assert report.numbers == {"rate": 5.0, "change": 1.0}
    assert report.failed["broken"].startswith("ValueError: ")
    assert report.level is Level.ALARM


@pytest.mark.parametrize(("value", "level"), [(5, "fine"), (20, "warn"), (200, "alarm")])
def test_a_report_is_as_bad_as_its_worst_verdict(value: float, level: str) -> None:
    """The level of a report is that of the worst number, and it is in the JSON."""
    content = evaluate([Rate()], value, [RANGES]).as_json()
    assert content["level"] == level
    assert content["verdicts"][0]["number"] == "rate"


def test_plots_are_chosen_by_name() -> None:
    """A registered plot is found by its name; an unknown one is refused with what is known."""
    register(Rate)
    assert [plot.name for plot in chosen_plots(["rate"])] == ["rate"]
    with pytest.raises(UsageError, match="Did you mean 'rate'"):
        chosen_plots(["rat"])
