"""The plot of depth: how deep in the drift volume the clusters began."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from hist import Hist

from autoctrl.science.camera.plots.pictures import BLUE, RED, add_counts_bar, new_figure
from autoctrl.science.camera.plots.raw_frames import facts_of
from autoctrl.science.camera.plots.rundata import is_round
from autoctrl.science.camera.plots.spectra import SPOT_LIGHT
from autoctrl.science.quality import PlotResult, Tier, add_previous, register
from autoctrl.science.quality.histograms import read_tally, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.science.camera.plots.rundata import About, RunData

DEEPEST = 50  # cm


@register
class Depth:
    """How deep in the drift volume the clusters began, and how their light goes with it."""

    name, tier = "depth", Tier.HIGH

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count round clusters by depth and light."""
        histograms = add_previous(_count_depths(data), previous)
        plane = histograms["depth"]
        events = int(read_tally(histograms["sums"])["events"])
        by_depth = plane.values(flow=True).sum(axis=1)[1:-1]
        if not events or not by_depth.sum():
            return PlotResult(histograms)
        mean = float(by_depth @ plane.axes[0].centers / by_depth.sum())
        figure = partial(self.draw, data.about, plane, events)
        return PlotResult(histograms, {"depth_mean_cm": mean}, figure)

    @staticmethod
    def draw(about: About, plane: Any, events: int) -> Any:  # noqa: ANN401 - histogram and figure
        """Draw the depths, and the light against the depth with its mean."""
        title = f"Run {about.run}: depth of the round clusters"
        facts = facts_of(about, events)
        figure, (left, right) = new_figure(title, facts, columns=2, size=(12.0, 4.8))
        by_depth = plane.values().sum(axis=1)
        left.stairs(by_depth, plane.axes[0].edges, color=BLUE, fill=True, alpha=0.85)
        left.set(xlim=(0, DEEPEST), xlabel="depth (cm)", ylabel="clusters per 2 cm")
        left.set_title(f"{by_depth.sum():,.0f} clusters")
        add_counts_bar(figure, _show_plane(right, plane), right, "clusters")
        _draw_means(right, plane)
        right.set(xlim=(0, DEEPEST), ylim=_shown_light(plane))
        right.set(xlabel="depth (cm)", ylabel="light (counts)", title="light against depth")
        right.legend(loc="upper right")
        return figure


def _count_depths(data: RunData) -> dict[str, Any]:
    """Return the histograms of some events: round clusters by depth and light, and the sums."""
    depths = Hist.new.Reg(25, 0, DEEPEST, name="depth", label="depth (cm)")
    plane = depths.Reg(100, 0, SPOT_LIGHT / 2, name="light", label="light (counts)").Double()
    values = data.friend("sc_z")
    if values is None:
        return {"depth": plane, "sums": tally(events=0.0)}
    chosen = is_round(data)
    depth, light = values[chosen], data.column("sc_integral")[chosen]
    is_known = depth >= 0
    plane.fill(depth[is_known], light[is_known])
    return {"depth": plane, "sums": tally(events=float(len(data.events)))}


def _show_plane(axes: Any, plane: Any) -> Any:  # noqa: ANN401 - matplotlib and hist
    counts, (depths, lights) = plane.values(), plane.axes
    shown = np.where(counts > 0, counts, np.nan).T
    return axes.pcolormesh(depths.edges, lights.edges, shown, rasterized=True)


def _draw_means(axes: Any, plane: Any) -> None:  # noqa: ANN401 - matplotlib and hist
    depths, lights = plane.axes
    means, errors = column_means(plane.values(), lights.centers)
    style = {"fmt": "o", "color": RED, "ecolor": RED, "markersize": 5}
    axes.errorbar(depths.centers, means, errors, label="mean", **style)


def _shown_light(plane: Any) -> tuple[float, float]:  # noqa: ANN401 - a histogram
    """Return the range of light that has entries, with a margin."""
    edges = plane.axes[1].edges
    filled = np.flatnonzero(plane.values().sum(axis=0))
    low, high = (edges[filled[0]], edges[filled[-1] + 1]) if len(filled) else (0, 1)
    return 0.9 * low, 1.15 * high


def column_means(counts: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and its error of the values for each row of counts; nan for fewer than two."""
    number = np.where(counts.sum(axis=1) > 1, counts.sum(axis=1), np.nan)
    mean = counts @ values / number
    return mean, np.sqrt(np.maximum(counts @ values**2 / number - mean**2, 0) / (number - 1))
