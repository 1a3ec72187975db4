"""The camera's plots of the middle and the high tier: reconstructed events, and what friends add to
them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from hist import Hist

from autoctrl.science.camera.plots.pictures import (
    BLUE,
    DARK_MAP,
    GREY,
    INK,
    ORANGE,
    RED,
    add_counts_bar,
    draw_steps,
    new_figure,
    say,
    show_image,
    spell,
)
from autoctrl.science.camera.plots.raw_frames import empty_map, facts_of
from autoctrl.science.quality import PlotResult, Tier, added, register
from autoctrl.science.quality.histograms import mean_of, read_tally, tally
from autoctrl.science.quality.peaks import Peak, fit_peak

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.science.camera.plots.rundata import About, RunData

LIGHT_AREA = 24
TENTHS = 10
ROUND_RATIO, ROUND_LENGTH = 1.4, 80.0
SPOT_LIGHT, SPOT_BINS = 40_000, 800


def is_round(data: RunData) -> NDArray[np.bool_]:
    """Return which clusters are round spots: as wide as long within 40 %, no longer than 80
    pixels.
    """
    along, across, length = (
        data.column(f"sc_{name}") for name in ("lfullrms", "tfullrms", "length")
    )
    chosen: NDArray[np.bool_] = (
        (along < ROUND_RATIO * across) & (across < ROUND_RATIO * along) & (length < ROUND_LENGTH)
    )
    return chosen


@register
class Occupancy:
    """Where the light of all clusters lies on the sensor, and where the clusters are."""

    name, tier = "occupancy", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Add up the listed pixels' light, in whole tenths of a count, and the clusters'
        centres.
        """
        light, centres = (
            empty_map(data.about.shape, LIGHT_AREA),
            empty_map(data.about.shape, 2 * LIGHT_AREA),
        )
        rows, cols, values = (data.column(f"redpix_{part}") for part in ("ix", "iy", "iz"))
        light.fill(cols, rows, weight=np.rint(TENTHS * np.maximum(values, 0.0).astype(np.float64)))
        centres.fill(data.column("sc_ymean"), data.column("sc_xmean"))
        sums = tally(events=float(len(data.events)), clusters=float(len(data.column("sc_xmean"))))
        histograms = added({"light": light, "centres": centres, "sums": sums}, previous)
        numbers = {"occupied_fraction": float(np.mean(histograms["light"].values() > 0))}
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any]) -> Any:  # noqa: ANN401 - a figure
        """Draw both maps side by side, the light on a logarithmic scale."""
        from matplotlib.colors import LogNorm

        known = read_tally(histograms["sums"])
        events = max(1.0, known["events"])
        facts = facts_of(about, int(known["events"]))
        figure, (left, right) = new_figure(
            f"Run {about.run}: occupancy", facts, columns=2, size=(12.0, 5.4)
        )
        light = histograms["light"].values().T / TENTHS / events
        top = max(float(light.max()), 1e-3)
        norm = LogNorm(max(float(light[light > 0].min(initial=top)), top / 1e4), top * 1.001)
        shown = np.where(light > 0, light, np.nan)
        drawn = show_image(left, shown, about.shape, cmap=DARK_MAP, norm=norm)
        left.set_facecolor("black")
        left.set_title("light")
        figure.colorbar(
            drawn, ax=left, label=f"counts per event and {LIGHT_AREA} x {LIGHT_AREA} pixels"
        )
        centres = histograms["centres"].values().T
        drawn = show_image(right, centres, about.shape, vmin=0)
        right.set_title(f"centres of {known['clusters']:,.0f} clusters")
        add_counts_bar(
            figure, drawn, right, f"clusters per {2 * LIGHT_AREA} x {2 * LIGHT_AREA} pixels"
        )
        return figure


@register
class Multiplicity:
    """How many clusters and seeds the events have."""

    name, tier = "clusters", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count clusters, directional ones, seeds, discharges and lost frames."""
        columns = (
            data.column(name).astype(np.float64) for name in ("nSc", "lp_len", "spark", "lost")
        )
        counts, seeds, sparks, lost = columns
        clusters = (
            Hist.new.Reg(200, -0.5, 199.5, name="clusters", label="clusters per event")
            .Double()
            .fill(counts)
        )
        spread = (
            Hist.new.Reg(500, 0, 50_000, name="seeds", label="seeds per event").Double().fill(seeds)
        )
        sums = tally(
            n=float(len(counts)),
            clusters=counts.sum(),
            clusters2=(counts**2).sum(),
            directional=float(data.column("sc_directional").sum()),
            sparks=sparks.sum(),
            lost=lost.sum(),
        )
        histograms = added({"clusters": clusters, "seeds": spread, "sums": sums}, previous)
        known = read_tally(histograms["sums"])
        mean, error = mean_of(known, "clusters")
        numbers = {
            "clusters_per_event": mean,
            "clusters_per_event_error": error,
            "events": known["n"],
        }
        numbers["spark_fraction"] = known["sparks"] / max(1.0, known["n"])
        numbers |= {"lost": known["lost"], "lost_fraction": known["lost"] / max(1.0, known["n"])}
        numbers["directional_fraction"] = known["directional"] / max(1.0, known["clusters"])
        if data.about.exposure_s:
            numbers |= {
                "rate_hz": mean / data.about.exposure_s,
                "rate_hz_error": error / data.about.exposure_s,
            }
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms, numbers))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], numbers: dict[str, float]) -> Any:  # noqa: ANN401 - a figure
        """Draw clusters and seeds per event."""
        known = read_tally(histograms["sums"])
        facts = facts_of(about, int(known["n"]))
        figure, (left, right) = new_figure(
            f"Run {about.run}: multiplicity", facts, columns=2, size=(12.0, 4.8)
        )
        draw_steps(left, histograms["clusters"], low=-0.5)
        mean = numbers["clusters_per_event"]
        left.axvline(np.nan_to_num(mean), color=RED, linestyle="--", linewidth=1.8, label="mean")
        left.set(xlabel="clusters per event", ylabel="events")
        left.set_title(
            f"{known['clusters']:,.0f} clusters, {known['directional']:,.0f} of them directional"
        )
        left.set_ylim(0, 1.3 * max(1.0, float(histograms["clusters"].values().max())))
        left.locator_params(integer=True)
        left.legend(loc="upper left")
        say(left, [f"mean {spell(mean, numbers['clusters_per_event_error'])}"])
        draw_steps(right, histograms["seeds"])
        right.set(xlabel="seeds per event", ylabel="events per 100 seeds")
        right.locator_params(axis="y", integer=True)
        lost = f", {known['lost']:.0f} lost frames" if known["lost"] else ""
        right.set_title(f"seeds; {known['sparks']:.0f} discharges{lost}")
        return figure


@register
class LightSpectrum:
    """How much light the clusters have, with a fit to the peak of the round ones."""

    name, tier = "light", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count clusters by light, all of them on a logarithmic axis, and round spots on a linear
        one.
        """
        light = data.column("sc_integral").astype(np.float64)
        every, tracks = (
            Hist.new.Reg(120, 1, 7, name="light", label="log10(light / counts)").Double()
            for _ in range(2)
        )
        logs = np.log10(np.maximum(light, 1e-3))
        every.fill(logs)
        tracks.fill(logs[data.column("sc_directional") > 0])
        spots = spot_spectrum("light (counts)").fill(light[is_round(data)])
        median = (
            Hist.new.Reg(6000, 1, 7, name="light", label="log10(light / counts)")
            .Double()
            .fill(logs)
        )
        sums = tally(events=float(len(data.events)), light=float(np.rint(16 * light).sum() / 16))
        histograms = added(
            {"all": every, "directional": tracks, "spots": spots, "fine": median, "sums": sums},
            previous,
        )
        peak, known = fit_peak(histograms["spots"]), read_tally(histograms["sums"])
        numbers = {"light_total": known["light"], "light_median": median_of(histograms["fine"])}
        numbers |= {} if peak is None else peak.numbers("light")
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms, peak))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], peak: Peak | None) -> Any:  # noqa: ANN401 - a figure
        """Draw the spectrum of all clusters, and that of the round ones with the fit."""
        events = int(read_tally(histograms["sums"])["events"])
        title = f"Run {about.run}: light of the clusters"
        figure, (left, right) = new_figure(
            title, facts_of(about, events), columns=2, size=(12.0, 5.0)
        )
        edges = 10.0 ** histograms["all"].axes[0].edges
        every, tracks = (histograms[name].values() for name in ("all", "directional"))
        left.stairs(
            every, edges, color=BLUE, fill=True, alpha=0.85, label=f"all, {every.sum():,.0f}"
        )
        left.stairs(
            tracks, edges, color=ORANGE, linewidth=2, label=f"directional, {tracks.sum():,.0f}"
        )
        filled = np.flatnonzero(every)
        if len(filled):
            left.set_xlim(edges[filled[0]] / 1.5, edges[filled[-1] + 1] * 1.5)
        left.set(
            xscale="log", xlabel="light of a cluster (counts)", ylabel="clusters per 0.05 decades"
        )
        left.set_title("all clusters")
        left.legend(loc="upper right")
        draw_peak(right, histograms["spots"], peak, "light of a round cluster (counts)", "counts")
        return figure


@register
class Energy:
    """The light of round clusters as the friends correct it, with a fit to its peak."""

    name, tier = "energy", Tier.HIGH

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count round clusters by corrected light."""
        spectrum, sums = spot_spectrum("corrected light (counts)"), tally(events=0.0)
        if (values := data.friend("sc_regr_integral")) is not None:
            spectrum.fill(values.astype(np.float64)[is_round(data)])
            sums = tally(events=float(len(data.events)))
        histograms = added({"corrected": spectrum, "sums": sums}, previous)
        events = int(read_tally(histograms["sums"])["events"])
        if not events:
            return PlotResult(histograms)
        peak = fit_peak(histograms["corrected"])
        numbers = {} if peak is None else peak.numbers("energy")
        return PlotResult(
            histograms, numbers, partial(self.draw, data.about, histograms, peak, events)
        )

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], peak: Peak | None, events: int) -> Any:  # noqa: ANN401 - a figure
        """Draw the spectrum with the fit."""
        figure, axes = new_figure(f"Run {about.run}: energy spectrum", facts_of(about, events))
        draw_peak(
            axes,
            histograms["corrected"],
            peak,
            "corrected light of a round cluster (counts)",
            "counts",
        )
        return figure


@register
class Depth:
    """How deep in the drift volume the clusters began, and how their light goes with it."""

    name, tier = "depth", Tier.HIGH

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count round clusters by depth and light."""
        plane = (
            Hist.new.Reg(25, 0, 50, name="depth", label="depth (cm)")
            .Reg(100, 0, SPOT_LIGHT / 2, name="light", label="light (counts)")
            .Double()
        )
        sums = tally(events=0.0)
        if (values := data.friend("sc_z")) is not None:
            chosen = is_round(data)
            depth = values[chosen]
            plane.fill(depth[depth >= 0], data.column("sc_integral")[chosen][depth >= 0])
            sums = tally(events=float(len(data.events)))
        histograms = added({"depth": plane, "sums": sums}, previous)
        events = int(read_tally(histograms["sums"])["events"])
        by_depth = histograms["depth"].values(flow=True).sum(axis=1)[1:-1]
        if not events or not by_depth.sum():
            return PlotResult(histograms)
        numbers = {
            "depth_mean_cm": float(by_depth @ histograms["depth"].axes[0].centers / by_depth.sum())
        }
        return PlotResult(
            histograms, numbers, partial(self.draw, data.about, histograms["depth"], events)
        )

    @staticmethod
    def draw(about: About, plane: Any, events: int) -> Any:  # noqa: ANN401 - histogram and figure
        """Draw the depths, and the light against the depth with its mean."""
        title = f"Run {about.run}: depth of the round clusters"
        figure, (left, right) = new_figure(
            title, facts_of(about, events), columns=2, size=(12.0, 4.8)
        )
        counts, depths, lights = plane.values(), plane.axes[0], plane.axes[1]
        by_depth = counts.sum(axis=1)
        left.stairs(by_depth, depths.edges, color=BLUE, fill=True, alpha=0.85)
        left.set(
            xlim=(0, 50),
            xlabel="depth (cm)",
            ylabel="clusters per 2 cm",
            title=f"{by_depth.sum():,.0f} clusters",
        )
        filled = np.flatnonzero(counts.sum(axis=0))
        low, high = (
            (lights.edges[filled[0]], lights.edges[filled[-1] + 1]) if len(filled) else (0, 1)
        )
        drawn = right.pcolormesh(
            depths.edges, lights.edges, np.where(counts > 0, counts, np.nan).T, rasterized=True
        )
        add_counts_bar(figure, drawn, right, "clusters")
        means, errors = column_means(counts, lights.centers)
        right.errorbar(
            depths.centers,
            means,
            errors,
            fmt="o",
            color=RED,
            ecolor=RED,
            markersize=5,
            label="mean",
        )
        right.set(
            xlim=(0, 50),
            ylim=(0.9 * low, 1.15 * high),
            xlabel="depth (cm)",
            ylabel="light (counts)",
        )
        right.set_title("light against depth")
        right.legend(loc="upper right")
        return figure


def column_means(counts: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and its error of the values for each row of counts; nan where there are fewer
    than two.
    """
    number = np.where(counts.sum(axis=1) > 1, counts.sum(axis=1), np.nan)
    mean = counts @ values / number
    return mean, np.sqrt(np.maximum(counts @ values**2 / number - mean**2, 0) / (number - 1))


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


def draw_peak(axes: Any, spectrum: Any, peak: Peak | None, label: str, unit: str) -> None:  # noqa: ANN401
    """Draw a spectrum with Poisson errors and the fit of its peak, with its parameters and
    chi2/ndf.
    """
    edges, counts = spectrum.axes[0].edges, spectrum.values()
    factor = (
        4
        if peak is None
        else max(1, round((peak.edges[1] - peak.edges[0]) / (edges[1] - edges[0])))
    )
    offset = 0 if peak is None else int(np.argmin(np.abs(edges - peak.edges[0]))) % factor
    number = (len(counts) - offset) // factor
    edges, counts = edges[offset::factor][: number + 1], counts[offset : offset + number * factor]
    counts = counts.reshape(number, factor).sum(axis=1)
    width, centres = edges[1] - edges[0], (edges[1:] + edges[:-1]) / 2
    filled = np.flatnonzero(counts)
    axes.errorbar(
        centres[filled],
        counts[filled],
        np.sqrt(counts[filled]),
        fmt="o",
        color=INK,
        markersize=4,
        label="data",
    )
    axes.set(
        xlabel=label,
        ylabel=f"clusters per {width:g} {unit}",
        title=f"{counts.sum():,.0f} round clusters",
    )
    if not len(filled):
        return
    low, high = edges[filled[0]] - 3 * width, edges[filled[-1] + 1] + 3 * width
    if peak is not None:
        high = min(high, peak.position + 10 * peak.width)
        low = max(low, peak.position - 8 * peak.width)
        where = np.linspace(peak.edges[0], peak.edges[-1], 400)
        axes.plot(where, peak.density(where) * width, color=RED, linewidth=2.2, label="fit")
        axes.plot(
            where,
            np.full_like(where, peak.background * width),
            color=GREY,
            linestyle="--",
            label="background",
        )
        lines = [
            f"peak {spell(peak.position, peak.position_error, unit)}",
            f"$\\sigma$ {spell(peak.width, peak.width_error, unit)}",
            f"$\\sigma$ / peak {spell(100 * peak.resolution, 100 * peak.resolution_error)} %",
            f"$\\chi^2$ / ndf {peak.chi2:.1f} / {peak.ndf}",
        ]
        say(axes, lines)
    else:
        say(axes, ["no fit: too few clusters"])
    axes.set(xlim=(max(0, low), high), ylim=(0, 1.35 * float((counts + np.sqrt(counts)).max())))
    handles, labels = axes.get_legend_handles_labels()
    by_name = dict(zip(labels, handles, strict=True))
    shown = [name for name in ("data", "fit", "background") if name in by_name]
    axes.legend([by_name[name] for name in shown], shown, loc="upper left")
