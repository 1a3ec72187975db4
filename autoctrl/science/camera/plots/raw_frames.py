"""The camera's plots of the low tier: the pedestal and the raw frames."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from hist import Hist

from autoctrl.science.camera.plots.pictures import (
    DARK_MAP,
    ORANGE,
    RED,
    add_counts_bar,
    draw_steps,
    new_figure,
    say,
    show_image,
    spell,
    spell_time,
)
from autoctrl.science.camera.plots.rundata import block_means
from autoctrl.science.quality import PlotResult, Tier, add_previous, register
from autoctrl.science.quality.histograms import mean_of, read_tally, tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from autoctrl.science.camera.plots.rundata import About, RunData

AREA, NOISY_AREA = 16, 48
NOISY_FACTOR = 3
HOT_COUNTS, HOT_SIGMAS = 1.0, 6.0
MAD_TO_SIGMA = 1.4826
STEP = 2.0**-12  # what is summed is a multiple of this, so that sums do not depend on their order
CORE_SIGMAS = 3
FEWEST_FRAMES = 4  # the scatter of fewer does not measure the error


def facts_of(about: About, events: int | None = None) -> str:
    """Return what stands at the right of a headline: start of the run, events."""
    parts = [spell_time(about.start), "" if events is None else f"{events:,} events"]
    return "  ·  ".join(part for part in parts if part)


def area_map(image: NDArray[Any], side: int) -> Any:  # noqa: ANN401 - a histogram
    """Return an image as a histogram of column and row, averaged over square areas."""
    areas = block_means(image, side)
    rows, cols = areas.shape
    made = empty_map((rows * side, cols * side), side)
    made.view()[...] = areas.T
    return made


def empty_map(shape: tuple[int, int], side: int) -> Any:  # noqa: ANN401 - a histogram
    """Return a histogram of column and row (pixels) with areas of ``side`` pixels a side."""
    rows, cols = (max(1, length // side) for length in shape)
    columns = Hist.new.Reg(cols, 0, cols * side, name="column", label="column y (pixels)")
    return columns.Reg(rows, 0, rows * side, name="row", label="row x (pixels)").Double()


@register
class PedestalMaps:
    """Mean and noise of every pixel, and areas whose mean stands out."""

    name, tier = "pedestal", Tier.LOW

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Average both maps over areas of 16 x 16 pixels; they come once, with the first event."""
        histograms = add_previous(_average_maps(data), previous)
        if previous is not None and not histograms:
            histograms = previous.histograms
        if not histograms:
            return PlotResult()
        mean, rms = (histograms[name].values().T for name in ("mean", "rms"))
        numbers = {
            **_mean_of_map("pedestal_mean", mean),
            **_mean_of_map("pedestal_rms", rms),
            "hot_fraction": float(np.mean(mean > hot_limit(mean))),
            "hot_counts": float(mean.max() - np.median(mean)),
            **read_tally(histograms["sums"]),
        }
        return PlotResult(histograms, numbers, partial(self.draw, data.about, mean, rms, numbers))

    @staticmethod
    def draw(about: About, mean: NDArray[Any], rms: NDArray[Any], numbers: dict[str, float]) -> Any:  # noqa: ANN401 - a figure
        """Draw both maps side by side; areas that stand out are framed in the map of the mean."""
        title = f"Run {about.run}: pedestal of run {about.pedestal_run}"
        figure, both = new_figure(title, facts_of(about), columns=2, size=(12.0, 5.4))
        for axes, name, areas in zip(both, ("mean", "rms"), (mean, rms), strict=True):
            low, high = np.percentile(areas, (0.5, 99.5))
            drawn = show_image(axes, areas, about.shape, vmin=low, vmax=high)
            value = spell(numbers[f"pedestal_{name}"], numbers[f"pedestal_{name}_error"], "counts")
            axes.set_title(f"{name}: {value}")
            label = f"{name} of the pixels of an area (counts)"
            figure.colorbar(drawn, ax=axes, label=label, extend="both")
        _frame_hot_areas(both[0], mean, numbers["hot_counts"])
        return figure


def _average_maps(data: RunData) -> dict[str, Any]:
    """Return the histograms of a run's pedestal; none where it does not come with the events."""
    if data.pedestal is None:
        return {}
    other = bool(np.any(data.column("pedestal_run") != data.pedestal.run))
    return {
        "mean": area_map(data.pedestal.mean, AREA),
        "rms": area_map(data.pedestal.rms, AREA),
        "sums": tally(other_pedestal=float(other)),
    }


def _mean_of_map(name: str, areas: NDArray[Any]) -> dict[str, float]:
    error = float(areas.std() / np.sqrt(areas.size))
    return {name: float(areas.mean()), f"{name}_error": error}


def _frame_hot_areas(axes: Any, mean: NDArray[Any], hot_counts: float) -> None:  # noqa: ANN401 - matplotlib axes
    """Frame the areas that stand out, and say in the title how many there are."""
    hot = np.argwhere(mean > hot_limit(mean))
    if not len(hot):
        return
    columns, rows = ((hot[:, ::-1] + 0.5) * AREA).T
    axes.scatter(columns, rows, s=40, marker="s", facecolors="none", edgecolors=RED)
    axes.set_title(f"mean: {len(hot)} hot areas, up to {hot_counts:+.1f} counts", color=RED)


def hot_limit(mean: NDArray[Any]) -> float:
    """Return the mean above which an area is hot.

    It lies 6 robust standard deviations, and at least 1 count, above the median.
    """
    middle = float(np.median(mean))
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(mean - middle)))
    return middle + max(HOT_COUNTS, HOT_SIGMAS * sigma)


@register
class NoisyPixels:
    """How noisy the pixels are, and where the noisy ones lie."""

    name, tier = "noisy", Tier.LOW

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Count the pixels by noise, and those above three times its median by area."""
        histograms = add_previous(_count_noisy(data), previous)
        known = read_tally(histograms["sums"])
        if not known["pixels"]:
            return PlotResult(histograms)
        numbers = {"noisy_fraction": known["noisy"] / known["pixels"]}
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms, known))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], known: dict[str, float]) -> Any:  # noqa: ANN401 - a figure
        """Draw the spectrum of the noise, and the noisy pixels by area."""
        title = f"Run {about.run}: noise of the pixels, pedestal run {about.pedestal_run}"
        figure, (left, right) = new_figure(title, facts_of(about), columns=2, size=(12.0, 5.4))
        _draw_noise(left, histograms["rms"], known["limit"])
        left.set_title(f"{known['pixels']:,.0f} pixels")
        counts = histograms["where"].values().T
        top = max(1.0, float(counts.max()))
        drawn = show_image(right, counts, about.shape, cmap=DARK_MAP, vmin=0, vmax=top)
        fraction = known["noisy"] / known["pixels"]
        right.set_title(f"{known['noisy']:,.0f} noisy pixels ({fraction:.2e})")
        add_counts_bar(figure, drawn, right, f"noisy pixels per {NOISY_AREA} x {NOISY_AREA} pixels")
        return figure


def _count_noisy(data: RunData) -> dict[str, Any]:
    """Return the histograms of a run's noise, empty where its pedestal does not come along."""
    spectrum = Hist.new.Reg(600, 0, 30, name="rms", label="rms of a pixel (counts)").Double()
    where = empty_map(data.about.shape, NOISY_AREA)
    if data.pedestal is None:
        sums = tally(pixels=0.0, noisy=0.0, limit=0.0)
        return {"rms": spectrum, "where": where, "sums": sums}
    rms = data.pedestal.rms
    limit = NOISY_FACTOR * float(np.median(rms))
    rows, cols = np.nonzero(rms > limit)
    spectrum.fill(rms.ravel())
    where.fill(cols, rows)
    sums = tally(pixels=float(rms.size), noisy=float(len(rows)), limit=limit)
    return {"rms": spectrum, "where": where, "sums": sums}


def _draw_noise(axes: Any, spectrum: Any, limit: float) -> None:  # noqa: ANN401 - matplotlib and hist
    draw_steps(axes, spectrum, low=0)
    axes.axvline(limit, color=RED, linestyle="--", linewidth=1.8, label="three times the median")
    axes.set(yscale="log", ylim=(0.5, None))
    axes.set(xlabel="rms of a pixel (counts)", ylabel="pixels per 0.05 counts")
    axes.legend(loc="upper right")


@register
class Frames:
    """How far the raw frames of the run lie from its pedestal."""

    name, tier = "frames", Tier.LOW

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Average the distance of every fifth frame, pixels with light left out."""
        histograms = add_previous(_measure_shifts(data.residuals), previous)
        known = read_tally(histograms["sums"])
        shift, error = mean_of(known, "shift")
        width, width_error = mean_of(known, "width")
        if not known["n"]:
            return PlotResult(histograms)
        numbers = {"pedestal_shift": shift, "frame_noise": width}
        if known["n"] >= FEWEST_FRAMES:
            numbers["pedestal_shift_error"] = error
        facts = [
            f"shift {spell(shift, error, 'counts')}",
            f"noise {spell(width, width_error, 'counts')}",
        ]
        figure = partial(self.draw, data.about, histograms["shift"], known, facts)
        return PlotResult(histograms, numbers, figure)

    @staticmethod
    def draw(about: About, shifts: Any, known: dict[str, float], facts: list[str]) -> Any:  # noqa: ANN401 - histogram and figure
        """Draw the distances of the frames."""
        title = f"Run {about.run}: frames against pedestal run {about.pedestal_run}"
        figure, axes = new_figure(title, facts_of(about))
        draw_steps(axes, shifts)
        axes.axvline(0, color=ORANGE, linestyle="--", linewidth=1.8, label="pedestal")
        reach = _reach(axes.get_xlim(), known["shift"] / known["n"])
        axes.set(xlim=(-reach, reach), xlabel="mean of frame - pedestal, dark pixels (counts)")
        axes.set(ylabel="frames per 0.01 counts")
        axes.set_title(f"{known['n']:.0f} frames, every fifth of the run")
        axes.set_ylim(0, 1.35 * float(shifts.values().max(initial=1)))
        axes.locator_params(axis="y", integer=True)
        axes.legend(loc="upper left")
        say(axes, facts)
        return figure


def _measure_shifts(residuals: Iterable[NDArray[np.float32]]) -> dict[str, Any]:
    """Return the histograms of some frames' distance from the pedestal, and the sums."""
    shifts = Hist.new.Reg(2000, -10, 10, name="shift", label="frame - pedestal (counts)").Double()
    sums = dict.fromkeys(("n", "shift", "shift2", "width", "width2"), 0.0)
    for residual in residuals:
        shift, width = _measure_dark_pixels(residual)
        shifts.fill([shift])
        new = (1.0, shift, shift * shift, width, width * width)
        sums = {name: known + more for (name, known), more in zip(sums.items(), new, strict=True)}
    return {"shift": shifts, "sums": tally(**sums)}


def _measure_dark_pixels(residual: NDArray[np.float32]) -> tuple[float, float]:
    """Return mean and spread of a frame minus the pedestal, pixels with light left out."""
    spread = float(np.percentile(np.abs(residual), 68.27))
    dark = residual[np.abs(residual) < CORE_SIGMAS * spread]
    return _round_to_step(dark.mean(dtype=np.float64)), _round_to_step(dark.std())


def _round_to_step(value: Any) -> float:  # noqa: ANN401 - a NumPy number
    return float(np.rint(value / STEP) * STEP)


def _reach(limits: tuple[float, float], mean: float) -> float:
    """Return how far the axis reaches to both sides of 0."""
    reach = max(map(abs, limits))
    return reach if abs(mean) >= 1 else max(0.15, 1.4 * abs(mean), reach)
