"""The plots of light: spectra of the clusters, with a fit to the peak of the round ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hist import Hist

from autoctrl.science.camera.plots.pictures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    RED,
    new_figure,
    say,
    spell,
)
from autoctrl.science.camera.plots.raw_frames import facts_of
from autoctrl.science.camera.plots.rundata import is_round
from autoctrl.science.quality import PlotResult, Tier, add_previous, register
from autoctrl.science.quality.histograms import read_tally, tally
from autoctrl.science.quality.peaks import fit_peak

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from autoctrl.science.camera.plots.rundata import About, RunData
    from autoctrl.science.quality.peaks import Peak

SPOT_LIGHT, SPOT_BINS = 40_000, 800
JOINED_WITHOUT_FIT = 4


@register
class LightSpectrum:
    """How much light the clusters have, with a fit to the peak of the round ones."""

    name, tier = "light", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count clusters by light, all on a logarithmic axis, and round spots on a linear one."""
        histograms = add_previous(_count_light(data), previous)
        peak = fit_peak(histograms["spots"])
        numbers = {
            "light_total": read_tally(histograms["sums"])["light"],
            "light_median": median_of(histograms["fine"]),
        }
        if peak is not None:
            numbers |= peak.numbers("light")
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms, peak))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], peak: Peak | None) -> Any:  # noqa: ANN401 - a figure
        """Draw the spectrum of all clusters, and that of the round ones with the fit."""
        facts = facts_of(about, int(read_tally(histograms["sums"])["events"]))
        title = f"Run {about.run}: light of the clusters"
        figure, (left, right) = new_figure(title, facts, columns=2, size=(12.0, 5.0))
        _draw_light(left, histograms)
        draw_peak(right, histograms["spots"], peak, "light of a round cluster (counts)", "counts")
        return figure


def _count_light(data: RunData) -> dict[str, Any]:
    """Return the histograms of some events: the clusters by light, and the sums."""
    light = data.column("sc_integral").astype(np.float64)
    logarithms = np.log10(np.maximum(light, 1e-3))
    is_directional = data.column("sc_directional") > 0
    return {
        "all": _logarithmic(120).fill(logarithms),
        "directional": _logarithmic(120).fill(logarithms[is_directional]),
        "spots": spot_spectrum("light (counts)").fill(light[is_round(data)]),
        "fine": _logarithmic(6000).fill(logarithms),
        "sums": tally(events=float(len(data.events)), light=float(np.rint(16 * light).sum() / 16)),
    }


def _logarithmic(bins: int) -> Any:  # noqa: ANN401 - a histogram
    return Hist.new.Reg(bins, 1, 7, name="light", label="log10(light / counts)").Double()


def _draw_light(axes: Any, histograms: Mapping[str, Any]) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw the spectrum of all clusters, with the directional ones in front."""
    edges = 10.0 ** histograms["all"].axes[0].edges
    every, tracks = (histograms[name].values() for name in ("all", "directional"))
    label = f"all, {every.sum():,.0f}"
    axes.stairs(every, edges, color=BLUE, fill=True, alpha=0.85, label=label)
    label = f"directional, {tracks.sum():,.0f}"
    axes.stairs(tracks, edges, color=ORANGE, linewidth=2, label=label)
    filled = np.flatnonzero(every)
    if len(filled):
        axes.set_xlim(edges[filled[0]] / 1.5, edges[filled[-1] + 1] * 1.5)
    axes.set(xscale="log", xlabel="light of a cluster (counts)", ylabel="clusters per 0.05 decades")
    axes.set_title("all clusters")
    axes.legend(loc="upper right")


@register
class Energy:
    """The light of round clusters as the friends correct it, with a fit to its peak."""

    name, tier = "energy", Tier.HIGH

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count round clusters by corrected light."""
        spectrum, sums = spot_spectrum("corrected light (counts)"), tally(events=0.0)
        values = data.friend("sc_regr_integral")
        if values is not None:
            spectrum.fill(values.astype(np.float64)[is_round(data)])
            sums = tally(events=float(len(data.events)))
        histograms = add_previous({"corrected": spectrum, "sums": sums}, previous)
        events = int(read_tally(histograms["sums"])["events"])
        if not events:
            return PlotResult(histograms)
        peak = fit_peak(histograms["corrected"])
        numbers = {} if peak is None else peak.numbers("energy")
        figure = partial(self.draw, data.about, histograms["corrected"], peak, events)
        return PlotResult(histograms, numbers, figure)

    @staticmethod
    def draw(about: About, spectrum: Any, peak: Peak | None, events: int) -> Any:  # noqa: ANN401 - histogram and figure
        """Draw the spectrum with the fit."""
        figure, axes = new_figure(f"Run {about.run}: energy spectrum", facts_of(about, events))
        draw_peak(axes, spectrum, peak, "corrected light of a round cluster (counts)", "counts")
        return figure


def spot_spectrum(label: str) -> Any:  # noqa: ANN401 - a histogram
    """Return an empty spectrum of round clusters."""
    return Hist.new.Reg(SPOT_BINS, 0, SPOT_LIGHT, name="light", label=label).Double()


def median_of(fine: Any) -> float:  # noqa: ANN401 - a histogram of logarithms
    """Return the median of what a histogram of log10 holds; nan when it is empty."""
    values = fine.values(flow=True)[1:-1]
    if not values.sum():
        return float("nan")
    cumulated = np.concatenate([[0.0], np.cumsum(values)])
    return float(10 ** np.interp(cumulated[-1] / 2, cumulated, fine.axes[0].edges))


class Bins(NamedTuple):
    """A spectrum as it is drawn: the edges of its bins, and the entries in each."""

    edges: NDArray[Any]
    counts: NDArray[Any]

    @property
    def width(self) -> Any:  # noqa: ANN401 - a NumPy number
        """The width of a bin."""
        return self.edges[1] - self.edges[0]


def draw_peak(axes: Any, spectrum: Any, peak: Peak | None, label: str, unit: str) -> None:  # noqa: ANN401 - matplotlib and hist
    """Draw a spectrum with Poisson errors and the fit of its peak, with its parameters."""
    bins = _join_bins(spectrum, peak)
    counts = bins.counts
    filled = np.flatnonzero(counts)
    _draw_points(axes, bins, filled)
    ylabel = f"clusters per {bins.width:g} {unit}"
    axes.set(xlabel=label, ylabel=ylabel, title=f"{counts.sum():,.0f} round clusters")
    if not len(filled):
        return
    if peak is None:
        say(axes, ["no fit: too few clusters"])
    else:
        _draw_fit(axes, peak, bins.width)
        say(axes, _parameters_of(peak, unit))
    top = float((counts + np.sqrt(counts)).max())
    axes.set(xlim=_shown_range(bins, filled, peak), ylim=(0, 1.35 * top))
    _draw_legend(axes)


def _shown_range(bins: Bins, filled: NDArray[Any], peak: Peak | None) -> tuple[float, float]:
    """Return the range that has entries, with a margin, and not too far from a peak."""
    low = bins.edges[filled[0]] - 3 * bins.width
    high = bins.edges[filled[-1] + 1] + 3 * bins.width
    if peak is not None:
        low = max(low, peak.position - 8 * peak.width)
        high = min(high, peak.position + 10 * peak.width)
    return max(0, low), high


def _join_bins(spectrum: Any, peak: Peak | None) -> Bins:  # noqa: ANN401 - a histogram
    """Return the bins of the fit, continued over the whole spectrum; without a fit, fours."""
    edges, counts = spectrum.axes[0].edges, spectrum.values()
    factor, offset = JOINED_WITHOUT_FIT, 0
    if peak is not None:
        factor = max(1, round((peak.edges[1] - peak.edges[0]) / (edges[1] - edges[0])))
        offset = int(np.argmin(np.abs(edges - peak.edges[0]))) % factor
    number = (len(counts) - offset) // factor
    joined = counts[offset : offset + number * factor].reshape(number, factor).sum(axis=1)
    return Bins(edges[offset::factor][: number + 1], joined)


def _draw_points(axes: Any, bins: Bins, filled: NDArray[Any]) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw the bins that have entries, as points with Poisson errors."""
    edges, counts = bins
    axes.errorbar(
        ((edges[1:] + edges[:-1]) / 2)[filled],
        counts[filled],
        np.sqrt(counts[filled]),
        fmt="o",
        color=INK,
        markersize=4,
        label="data",
    )


def _draw_fit(axes: Any, peak: Peak, width: float) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw the fitted curve and its background, in entries per bin."""
    where = np.linspace(peak.edges[0], peak.edges[-1], 400)
    axes.plot(where, peak.density(where) * width, color=RED, linewidth=2.2, label="fit")
    background = np.full_like(where, peak.background * width)
    axes.plot(where, background, color=GREY, linestyle="--", label="background")


def _parameters_of(peak: Peak, unit: str) -> list[str]:
    resolution = spell(100 * peak.resolution, 100 * peak.resolution_error)
    return [
        f"peak {spell(peak.position, peak.position_error, unit)}",
        f"$\\sigma$ {spell(peak.width, peak.width_error, unit)}",
        f"$\\sigma$ / peak {resolution} %",
        f"$\\chi^2$ / ndf {peak.chi2:.1f} / {peak.ndf}",
    ]


def _draw_legend(axes: Any) -> None:  # noqa: ANN401 - matplotlib axes
    """Name what is drawn, the data first."""
    handles, labels = axes.get_legend_handles_labels()
    by_name = dict(zip(labels, handles, strict=True))
    shown = [name for name in ("data", "fit", "background") if name in by_name]
    axes.legend([by_name[name] for name in shown], shown, loc="upper left")
