"""The event display: one event with its clusters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.science.camera.plots.pictures import ORANGE, SKY, new_figure, show_image
from autoctrl.science.camera.plots.raw_frames import facts_of
from autoctrl.science.quality import PlotResult, Tier, register

if TYPE_CHECKING:
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
        """Draw the frame above pedestal (or, without it, the clusters' pixels) and outline the
        clusters.
        """
        from matplotlib.lines import Line2D

        entry, image = shown.entry, shown.image
        clusters = len(entry["sc_size"])
        title = f"Run {about.run}, event {entry['event']}: {clusters} clusters"
        figure, axes = new_figure(title, facts_of(about), size=(9.2, 7.8))
        noise, top = (float(value) for value in np.percentile(np.abs(image), (DARK, SATURATED)))
        span = {"vmin": 2 * noise, "vmax": max(1.0, top, 4 * noise)}
        drawn = show_image(
            axes, image, about.shape, cmap="gray", interpolation="antialiased", **span
        )
        figure.colorbar(
            drawn, ax=axes, label="counts above pedestal per pixel", extend="both", shrink=0.9
        )
        for number in range(clusters):
            _outline(axes, about, entry, number)
        kinds = [("directional", ORANGE), ("by density", SKY)]
        handles = [
            Line2D([], [], color=colour, linewidth=2, label=label) for label, colour in kinds
        ]
        axes.legend(handles=handles, loc="upper right", labelcolor="white", ncols=2)
        return figure


def _outline(axes: Any, about: About, entry: Any, number: int) -> None:  # noqa: ANN401 - axes and a record
    """Draw the border of a cluster, from its pixels where they are listed, and its number and
    light.
    """
    from matplotlib.patheffects import withStroke

    colour = ORANGE if entry["sc_directional"][number] else SKY
    top, bottom, left, right = (
        float(entry[f"sc_{end}"][number]) for end in ("xmin", "xmax", "ymin", "ymax")
    )
    column = (left + right) / 2
    mask = _mask(about, entry, number)
    if mask is None:
        axes.plot(
            [left, right, right, left, left],
            [top, top, bottom, bottom, top],
            color=colour,
            linewidth=1.3,
        )
    else:
        rows, cols = mask.shape
        axes.contour(
            mask,
            levels=[0.5],
            colors=[colour],
            linewidths=1.3,
            extent=(0, cols * CELL, 0, rows * CELL),
        )
        beneath = np.flatnonzero(mask[:, int(column) // CELL])
        bottom = (beneath[-1] + 1) * CELL if len(beneath) else bottom
    if number >= LABELLED:
        return
    is_low = bottom > LOWEST * about.rows
    place = (column, top if is_low else bottom)
    text = f"{number}: {float(entry['sc_integral'][number]):,.0f}"
    axes.annotate(
        text,
        place,
        (0, 8 if is_low else -8),
        textcoords="offset points",
        color=colour,
        fontsize=10,
        ha="center",
        va="bottom" if is_low else "top",
        path_effects=[withStroke(linewidth=2.5, foreground="black")],
    )


def _mask(about: About, entry: Any, number: int) -> Any:  # noqa: ANN401 - an image or None
    """Return which cells of 4 x 4 pixels belong to a cluster; None where its pixels are not
    listed.
    """
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
