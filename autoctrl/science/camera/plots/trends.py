"""Pictures over runs: how light yield, resolution, pedestal and rate went."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
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
    styled,
)
from autoctrl.science.camera.plots.rundata import About
from autoctrl.science.quality import Level, read_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from autoctrl.science.quality.reports import Stored

YEARS = range(1900, 2200)


@dataclass(frozen=True)
class Quantity:
    """A number that is followed over runs: how it is called, what its axis says, and its factor to
    that unit.
    """

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
    """A quantity over runs: values and errors (nan where a run lacks them), their mean, and how it
    describes them.

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
        """Return chi2 and degrees of freedom of the runs against their mean; inf where it is beyond
        all numbers.
        """
        with np.errstate(over="ignore"):
            pulls = (self.values[self.counted] - self.mean()[0]) / self.errors[self.counted]
            return float(pulls @ pulls), max(0, len(pulls) - 1)


def read_trends(paths: Sequence[Path]) -> tuple[list[Stored], list[Trend]]:
    """Return the reports by run number and their trends; raises DataError for a run that is given
    twice.
    """
    reports = sorted((read_report(path) for path in paths), key=lambda report: report.run)
    runs = [report.run for report in reports]
    twice = sorted({run for run in runs if runs.count(run) > 1})
    if twice:
        message = f"there is more than one report of run {twice[0]}."
        raise DataError(message, hint="Give one report for each run.")

    def column(name: str, factor: float) -> NDArray[np.float64]:
        return np.array([factor * report.numbers.get(name, np.nan) for report in reports])

    is_bad = np.array([report.content["level"] == Level.ALARM for report in reports])
    trends = [
        Trend(q, column(q.number, q.factor), column(f"{q.number}_error", q.factor), is_bad)
        for q in QUANTITIES
    ]
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
    with styled():
        save_picture(_draw(reports, trends, runs, by_time=by_time), picture)
    content = {
        "schema": 1,
        "runs": runs,
        "alarms": alarmed,
        "trends": {t.quantity.number: _plain(t) for t in trends},
    }
    with replacing(output) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
    return content


def _plain(trend: Trend) -> dict[str, Any]:
    """Return a trend as plain values, null for what is no number."""
    chi2, ndf = trend.chi2()
    fit = dict(zip(("mean", "error", "chi2"), (*trend.mean(), chi2), strict=True))
    lists = {"values": trend.values, "errors": trend.errors}
    plain = {name: value if np.isfinite(value) else None for name, value in fit.items()}
    listed = {
        name: [float(v) if np.isfinite(v) else None for v in column]
        for name, column in lists.items()
    }
    return {"unit": trend.quantity.unit, **plain, "ndf": ndf, "left_out": trend.left_out, **listed}


def _draw(
    reports: Sequence[Stored], trends: Sequence[Trend], runs: Sequence[int], *, by_time: bool
) -> Any:  # noqa: ANN401 - a figure
    shown = [trend for trend in trends if trend.measured.any()] or list(trends[:1])
    spread = f"Runs {runs[0]}-{runs[-1]}" if len(runs) > 1 else f"Run {runs[0]}"
    first, last = (
        spell_time(About.from_report(report).start) for report in (reports[0], reports[-1])
    )
    facts = f"{len(runs)} runs" + (
        f"  \u00b7  {first} to {last}" if first and len(runs) > 1 else ""
    )
    figure, made = new_figure(
        f"{spread}: stability", facts, rows=len(shown), size=(11.0, 1.2 + 2.1 * len(shown))
    )
    panels = np.atleast_1d(made)
    where = _times(reports) if by_time else np.asarray(runs)
    for axes, trend in zip(panels, shown, strict=True):
        _draw_panel(axes, trend, where)
        axes.sharex(panels[-1])
        axes.tick_params(labelbottom=axes is panels[-1])
    panels[-1].set_xlabel("start of the run (UTC)" if by_time else "run")
    if by_time:
        _date_axis(panels[-1])
    else:
        panels[-1].locator_params(axis="x", integer=True)
        panels[-1].set_xlim(runs[0] - 0.5 - 0.02 * len(runs), runs[-1] + 0.5 + 0.02 * len(runs))
    if trends[0].is_bad.any():
        panels[0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1)
    figure.align_ylabels(panels)
    return figure


def _draw_panel(axes: Any, trend: Trend, where: NDArray[Any]) -> None:  # noqa: ANN401
    """Draw one quantity: points with errors, those of runs with an alarm in another colour and
    shape, and the mean.
    """
    for chosen, colour, shape, label in (
        (trend.counted, BLUE, "o", "run"),
        (trend.measured & trend.is_bad, RED, "D", "run with an alarm"),
    ):
        axes.errorbar(
            where[chosen],
            trend.values[chosen],
            trend.errors[chosen],
            fmt=shape,
            color=colour,
            markersize=5.5,
            linestyle="none",
            capsize=2.5,
            label=label,
        )
    quantity, (mean, error) = trend.quantity, trend.mean()
    unit = f" ({quantity.unit})" if quantity.unit else ""
    axes.set_ylabel(f"{quantity.label}{unit}")
    axes.margins(y=0.18)
    if np.isfinite(mean):
        axes.axhline(mean, color=GREY, linewidth=1.4, linestyle="--")
        axes.axhspan(mean - error, mean + error, color=GREY, alpha=0.18, linewidth=0)
    axes.set_title(say_mean(trend), fontsize=10.5, pad=4)


def say_mean(trend: Trend) -> str:
    """Return a trend's mean, how well it describes the runs, and how many with an alarm it leaves
    out, in words.
    """
    (mean, error), (chi2, ndf) = trend.mean(), trend.chi2()
    said = [f"mean {spell(mean, error, trend.quantity.unit)}" if np.isfinite(mean) else "no mean"]
    said += [f"$\\chi^2$ / ndf {chi2:.1f} / {ndf}"] if ndf else []
    said += (
        [f"{trend.left_out} run{'s' * (trend.left_out > 1)} with an alarm left out"]
        if trend.left_out
        else []
    )
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


def _date_axis(axes: Any) -> None:  # noqa: ANN401 - matplotlib axes
    from matplotlib import dates

    locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
