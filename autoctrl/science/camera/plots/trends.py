"""Pictures over runs: how light yield, resolution, pedestal and rate went."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.errors import DataError
from autoctrl.files import replacing
from autoctrl.science.camera.plots.pictures import (
    BLUE,
    GREY,
    RED,
    new_figure,
    save_picture,
    spell,
    spell_time,
    use_style,
)
from autoctrl.science.camera.plots.rundata import About
from autoctrl.science.quality import Level, read_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from autoctrl.science.quality.reports import Stored

YEARS = range(1900, 2200)
LEGEND_ABOVE: dict[str, Any] = {
    "loc": "lower right",
    "bbox_to_anchor": (1.0, 1.0),
    "borderaxespad": 0.1,
    "ncols": 2,
}


@dataclass(frozen=True)
class Quantity:
    """A number that is followed over runs: its name, what its axis says, its factor to the unit."""

    number: str
    label: str
    unit: str = ""
    factor: float = 1.0


QUANTITIES = (
    Quantity("light_peak", "light yield", "counts"),
    Quantity("light_resolution", "resolution", "%", 100.0),
    Quantity("pedestal_shift", "pedestal drift", "counts"),
    Quantity("rate_hz", "cluster rate", "Hz"),
)


@dataclass(frozen=True)
class Trend:
    """A quantity over runs: values and errors, nan where a run lacks them.

    Runs with an alarm (``is_bad``) are part of neither mean nor chi2: what is wrong with them may
    be this quantity.
    """

    quantity: Quantity
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    is_bad: NDArray[np.bool_]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which runs have a value and an error above 0."""
        found: NDArray[np.bool_] = (
            np.isfinite(self.values) & np.isfinite(self.errors) & (self.errors > 0)
        )
        return found

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which runs the mean is made of."""
        return self.measured & ~self.is_bad

    @property
    def left_out(self) -> int:
        """How many runs have a value that the mean leaves out."""
        return int(np.sum(self.measured & self.is_bad))

    def mean(self) -> tuple[float, float]:
        """Return the mean, weighted by the errors, and its error; nan without values."""
        values, errors = self.values[self.counted], self.errors[self.counted]
        if not len(errors):
            return float("nan"), float("nan")
        weights = (errors.min() / errors) ** 2
        return float(weights @ values / weights.sum()), float(errors.min() / np.sqrt(weights.sum()))

    def chi2(self) -> tuple[float, int]:
        """Return chi2 and degrees of freedom of the runs against their mean; inf if too large."""
        with np.errstate(over="ignore"):
            pulls = (self.values[self.counted] - self.mean()[0]) / self.errors[self.counted]
            return float(pulls @ pulls), max(0, len(pulls) - 1)


def read_trends(paths: Sequence[Path]) -> tuple[list[Stored], list[Trend]]:
    """Return the reports by run and their trends; raises DataError for a run given twice."""
    reports = sorted((read_report(path) for path in paths), key=lambda report: report.run)
    for one, other in pairwise(reports):
        if one.run == other.run:
            message = f"there is more than one report of run {one.run}."
            raise DataError(message, hint="Give one report for each run.")

    def column(name: str, factor: float) -> NDArray[np.float64]:
        return np.array([factor * report.numbers.get(name, np.nan) for report in reports])

    is_bad = np.array([report.content["level"] == Level.ALARM for report in reports])
    trends = []
    for quantity in QUANTITIES:
        values = column(quantity.number, quantity.factor)
        errors = column(f"{quantity.number}_error", quantity.factor)
        trends.append(Trend(quantity, values, errors, is_bad))
    return reports, trends


def write_trends(
    paths: Sequence[Path], output: Path, picture: Path, *, by_time: bool = False
) -> dict[str, Any]:
    """Draw the trends of some runs' reports, write them as JSON, and return what was written.

    ``by_time`` puts the runs' starts on the axis instead of their numbers; raises DataError where
    they are not known.
    """
    reports, trends = read_trends(paths)
    runs = [report.run for report in reports]
    alarmed = [run for run, is_bad in zip(runs, trends[0].is_bad, strict=True) if is_bad]
    with use_style():
        save_picture(_draw(reports, trends, by_time=by_time), picture)
    content = {
        "schema": 1,
        "runs": runs,
        "alarms": alarmed,
        "trends": {trend.quantity.number: _plain(trend) for trend in trends},
    }
    with replacing(output) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
    return content


def _plain(trend: Trend) -> dict[str, Any]:
    """Return a trend as plain values, null for what is not a finite number."""
    mean, error = trend.mean()
    chi2, degrees = trend.chi2()
    return {
        "unit": trend.quantity.unit,
        "mean": _finite(mean),
        "error": _finite(error),
        "chi2": _finite(chi2),
        "ndf": degrees,
        "left_out": trend.left_out,
        "values": [_finite(value) for value in trend.values],
        "errors": [_finite(value) for value in trend.errors],
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _draw(reports: Sequence[Stored], trends: Sequence[Trend], *, by_time: bool) -> Any:  # noqa: ANN401 - a figure
    """Draw the quantities that were measured, one below the other."""
    shown = [trend for trend in trends if trend.measured.any()] or list(trends[:1])
    rows = len(shown)
    figure, axes = new_figure(*_headline(reports), rows=rows, size=(11.0, 1.2 + 2.1 * rows))
    panels = np.atleast_1d(axes)
    where = _times(reports) if by_time else np.array([report.run for report in reports])
    for panel, trend in zip(panels, shown, strict=True):
        _draw_panel(panel, trend, where)
        panel.sharex(panels[-1])
        panel.tick_params(labelbottom=panel is panels[-1])
    set_axis = _set_date_axis if by_time else _set_run_axis
    set_axis(panels[-1], where)
    if trends[0].is_bad.any():
        panels[0].legend(**LEGEND_ABOVE)
    figure.align_ylabels(panels)
    return figure


def _headline(reports: Sequence[Stored]) -> tuple[str, str]:
    """Return the title and the facts that stand above the picture."""
    first, last = reports[0], reports[-1]
    begin, end = (spell_time(About.from_report(report).start) for report in (first, last))
    if len(reports) == 1:
        return f"Run {first.run}: stability", "1 runs"
    title, facts = f"Runs {first.run}-{last.run}: stability", f"{len(reports)} runs"
    return title, f"{facts}  ·  {begin} to {end}" if begin else facts


def _draw_panel(axes: Any, trend: Trend, where: NDArray[Any]) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw one quantity: points with errors, and the mean.

    Runs with an alarm have another colour and shape.
    """
    _draw_points(axes, trend, where, trend.counted, color=BLUE, fmt="o", label="run")
    bad = trend.measured & trend.is_bad
    _draw_points(axes, trend, where, bad, color=RED, fmt="D", label="run with an alarm")
    unit = f" ({trend.quantity.unit})" if trend.quantity.unit else ""
    axes.set_ylabel(f"{trend.quantity.label}{unit}")
    axes.margins(y=0.18)
    mean, error = trend.mean()
    if np.isfinite(mean):
        axes.axhline(mean, color=GREY, linewidth=1.4, linestyle="--")
        axes.axhspan(mean - error, mean + error, color=GREY, alpha=0.18, linewidth=0)
    axes.set_title(say_mean(trend), fontsize=10.5, pad=4)


def _draw_points(
    axes: Any,  # noqa: ANN401 - matplotlib axes
    trend: Trend,
    where: NDArray[Any],
    chosen: NDArray[np.bool_],
    **look: str,
) -> None:
    axes.errorbar(
        where[chosen],
        trend.values[chosen],
        trend.errors[chosen],
        markersize=5.5,
        linestyle="none",
        capsize=2.5,
        **look,
    )


def say_mean(trend: Trend) -> str:
    """Return a trend's mean, how well it describes the runs, and how many it leaves out."""
    (mean, error), (chi2, degrees) = trend.mean(), trend.chi2()
    said = [f"mean {spell(mean, error, trend.quantity.unit)}" if np.isfinite(mean) else "no mean"]
    if degrees:
        said.append(f"$\\chi^2$ / ndf {chi2:.1f} / {degrees}")
    if trend.left_out:
        runs = "run" if trend.left_out == 1 else "runs"
        said.append(f"{trend.left_out} {runs} with an alarm left out")
    return ",  ".join(said)


def _times(reports: Sequence[Stored]) -> NDArray[Any]:
    """Return the runs' starts; raises DataError naming the first run that does not say it."""
    starts = [(report, _moment(About.from_report(report).start)) for report in reports]
    for report, start in starts:
        if start is None:
            message = f"{report.path} does not say when run {report.run} began."
            raise DataError(message, hint="Judge runs with --raw, or put run numbers on the axis.")
    return np.array([start for _, start in starts], dtype="datetime64[ms]")


def _moment(text: str) -> datetime | None:
    """Return a moment that can be drawn, None for another text."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.year in YEARS else None


def _set_run_axis(axes: Any, runs: NDArray[Any]) -> None:  # noqa: ANN401 - matplotlib axes
    axes.set_xlabel("run")
    axes.locator_params(axis="x", integer=True)
    margin = 0.5 + 0.02 * len(runs)
    axes.set_xlim(runs[0] - margin, runs[-1] + margin)


def _set_date_axis(axes: Any, _: NDArray[Any]) -> None:  # noqa: ANN401 - matplotlib axes
    from matplotlib import dates

    axes.set_xlabel("start of the run (UTC)")
    locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
