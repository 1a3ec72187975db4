"""Plots and the reports that they make: merged, gone on with, and never stopped by one that
fails.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hist import Hist
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.science.quality import (
    Level,
    Limits,
    PlotResult,
    Threshold,
    Tier,
    add_previous,
    evaluate,
    read_report,
    register,
    registered_plots,
    write_report,
)
from autoctrl.science.quality.histograms import add_histograms, mean_of, read_tally, tally
from autoctrl.science.quality.reports import find_heaviest, merge_parts

if TYPE_CHECKING:
    from pathlib import Path

VALUES = st.lists(st.integers(-1000, 20_000).map(lambda sixteenths: sixteenths / 16), max_size=60)


class Light:
    """Counts values, weights them, and adds them up."""

    name, tier = "light", Tier.MID

    def __call__(self, data: list[float], previous: PlotResult | None = None) -> PlotResult:
        values = np.asarray(data, float)
        counts = Hist.new.Reg(50, 0, 1000, name="light", label="light").Double().fill(values)
        plane = (
            Hist.new.Reg(5, 0, 1000).Reg(3, 0, 1).Double().fill(values, values % 1, weight=values)
        )
        sums = tally(n=float(len(values)), light=values.sum(), light2=(values**2).sum())
        histograms = add_previous({"light": counts, "plane": plane, "sums": sums}, previous)
        mean, error = mean_of(read_tally(histograms["sums"]), "light")
        return PlotResult(
            histograms, {"mean": mean, "mean_error": error}, weight=float(len(values))
        )


class Failing:
    """Does something wrong."""

    tier = Tier.LOW

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, data: Any, previous: PlotResult | None = None) -> Any:
        if self.name == "raises":
            raise ValueError(data, previous)
        if self.name == "exits":
            sys.exit("enough")
        rubbish = {"text": "nonsense", "nothing": None, "numbers": PlotResult(numbers={"x": "no"})}  # type: ignore[dict-item]
        return rubbish.get(self.name, PlotResult({"h": [1, 2]}))


def contents(results: dict[str, PlotResult]) -> dict[str, bytes]:
    """Return the bytes of every histogram, outer bins included."""
    return {
        f"{plot}/{name}": histogram.view(flow=True).tobytes()
        for plot, result in results.items()
        for name, histogram in result.histograms.items()
    }


def split(values: list[float], cuts: list[int]) -> list[list[float]]:
    ends = sorted({0, len(values), *(cut % (len(values) + 1) for cut in cuts)})
    return [values[first:last] for first, last in pairwise(ends)] or [[]]


@given(VALUES, st.lists(st.integers(0, 60), max_size=5))
def test_the_sum_of_the_parts_is_the_whole(values: list[float], cuts: list[int]) -> None:
    """Chunks one after the other, and parts that are added, give the histograms of all at once, bit
    for bit.
    """
    whole = evaluate([Light()], [values]).results
    chunked = evaluate([Light()], split(values, cuts)).results
    parts = [evaluate([Light()], [part]).results["light"] for part in split(values, cuts)]
    summed = parts[0].histograms
    for part in parts[1:]:
        summed = {name: add_histograms(summed[name], part.histograms[name]) for name in summed}
    finished = Light()([], PlotResult(summed))
    assert contents(whole) == contents(chunked) == contents({"light": finished})
    assert repr(whole["light"].numbers) == repr(chunked["light"].numbers) == repr(finished.numbers)


@pytest.mark.parametrize("name", ["raises", "exits", "text", "nothing", "numbers", "histogram"])
def test_a_failing_plot_stops_nothing(name: str) -> None:
    """One that raises, leaves or returns rubbish is an alarm with its reason; the others take in
    all data.
    """
    report = evaluate([Failing(name), Light()], [[1.0, 2.0], [3.0]])
    assert report.numbers["mean"] == 2.0
    assert set(report.results) == {"light"}
    reasons = {
        "raises": "ValueError: ([1.0, 2.0], None)",
        "exits": "SystemExit: enough",
        "text": "TypeError: it returned str; a plot returns a PlotResult",
        "nothing": "TypeError: it returned NoneType; a plot returns a PlotResult",
        "numbers": "ValueError: could not convert string to float: 'no'",
        "histogram": "TypeError: what it calls the histogram h is list",
    }
    assert report.failed == {name: reasons[name]}
    assert report.level is Level.ALARM
    assert report.fields()["alarm"] == f"plot {name} failed: {reasons[name]}"


@pytest.mark.parametrize(
    ("value", "level", "text"), [(5.0, 0, None), (20.0, 1, "warning"), (200.0, 2, "alarm")]
)
def test_a_report_says_what_is_wrong_as_fields(value: float, level: int, text: str | None) -> None:
    """Numbers, the level as a number, and one text that says which number is beyond which limit."""
    report = evaluate([Light()], [[value, value]])
    report.judge([Threshold("mean", Limits((None, 10)), Limits((None, 100)))])
    fields = report.fields()
    assert (fields["mean"], fields["level"]) == (value, level)
    assert {"warning", "alarm"} & set(fields) == ({text} if text else set())
    assert text is None or f"mean = {value:g} is above" in str(fields[text])


def test_many_alarms_fit_into_a_field() -> None:
    """A text for people is short; what is left out is counted."""
    report = evaluate([], [])
    report.judge([Threshold(f"number_{number}") for number in range(60)])
    text = str(report.fields()["alarm"])
    assert len(text) <= 500
    assert text.startswith("number_0 is missing; number_1 is missing")
    assert text.endswith("more")


def test_what_is_no_number_is_left_out() -> None:
    """A mean of nothing is not reported, so a threshold on it says that it is missing."""
    report = evaluate([Light()], [[]])
    report.judge([Threshold("mean")])
    assert report.numbers == {}
    assert report.sentences(Level.ALARM) == ["mean is missing"]


def test_different_bins_are_not_added() -> None:
    """Histograms of two versions of a plot are refused, with their bins."""
    one, other = (
        Hist.new.Reg(5, 0, 1, label="light").Double(),
        Hist.new.Reg(6, 0, 1, label="light").Double(),
    )
    with pytest.raises(DataError, match="5 bins of light and 6 bins of light"):
        add_histograms(one, other)
    with pytest.raises(DataError, match="different bins"):
        add_histograms(tally(n=1.0), tally(m=1.0))


def keep(
    folder: Path, name: str, values: list[float], events: tuple[int, int], run: int = 1
) -> Any:
    report = evaluate([Light(), Failing("raises")] if not values else [Light()], [values])
    listed = {"pictures": {"light": f"{name}_light.png"}, "plots": ["light"], "run": run}
    write_report(report, folder / f"{name}.json", {"run": run}, events, **listed)
    return read_report(folder / f"{name}.json")


def test_a_report_is_kept_and_gone_on_with(tmp_path: Path) -> None:
    """What is read from JSON and ROOT file goes on as if it had never been put away, bit for
    bit.
    """
    stored = keep(tmp_path, "first", [1.0, 250.5, 3000.0], (0, 3))
    assert (stored.events, stored.numbers["mean"]) == ((0, 3), pytest.approx(1083.83, abs=0.01))
    report = evaluate([Light()], [[7.0]], stored.results())
    assert contents(report.results) == contents(
        evaluate([Light()], [[1.0, 250.5, 3000.0, 7.0]]).results
    )


def test_parts_are_merged_in_order_and_without_gaps(tmp_path: Path) -> None:
    """Whatever order they are given in, the parts follow each other; the heaviest figure is
    kept.
    """
    parts = [
        keep(tmp_path, "b", [2.0, 3.0], (1, 3)),
        keep(tmp_path, "a", [1.0], (0, 1)),
        keep(tmp_path, "c", [], (3, 3)),
    ]
    whole = merge_parts(parts)
    assert (whole.first, whole.last) == (0, 3)
    assert set(whole.failed) == {"raises"}
    assert contents(whole.results) == contents(evaluate([Light()], [[1.0, 2.0, 3.0]]).results)
    fullest = find_heaviest(parts, "light")
    assert fullest is not None
    assert fullest.path.name == "b.json"
    assert find_heaviest(parts, "other") is None
    with pytest.raises(DataError, match=r"ends before entry 1, .* begins at 3"):
        merge_parts([parts[1], parts[2]])
    with pytest.raises(DataError, match="not parts of one run: run differ"):
        merge_parts([parts[1], keep(tmp_path, "d", [1.0], (1, 2), run=2)])


def test_a_report_with_other_histograms_is_refused(tmp_path: Path) -> None:
    """Histograms that were changed after the report was written would be counted twice, or not at
    all.
    """
    stored = keep(tmp_path, "first", [1.0], (0, 1))
    keep(tmp_path, "first", [2.0], (1, 2))
    with pytest.raises(DataError, match="does not hold the histograms"):
        stored.results()


@pytest.mark.parametrize("text", ["", "[]", '{"numbers": {}}'])
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    """The sentence names the file."""
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(DataError, match=r"r\.json is not a data-quality report"):
        read_report(tmp_path / "r.json")


def test_a_report_is_plain_json(tmp_path: Path) -> None:
    """No number of the file is infinite or none; verdicts have their reasons."""
    report = evaluate([Light()], [[5.0]])
    report.judge([Threshold("mean", warn=Limits((None, 1)))])
    write_report(report, tmp_path / "r.json", {"run": 3}, (0, 1), pictures={}, plots=[])
    content = json.loads((tmp_path / "r.json").read_text(), parse_constant=pytest.fail)
    assert (content["schema"], content["level"], content["events"]) == (1, "warn", [0, 1])
    assert content["verdicts"] == [
        {"number": "mean", "level": "warn", "reason": "mean = 5 is above 1"}
    ]


def test_registered_plots_are_known() -> None:
    """A plot is made when its class is registered; one of the same name takes its place."""

    @register
    class Shine(Light):
        name = "shine"

    assert isinstance(registered_plots()[-1], Shine)
    register(Shine)
    assert [plot.name for plot in registered_plots()].count("shine") == 1
