"""The event display: one event with its clusters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autoctrl.science.camera.plots.pictures import ORANGE, SKY, new_figure, show_image
from autoctrl.science.camera.plots.raw_frames import facts_of
from autoctrl.science.quality import PlotResult, Tier, register

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.science.camera.plots.rundata import About, RunData, Shown

CELL = 4
LABELLED, LOWEST = 12, 0.93
DARK, SATURATED = 68.27, 99.8


@register
class EventDisplay:
    """The event with most clusters."""

    name, tier = "display", Tier.MID

    def __call__(self, data: RunData, previous: PlotResult | None = None) -> PlotResult:
        """Draw the event that is shown, unless one with as many clusters was drawn before."""
        weight = 0.0 if data.shown is None else 1.0 + len(data.shown.entry["sc_size"])
        if data.shown is None or (previous is not None and previous.weight >= weight):
            return previous or PlotResult()
        return PlotResult(figure=partial(self.draw, data.about, data.shown), weight=weight)

    @staticmethod
    def draw(about: About, shown: Shown) -> Any:  # noqa: ANN401 - a figure
        """Draw the frame above pedestal, or without it the clusters' pixels, and the clusters."""
        entry = shown.entry
        clusters = len(entry["sc_size"])
        title = f"Run {about.run}, event {entry['event']}: {clusters} clusters"
        figure, axes = new_figure(title, facts_of(about), size=(9.2, 7.8))
        drawn = _show_frame(axes, shown.image, about)
        label = "counts above pedestal per pixel"
        figure.colorbar(drawn, ax=axes, label=label, extend="both", shrink=0.9)
        for number in range(clusters):
            _outline(axes, about, entry, number)
        _draw_legend(axes)
        return figure


def _show_frame(axes: Any, image: NDArray[np.float64], about: About) -> Any:  # noqa: ANN401 - matplotlib objects
    """Draw the frame in greys, from twice the noise to what is almost the brightest."""
    noise, top = (float(value) for value in np.percentile(np.abs(image), (DARK, SATURATED)))
    greys = {"cmap": "gray", "vmin": 2 * noise, "vmax": max(1.0, top, 4 * noise)}
    return show_image(axes, image, about.shape, interpolation="antialiased", **greys)


def _draw_legend(axes: Any) -> None:  # noqa: ANN401 - matplotlib axes
    from matplotlib.lines import Line2D

    kinds = [("directional", ORANGE), ("by density", SKY)]
    handles = [Line2D([], [], color=colour, linewidth=2, label=label) for label, colour in kinds]
    axes.legend(handles=handles, loc="upper right", labelcolor="white", ncols=2)


class Box(NamedTuple):
    """The outermost pixels of a cluster: rows from the top, columns from the left."""

    top: float
    bottom: float
    left: float
    right: float


def _outline(axes: Any, about: About, entry: Any, number: int) -> None:  # noqa: ANN401 - axes and a record
    """Draw the border of a cluster, from its pixels if they are listed, its number and light."""
    colour = ORANGE if entry["sc_directional"][number] else SKY
    box = Box(*(float(entry[f"sc_{end}"][number]) for end in ("xmin", "xmax", "ymin", "ymax")))
    column = (box.left + box.right) / 2
    mask = _mask(about, entry, number)
    if mask is None:
        _draw_box(axes, box, colour)
    else:
        _draw_border(axes, mask, colour)
        beneath = np.flatnonzero(mask[:, int(column) // CELL])
        if len(beneath):
            box = box._replace(bottom=(beneath[-1] + 1) * CELL)
    if number < LABELLED:
        text = f"{number}: {float(entry['sc_integral'][number]):,.0f}"
        _label(axes, text, column, box, colour, is_low=box.bottom > LOWEST * about.rows)


def _draw_box(axes: Any, box: Box, colour: str) -> None:  # noqa: ANN401 - matplotlib axes
    columns = [box.left, box.right, box.right, box.left, box.left]
    rows = [box.top, box.top, box.bottom, box.bottom, box.top]
    axes.plot(columns, rows, color=colour, linewidth=1.3)


def _draw_border(axes: Any, mask: NDArray[np.float64], colour: str) -> None:  # noqa: ANN401 - matplotlib axes
    rows, cols = mask.shape
    whole = (0, cols * CELL, 0, rows * CELL)
    axes.contour(mask, levels=[0.5], colors=[colour], linewidths=1.3, extent=whole)


def _label(axes: Any, text: str, column: float, box: Box, colour: str, *, is_low: bool) -> None:  # noqa: ANN401 - matplotlib axes
    """Write a text below a cluster, or above one that lies low on the sensor."""
    from matplotlib.patheffects import withStroke

    axes.annotate(
        text,
        (column, box.top if is_low else box.bottom),
        (0, 8 if is_low else -8),
        textcoords="offset points",
        color=colour,
        fontsize=10,
        ha="center",
        va="bottom" if is_low else "top",
        path_effects=[withStroke(linewidth=2.5, foreground="black")],
    )


def _mask(about: About, entry: Any, number: int) -> NDArray[np.float64] | None:  # noqa: ANN401 - an awkward record
    """Return which cells of 4 x 4 pixels belong to a cluster, if its pixels are listed."""
    first = int(entry["sc_redpixIdx"][number])
    if first < 0:
        return None
    size = int(entry["sc_size"][number])
    rows, cols = (
        np.asarray(entry[f"redpix_{part}"])[first : first + size] // CELL for part in ("ix", "iy")
    )
    mask = np.zeros((-(-about.rows // CELL), -(-about.cols // CELL)))
    mask[rows, cols] = 1
    return mask
