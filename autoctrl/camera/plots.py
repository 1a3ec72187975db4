"""The camera's data-quality plots; each gives one picture and some numbers.

The data are those of one run, see ``RunData``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from autoctrl.camera.pictures import BLUE, GREY, ORANGE, RED, new_figure, show_image
from autoctrl.quality import PlotResult, Threshold, register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from autoctrl.camera.parameters import Pedestal

MAP_BINS = 96
NOISY_FACTOR = 3
THRESHOLDS = (
    Threshold("pedestal_mean", warn=(90, 110), alarm=(50, 200)),
    Threshold("pedestal_rms", warn=(0.5, 3), alarm=(0.1, 10)),
    Threshold("other_pedestal", warn=(None, 0)),
    Threshold("noisy_fraction", warn=(None, 1e-3), alarm=(None, 1e-2)),
    Threshold("clusters_per_event", warn=(0.5, 200), alarm=(None, 2000)),
    Threshold("spark_fraction", warn=(None, 0.05), alarm=(None, 0.5)),
)


@dataclass
class RunData:
    """One run: its entries of ``Events`` without pixel lists, of ``Friends`` (or none), and its pedestal.

    ``light_map`` is the light of all listed pixels in 96 x 96 areas of the sensor.  ``shown`` is one entry with its
    pixel list, and ``frame`` the raw frame of that event (or none).
    """

    run: int
    events: Any
    friends: Any
    pedestal: Pedestal
    light_map: NDArray[np.float64]
    shown: Any
    frame: NDArray[np.uint16] | None = None

    @property
    def size(self) -> int:
        """Width of the sensor in pixels."""
        return len(self.pedestal.mean)


def block_means(image: NDArray[Any], blocks: int) -> NDArray[np.float64]:
    """Return an image averaged over square blocks, some ``blocks`` a side; what does not fill a block is left out."""
    side = max(1, len(image) // blocks)
    kept = len(image) // side
    cut = image[: kept * side, : kept * side].astype(np.float64)
    averaged: NDArray[np.float64] = cut.reshape(kept, side, kept, side).mean(axis=(1, 3))
    return averaged


def add_light(image: NDArray[np.float64], chunk: Any, size: int) -> None:  # noqa: ANN401 - an awkward array
    """Add the listed pixels of some entries to a light map of a sensor of ``size`` pixels."""
    rows, cols, light = (ak.to_numpy(ak.flatten(chunk[f"redpix_{part}"])) for part in ("ix", "iy", "iz"))
    edges = np.linspace(0, size, MAP_BINS + 1)
    image += np.histogram2d(rows, cols, bins=(edges, edges), weights=np.maximum(light, 0))[0]


def mark_previous(axes: Any, previous: Mapping[str, float] | None, number: str) -> None:  # noqa: ANN401
    """Draw the earlier run's value of a number as a dashed line."""
    if previous and number in previous:
        axes.axvline(previous[number], color=GREY, linestyle="--", label="previous run")


@register
class Occupancy:
    """Where the light of all clusters lies on the sensor."""

    name = "occupancy"

    def __call__(self, data: RunData, previous: Mapping[str, float] | None = None) -> PlotResult:  # noqa: ARG002
        """Draw the light per area, and the clusters' positions."""
        image = data.light_map
        figure, axes = new_figure(size=(7.2, 6.0))
        drawn = show_image(axes, np.log10(1 + image / max(1, len(data.events))), data.size)
        where = [ak.to_numpy(ak.flatten(data.events[name])) for name in ("sc_ymean", "sc_xmean")]
        axes.scatter(*where, s=14, facecolors="none", edgecolors="#7fd1ff", linewidths=0.8)
        axes.set_title(f"Run {data.run}: light of {len(where[0])} clusters in {len(data.events)} events")
        figure.colorbar(drawn, ax=axes, label="log10(1 + counts per event and area)")
        return PlotResult(figure, {"occupied_fraction": float(np.mean(image > 0))})


@register
class PedestalMaps:
    """Mean and noise of every pixel."""

    name = "pedestal"

    def __call__(self, data: RunData, previous: Mapping[str, float] | None = None) -> PlotResult:  # noqa: ARG002
        """Draw both maps, averaged over small blocks."""
        figure, both = new_figure(2, size=(11.0, 5.0))
        numbers = {"other_pedestal": float(data.pedestal.run != data.shown["pedestal_run"])}
        for axes, name, image in zip(both, ("mean", "rms"), (data.pedestal.mean, data.pedestal.rms), strict=True):
            blocks = block_means(image, 288)
            low, high = np.percentile(blocks, (1, 99))
            drawn = show_image(axes, blocks, data.size, vmin=low, vmax=high)
            axes.set_title(f"Pedestal run {data.pedestal.run}: {name}")
            figure.colorbar(drawn, ax=axes, label="counts", shrink=0.85)
            numbers |= {f"pedestal_{name}": float(image.mean(dtype=np.float64))}
        return PlotResult(figure, numbers)


@register
class NoisyPixels:
    """How noisy the pixels are, and where the noisy ones lie."""

    name = "noisy"

    def __call__(self, data: RunData, previous: Mapping[str, float] | None = None) -> PlotResult:  # noqa: ARG002
        """Draw the spectrum of the noise and the positions of pixels above three times its median."""
        rms = data.pedestal.rms
        limit = NOISY_FACTOR * float(np.median(rms))
        rows, cols = np.nonzero(rms > limit)
        figure, (left, right) = new_figure(2, size=(11.0, 5.0))
        left.hist(rms.ravel(), bins=120, color=BLUE, log=True)
        left.axvline(limit, color=RED, linestyle="--", label="3 x median")
        left.set(xlabel="rms (counts)", ylabel="pixels")
        left.set_title(f"Noise of {rms.size:,} pixels")
        left.legend()
        right.scatter(cols, rows, s=2, color=RED, alpha=0.6, linewidths=0)
        right.set(xlim=(0, data.size), ylim=(data.size, 0), xlabel="column (y)", ylabel="row (x)", aspect="equal")
        right.set_title(f"{len(rows):,} noisy pixels ({len(rows) / rms.size:.2e})")
        return PlotResult(figure, {"noisy_fraction": len(rows) / rms.size})


@register
class Multiplicity:
    """How many clusters and seeds the events have."""

    name = "clusters"

    def __call__(self, data: RunData, previous: Mapping[str, float] | None = None) -> PlotResult:
        """Draw clusters per event as a histogram and seeds along the run."""
        counts = ak.to_numpy(data.events["nSc"])
        sparks = ak.to_numpy(data.events["spark"])
        figure, (left, right) = new_figure(2, size=(11.0, 4.5))
        left.hist(counts, bins=np.arange(0, counts.max(initial=0) + 2) - 0.5, color=BLUE, rwidth=0.9)
        mark_previous(left, previous, "clusters_per_event")
        left.set(xlabel="clusters", ylabel="events")
        left.locator_params(integer=True)
        left.set_title(f"Run {data.run}: {counts.sum()} clusters in {len(counts)} events")
        if previous and "clusters_per_event" in previous:
            left.legend()
        right.plot(data.events["event"], data.events["lp_len"], marker="o", markersize=4, color=BLUE, linewidth=1)
        right.set(xlabel="event", ylabel="seeds")
        right.set_ylim(0, 1.15 * float(ak.max(data.events["lp_len"], initial=1)))
        right.set_title(f"Seeds along the run, {sparks.sum()} discharges")
        mean = float(counts.mean()) if len(counts) else 0.0
        spark_fraction = float(sparks.mean()) if len(sparks) else 0.0
        return PlotResult(figure, {"clusters_per_event": mean, "spark_fraction": spark_fraction, "events": len(counts)})


@register
class LightSpectrum:
    """How much light the clusters have."""

    name = "light"

    def __call__(self, data: RunData, previous: Mapping[str, float] | None = None) -> PlotResult:
        """Draw the spectrum of the light, and of the corrected light when there are friends."""
        light = ak.to_numpy(ak.flatten(data.events["sc_integral"]))
        light = light[light > 0]
        figure, axes = new_figure()
        low, high = (light.min(), light.max()) if len(light) else (1e2, 1e5)
        bins = np.geomspace(0.5 * low, 2 * high, 40)
        axes.hist(light, bins=bins, color=BLUE, alpha=0.85, label="integral")
        if data.friends is not None and "sc_regr_integral" in data.friends.fields:
            corrected = ak.to_numpy(ak.flatten(data.friends["sc_regr_integral"]))
            axes.hist(corrected, bins=bins, histtype="step", color=ORANGE, linewidth=2, label="corrected (friend)")
        mark_previous(axes, previous, "light_median")
        axes.set(xscale="log", xlabel="light (counts)", ylabel="clusters")
        axes.set_title(f"Run {data.run}: light of {len(light)} clusters")
        axes.legend()
        median = float(np.median(light)) if len(light) else 0.0
        return PlotResult(figure, {"light_median": median, "light_total": float(light.sum())})


@register
class EventDisplay:
    """One event with its clusters."""

    name = "display"

    def __call__(self, data: RunData, previous: Mapping[str, float] | None = None) -> PlotResult:  # noqa: ARG002
        """Draw the frame above pedestal (or, without it, the clusters' pixels) and outline the clusters."""
        entry = data.shown
        image = self._image(data)
        figure, axes = new_figure(size=(8.0, 7.0))
        drawn = show_image(axes, image, data.size, vmin=0, vmax=max(1.0, float(np.percentile(image, 99.7))))
        boxes = zip(*(entry[f"sc_{name}"] for name in ("ymin", "xmin", "ymax", "xmax", "integral")), strict=True)
        for number, (left, top, right, bottom, light) in enumerate(boxes):
            axes.add_patch(_outline(left, top, right - left + 1, bottom - top + 1))
            label = f"{number}: {light:,.0f}"
            axes.annotate(label, (left, top), (0, 3), textcoords="offset points", color="#7fd1ff", fontsize=8)
        axes.set_title(f"Run {data.run}, event {entry['event']}: {len(entry['sc_size'])} clusters")
        figure.colorbar(drawn, ax=axes, label="counts above pedestal", shrink=0.85)
        return PlotResult(figure)

    @staticmethod
    def _image(data: RunData) -> NDArray[np.float64]:
        if data.frame is not None:
            return block_means(data.frame - data.pedestal.mean, 576)
        image = np.zeros((data.size, data.size))
        rows, cols, light = (np.asarray(data.shown[f"redpix_{part}"]) for part in ("ix", "iy", "iz"))
        image[rows, cols] = light
        return block_means(image, 576)


def _outline(left: float, top: float, width: float, height: float) -> Any:  # noqa: ANN401 - a matplotlib patch
    """Return the frame drawn around a cluster."""
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), width, height, fill=False, edgecolor="#7fd1ff", linewidth=1.0)
