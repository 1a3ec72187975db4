"""The plots of clusters: where they lie, and how many the events have."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from hist import Hist

from autoctrl.science.camera.plots.pictures import (
    DARK_MAP,
    RED,
    add_counts_bar,
    draw_steps,
    new_figure,
    say,
    show_image,
    spell,
)
from autoctrl.science.camera.plots.raw_frames import empty_map, facts_of
from autoctrl.science.quality import PlotResult, Tier, add_previous, register
from autoctrl.science.quality.histograms import mean_of, read_tally, tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.science.camera.plots.rundata import About, RunData

LIGHT_AREA = 24
CENTRES_AREA = 2 * LIGHT_AREA
TENTHS = 10


@register
class Occupancy:
    """Where the light of all clusters lies on the sensor, and where the clusters are."""

    name, tier = "occupancy", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Add up the light of the listed pixels, in whole tenths of a count, and the centres."""
        light = empty_map(data.about.shape, LIGHT_AREA)
        rows, cols, values = (data.column(f"redpix_{part}") for part in ("ix", "iy", "iz"))
        light.fill(cols, rows, weight=np.rint(TENTHS * np.maximum(values, 0.0).astype(np.float64)))
        centres = empty_map(data.about.shape, CENTRES_AREA)
        centres.fill(data.column("sc_ymean"), data.column("sc_xmean"))
        sums = tally(events=float(len(data.events)), clusters=float(len(data.column("sc_xmean"))))
        histograms = add_previous({"light": light, "centres": centres, "sums": sums}, previous)
        numbers = {"occupied_fraction": float(np.mean(histograms["light"].values() > 0))}
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any]) -> Any:  # noqa: ANN401 - a figure
        """Draw both maps side by side, the light on a logarithmic scale."""
        known = read_tally(histograms["sums"])
        title, facts = f"Run {about.run}: occupancy", facts_of(about, int(known["events"]))
        figure, (left, right) = new_figure(title, facts, columns=2, size=(12.0, 5.4))
        light = histograms["light"].values().T / TENTHS / max(1.0, known["events"])
        drawn = _show_light(left, light, about)
        left.set_title("light")
        per_area = f"counts per event and {LIGHT_AREA} x {LIGHT_AREA} pixels"
        figure.colorbar(drawn, ax=left, label=per_area)
        drawn = show_image(right, histograms["centres"].values().T, about.shape, vmin=0)
        right.set_title(f"centres of {known['clusters']:,.0f} clusters")
        per_area = f"clusters per {CENTRES_AREA} x {CENTRES_AREA} pixels"
        add_counts_bar(figure, drawn, right, per_area)
        return figure


def _show_light(axes: Any, light: Any, about: About) -> Any:  # noqa: ANN401 - matplotlib objects and an image
    """Draw a map of light on a logarithmic scale of four decades at most."""
    from matplotlib.colors import LogNorm

    top = max(float(light.max()), 1e-3)
    lowest = float(light[light > 0].min(initial=top))
    scale = LogNorm(max(lowest, top / 1e4), top * 1.001)
    axes.set_facecolor("black")
    lit = np.where(light > 0, light, np.nan)
    return show_image(axes, lit, about.shape, cmap=DARK_MAP, norm=scale)


@register
class Multiplicity:
    """How many clusters and seeds the events have."""

    name, tier = "clusters", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count clusters, directional ones, seeds, discharges and lost frames."""
        histograms = add_previous(_count_clusters(data), previous)
        numbers = _numbers_of(read_tally(histograms["sums"]), data.about.exposure_s)
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms, numbers))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], numbers: dict[str, float]) -> Any:  # noqa: ANN401 - a figure
        """Draw clusters and seeds per event."""
        known = read_tally(histograms["sums"])
        title, facts = f"Run {about.run}: multiplicity", facts_of(about, int(known["n"]))
        figure, (left, right) = new_figure(title, facts, columns=2, size=(12.0, 4.8))
        _draw_clusters(left, histograms["clusters"], numbers)
        directional = f"{known['directional']:,.0f} of them directional"
        left.set_title(f"{known['clusters']:,.0f} clusters, {directional}")
        draw_steps(right, histograms["seeds"])
        right.set(xlabel="seeds per event", ylabel="events per 100 seeds")
        right.locator_params(axis="y", integer=True)
        lost = f", {known['lost']:.0f} lost frames" if known["lost"] else ""
        right.set_title(f"seeds; {known['sparks']:.0f} discharges{lost}")
        return figure


def _count_clusters(data: RunData) -> dict[str, Any]:
    """Return the histograms of some events: clusters and seeds per event, and the sums."""
    counts, seeds, sparks, lost = (
        data.column(name).astype(np.float64) for name in ("nSc", "lp_len", "spark", "lost")
    )
    clusters = Hist.new.Reg(200, -0.5, 199.5, name="clusters", label="clusters per event").Double()
    spread = Hist.new.Reg(500, 0, 50_000, name="seeds", label="seeds per event").Double()
    sums = tally(
        n=float(len(counts)),
        clusters=counts.sum(),
        clusters2=(counts**2).sum(),
        directional=float(data.column("sc_directional").sum()),
        sparks=sparks.sum(),
        lost=lost.sum(),
    )
    return {"clusters": clusters.fill(counts), "seeds": spread.fill(seeds), "sums": sums}


def _numbers_of(known: Mapping[str, float], exposure_s: float) -> dict[str, float]:
    """Return the numbers that follow from the sums; a rate only where the exposure is known."""
    events = max(1.0, known["n"])
    mean, error = mean_of(known, "clusters")
    numbers = {
        "clusters_per_event": mean,
        "clusters_per_event_error": error,
        "events": known["n"],
        "spark_fraction": known["sparks"] / events,
        "lost": known["lost"],
        "lost_fraction": known["lost"] / events,
        "directional_fraction": known["directional"] / max(1.0, known["clusters"]),
    }
    if exposure_s:
        numbers |= {"rate_hz": mean / exposure_s, "rate_hz_error": error / exposure_s}
    return numbers


def _draw_clusters(axes: Any, histogram: Any, numbers: Mapping[str, float]) -> None:  # noqa: ANN401 - matplotlib and hist
    draw_steps(axes, histogram, low=-0.5)
    mean, error = numbers["clusters_per_event"], numbers["clusters_per_event_error"]
    axes.axvline(np.nan_to_num(mean), color=RED, linestyle="--", linewidth=1.8, label="mean")
    axes.set(xlabel="clusters per event", ylabel="events")
    axes.set_ylim(0, 1.3 * max(1.0, float(histogram.values().max())))
    axes.locator_params(integer=True)
    axes.legend(loc="upper left")
    say(axes, [f"mean {spell(mean, error)}"])
