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
from autoctrl.science.quality import PlotResult, Tier, added, register
from autoctrl.science.quality.histograms import mean_of, read_tally, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.science.camera.plots.rundata import About, RunData

AREA, NOISY_AREA = 16, 48
NOISY_FACTOR = 3
HOT_COUNTS, HOT_SIGMAS = 1.0, 6.0
MAD_TO_SIGMA = 1.4826
STEP = 2.0**-12  # what is summed is a multiple of this, so that sums do not depend on their order
CORE_SIGMAS = 3
FEWEST_FRAMES = 4  # the scatter of fewer is no measure of the error


def facts_of(about: About, events: int | None = None) -> str:
    """Return what stands at the right of a headline: start of the run, events."""
    parts = [spell_time(about.start), "" if events is None else f"{events:,} events"]
    return "  ·  ".join(part for part in parts if part)


def area_map(image: NDArray[Any], side: int) -> Any:  # noqa: ANN401 - a histogram
    """Return an image, averaged over areas of ``side`` pixels a side, as a histogram of column and
    row.
    """
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
        new = {}
        if data.pedestal is not None:
            new = {name: area_map(getattr(data.pedestal, name), AREA) for name in ("mean", "rms")}
            other = bool(np.any(data.column("pedestal_run") != data.pedestal.run))
            new["sums"] = tally(other_pedestal=float(other))
        histograms = added(new, previous) or ({} if previous is None else previous.histograms)
        if not histograms:
            return PlotResult()
        mean, rms = (histograms[name].values().T for name in ("mean", "rms"))
        limit = hot_limit(mean)
        numbers = {
            "pedestal_mean": float(mean.mean()),
            "pedestal_mean_error": float(mean.std() / np.sqrt(mean.size)),
            "pedestal_rms": float(rms.mean()),
            "pedestal_rms_error": float(rms.std() / np.sqrt(rms.size)),
            "hot_fraction": float(np.mean(mean > limit)),
            "hot_counts": float(mean.max() - np.median(mean)),
            **read_tally(histograms["sums"]),
        }
        return PlotResult(histograms, numbers, partial(self.draw, data.about, mean, rms, numbers))

    @staticmethod
    def draw(about: About, mean: NDArray[Any], rms: NDArray[Any], numbers: dict[str, float]) -> Any:  # noqa: ANN401
        """Draw both maps side by side; areas that stand out are framed in the map of the mean."""
        title = f"Run {about.run}: pedestal of run {about.pedestal_run}"
        figure, both = new_figure(title, facts_of(about), columns=2, size=(12.0, 5.4))
        for axes, name, areas in zip(both, ("mean", "rms"), (mean, rms), strict=True):
            low, high = np.percentile(areas, (0.5, 99.5))
            drawn = show_image(axes, areas, about.shape, vmin=low, vmax=high)
            value = spell(numbers[f"pedestal_{name}"], numbers[f"pedestal_{name}_error"], "counts")
            axes.set_title(f"{name}: {value}")
            figure.colorbar(
                drawn, ax=axes, label=f"{name} of the pixels of an area (counts)", extend="both"
            )
        hot = np.argwhere(mean > hot_limit(mean))
        if len(hot):
            both[0].scatter(
                *((hot[:, ::-1] + 0.5) * AREA).T,
                s=40,
                marker="s",
                facecolors="none",
                edgecolors=RED,
            )
            both[0].set_title(
                f"mean: {len(hot)} hot areas, up to {numbers['hot_counts']:+.1f} counts", color=RED
            )
        return figure


def hot_limit(mean: NDArray[Any]) -> float:
    """Return the mean above which an area is hot: 6 robust standard deviations, at least 1 count,
    over the median.
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
        spectrum = Hist.new.Reg(600, 0, 30, name="rms", label="rms of a pixel (counts)").Double()
        where, sums = (
            empty_map(data.about.shape, NOISY_AREA),
            {"pixels": 0.0, "noisy": 0.0, "limit": 0.0},
        )
        if data.pedestal is not None:
            rms = data.pedestal.rms
            limit = NOISY_FACTOR * float(np.median(rms))
            rows, cols = np.nonzero(rms > limit)
            spectrum.fill(rms.ravel())
            where.fill(cols, rows)
            sums = {"pixels": float(rms.size), "noisy": float(len(rows)), "limit": limit}
        histograms = added({"rms": spectrum, "where": where, "sums": tally(**sums)}, previous)
        known = read_tally(histograms["sums"])
        if not known["pixels"]:
            return PlotResult(histograms)
        numbers = {"noisy_fraction": known["noisy"] / known["pixels"]}
        return PlotResult(histograms, numbers, partial(self.draw, data.about, histograms, known))

    @staticmethod
    def draw(about: About, histograms: dict[str, Any], known: dict[str, float]) -> Any:  # noqa: ANN401
        """Draw the spectrum of the noise, and the noisy pixels by area."""
        title = f"Run {about.run}: noise of the pixels, pedestal run {about.pedestal_run}"
        figure, (left, right) = new_figure(title, facts_of(about), columns=2, size=(12.0, 5.4))
        draw_steps(left, histograms["rms"], low=0)
        left.axvline(
            known["limit"], color=RED, linestyle="--", linewidth=1.8, label="three times the median"
        )
        left.set(
            yscale="log",
            ylim=(0.5, None),
            xlabel="rms of a pixel (counts)",
            ylabel="pixels per 0.05 counts",
        )
        left.set_title(f"{known['pixels']:,.0f} pixels")
        left.legend(loc="upper right")
        counts = histograms["where"].values().T
        drawn = show_image(
            right, counts, about.shape, cmap=DARK_MAP, vmin=0, vmax=max(1.0, float(counts.max()))
        )
        right.set_title(
            f"{known['noisy']:,.0f} noisy pixels ({known['noisy'] / known['pixels']:.2e})"
        )
        add_counts_bar(figure, drawn, right, f"noisy pixels per {NOISY_AREA} x {NOISY_AREA} pixels")
        return figure


@register
class Frames:
    """How far the raw frames of the run lie from its pedestal."""

    name, tier = "frames", Tier.LOW

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Average the distance of every fifth frame, pixels with light left out."""
        shifts = Hist.new.Reg(
            2000, -10, 10, name="shift", label="frame - pedestal (counts)"
        ).Double()
        sums = {"n": 0.0, "shift": 0.0, "shift2": 0.0, "width": 0.0, "width2": 0.0}
        for residual in data.residuals:
            spread = float(np.percentile(np.abs(residual), 68.27))
            dark = residual[np.abs(residual) < CORE_SIGMAS * spread]
            shift, width = (
                float(np.rint(value / STEP) * STEP)
                for value in (dark.mean(dtype=np.float64), dark.std())
            )
            shifts.fill([shift])
            new = {
                "n": 1.0,
                "shift": shift,
                "shift2": shift * shift,
                "width": width,
                "width2": width * width,
            }
            sums = {name: sums[name] + new[name] for name in sums}
        histograms = added({"shift": shifts, "sums": tally(**sums)}, previous)
        known = read_tally(histograms["sums"])
        shift, error = mean_of(known, "shift")
        width, width_error = mean_of(known, "width")
        numbers = {"pedestal_shift": shift, "frame_noise": width}
        numbers |= {"pedestal_shift_error": error} if known["n"] >= FEWEST_FRAMES else {}
        if not known["n"]:
            return PlotResult(histograms)
        facts = [
            f"shift {spell(shift, error, 'counts')}",
            f"noise {spell(width, width_error, 'counts')}",
        ]
        return PlotResult(
            histograms, numbers, partial(self.draw, data.about, histograms["shift"], known, facts)
        )

    @staticmethod
    def draw(about: About, shifts: Any, known: dict[str, float], facts: list[str]) -> Any:  # noqa: ANN401
        """Draw the distances of the frames."""
        title = f"Run {about.run}: frames against pedestal run {about.pedestal_run}"
        figure, axes = new_figure(title, facts_of(about))
        draw_steps(axes, shifts)
        mean = known["shift"] / known["n"]
        axes.axvline(0, color=ORANGE, linestyle="--", linewidth=1.8, label="pedestal")
        low, high = axes.get_xlim()
        reach = (
            max(0.15, 1.4 * abs(mean), abs(low), abs(high))
            if abs(mean) < 1
            else max(abs(low), abs(high))
        )
        axes.set(xlim=(-reach, reach), xlabel="mean of frame - pedestal, dark pixels (counts)")
        axes.set(
            ylabel="frames per 0.01 counts",
            title=f"{known['n']:.0f} frames, every fifth of the run",
        )
        axes.set_ylim(0, 1.35 * float(shifts.values().max(initial=1)))
        axes.locator_params(axis="y", integer=True)
        axes.legend(loc="upper left")
        say(axes, facts)
        return figure
