"""How the camera's pictures look: one style for all, and how they are written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from autoctrl.rootio import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INK, GREY, BLUE, ORANGE, RED = "#1f2a37", "#8a94a3", "#2f6fbb", "#e08a1e", "#c0392b"
MAP = "magma"
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.figsize": (8.0, 5.0),
    "font.size": 10,
    "grid.color": "#e3e7ec",
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw without a display and in the common style."""
    mpl.use("Agg")
    with mpl.rc_context(STYLE):
        yield


def new_figure(columns: int = 1, size: tuple[float, float] = (8.0, 5.0)) -> tuple[Any, Any]:
    """Return a figure with one row of axes (a single one for ``columns=1``)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    return figure, figure.subplots(1, columns)


def show_image(axes: Any, image: Any, size: int, **settings: Any) -> Any:  # noqa: ANN401 - matplotlib objects
    """Draw a (row, column) image over the whole sensor, in pixels, row 0 at the top; returns the drawn image."""
    axes.grid(visible=False)
    drawn = axes.imshow(image, extent=(0, size, size, 0), cmap=MAP, interpolation="nearest", **settings)
    axes.set_xlabel("column (y)")
    axes.set_ylabel("row (x)")
    return drawn


def save_picture(figure: Any, path: Path) -> None:  # noqa: ANN401
    """Write a figure as PNG; the file appears only when it is complete."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def draw_failure(name: str, reason: str) -> Any:  # noqa: ANN401
    """Return a picture that says why there is none, so that what was promised is there."""
    figure, axes = new_figure()
    axes.set_axis_off()
    axes.set_title(f"{name}: no picture")
    axes.text(0.0, 0.9, reason, wrap=True, va="top", color=RED, transform=axes.transAxes)
    return figure
