"""How the camera's pictures look: one style for all, and how they are written."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from autoctrl.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# colours that people with any kind of colour vision tell apart (Okabe and Ito); maps of even steps
# in lightness
INK, GREY, BLUE, ORANGE, RED, SKY = "#1f2a37", "#6d7988", "#0072b2", "#e69f00", "#d55e00", "#56b4e9"
MAP = "viridis"
DARK_MAP = "inferno"
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.formatter.useoffset": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "font.size": 11,
    "grid.color": "#e3e7ec",
    "legend.frameon": False,
    "legend.fontsize": 11,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def use_style() -> Iterator[None]:
    """Draw without a display and in the common style."""
    mpl.use("Agg")
    with mpl.rc_context(STYLE):
        yield


def new_figure(
    title: str,
    facts: str = "",
    *,
    columns: int = 1,
    rows: int = 1,
    size: tuple[float, float] = (8.0, 5.2),
) -> tuple[Any, Any]:
    """Return a figure with a headline, the title at its left and the facts at its right, and its
    axes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold")
    figure.text(0.988, 0.985, facts, ha="right", va="top", fontsize=10.5, color=GREY)
    return figure, figure.subplots(rows, columns)


def show_image(axes: Any, image: Any, shape: tuple[int, int], **settings: Any) -> Any:  # noqa: ANN401 - matplotlib objects
    """Draw a (row, column) image over the whole sensor, in pixels, row 0 at the top; returns the
    drawn image.
    """
    rows, cols = shape
    axes.grid(visible=False)
    drawn = axes.imshow(
        image,
        **{
            "extent": (0, cols, rows, 0),
            "cmap": MAP,
            "interpolation": "nearest",
            "rasterized": True,
            **settings,
        },
    )
    axes.set(xlabel="column y (pixels)", ylabel="row x (pixels)")
    return drawn


def add_counts_bar(figure: Any, drawn: Any, axes: Any, label: str) -> None:  # noqa: ANN401 - matplotlib objects
    """Add the colour bar of an image of counts, with whole numbers on it."""
    from matplotlib.ticker import MaxNLocator

    figure.colorbar(drawn, ax=axes, label=label, ticks=MaxNLocator(nbins=6, integer=True))


def draw_steps(axes: Any, histogram: Any, *, low: float | None = None) -> None:  # noqa: ANN401 - matplotlib and hist
    """Draw a one-dimensional histogram as filled steps over the range that has entries, from
    ``low`` on if given.
    """
    import numpy as np

    edges, values = histogram.axes[0].edges, histogram.values()
    axes.stairs(values, edges, color=BLUE, fill=True, alpha=0.85)
    filled = np.flatnonzero(values)
    if len(filled):
        margin = max(2, (filled[-1] - filled[0]) // 12)
        first, last = max(0, filled[0] - margin), min(len(values), filled[-1] + 1 + margin)
        axes.set_xlim(edges[first] if low is None else low, edges[last])


def say(axes: Any, lines: list[str], *, x: float = 0.98, y: float = 0.97) -> None:  # noqa: ANN401 - matplotlib axes
    """Write some lines into a corner of the axes, the upper right one by default."""
    side = "right" if x > 0.5 else "left"  # noqa: PLR2004 - the middle
    box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "#d5dae1", "alpha": 0.9}
    axes.text(
        x,
        y,
        "\n".join(lines),
        transform=axes.transAxes,
        ha=side,
        va="top",
        linespacing=1.4,
        bbox=box,
    )


def spell_time(text: str) -> str:
    """Return a moment as people write it: ``2026-02-01 06:10 UTC``; nothing for none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def spell(value: float, error: float, unit: str = "") -> str:
    """Return a value with its error, to two digits of the error: ``7812 ± 46 counts``."""
    from math import floor, isfinite, log10

    if not (isfinite(error) and error > 0):
        return f"{value:.5g} {unit}".rstrip()
    digits = max(0, 1 - floor(log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f} {unit}".rstrip()


def save_picture(figure: Any, path: Path) -> None:  # noqa: ANN401
    """Write a figure as PNG; the file appears only when it is complete.

    It is drawn once; ``savefig`` would draw it twice, first only to lay it out, to the same end.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with replacing(path) as temporary:
        FigureCanvasAgg(figure).print_png(temporary)  # type: ignore[no-untyped-call]


def draw_failure(name: str, reason: str) -> Any:  # noqa: ANN401
    """Return a picture that says why there is none, so that what was promised is there."""
    from textwrap import fill

    figure, axes = new_figure(f"{name}: no picture", size=(8.0, 3.0))
    axes.set_axis_off()
    axes.text(0.0, 0.9, fill(reason, 80), va="top", color=RED, transform=axes.transAxes)
    return figure
