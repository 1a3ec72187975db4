"""Draws how reconstructed clusters agree with the simulation's truth: light, position, length,
efficiency by class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autoctrl.science.camera.plots.pictures import BLUE, GREY, INK, ORANGE, use_style

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.science.camera.score.scoring import Sample, Score

BINS = 22
COLOURS = {"lone": BLUE, "crossing": ORANGE}
SHOWN = (0.02, 0.98)


class Panel(NamedTuple):
    """One distribution: the kind of object, the value, what the axis says, where the truth is."""

    kind: str
    value: str
    label: str
    truth: float | None


PANELS = (
    Panel("spot", "light", "light, found / injected", 1.0),
    Panel("alpha", "light", "light, found / injected", 1.0),
    Panel("muon", "light", "light, found / injected", 1.0),
    Panel("electron", "light", "light, found / injected", 1.0),
    Panel("spot", "row", "row, found - true [pixels]", 0.0),
    Panel("alpha", "across", "across, found - true [pixels]", 0.0),
    Panel("muon", "across", "across, found - true [pixels]", 0.0),
    Panel("electron", "excess", "length, found - true [pixels]", 0.0),
    Panel("spot", "width", "width, found / true", 1.0),
    Panel("alpha", "excess", "length, found - true [pixels]", 0.0),
    Panel("muon", "excess", "length, found - true [pixels]", 0.0),
)


def draw_agreement(score: Score) -> Any:  # noqa: ANN401 - a matplotlib figure
    """Return a picture of the distributions per kind and class, and of the efficiencies."""
    from matplotlib.figure import Figure

    with use_style():
        figure = Figure(figsize=(13.0, 9.0))
        axes = figure.subplots(3, 4).ravel()
        for panel, panel_axes in zip(PANELS, axes, strict=False):
            draw_panel(panel_axes, panel, score.kinds[panel.kind].classes)
        draw_efficiencies(axes[len(PANELS)], score)
        counted = f"{score.events} simulated events, {score.clusters} clusters"
        figure.suptitle(f"{counted}, purity {score.purity:.4f}", color=INK)
    return figure


def draw_panel(axes: Any, panel: Panel, classes: dict[str, Sample]) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw one value of one kind; what lies far out is in the outermost bins."""
    axes.set_title(panel.kind)
    axes.set_xlabel(panel.label)
    values = {
        name: np.array(sample.values.get(panel.value, [])) for name, sample in classes.items()
    }
    every = np.concatenate(list(values.values()))
    if not every.size:
        return
    edges = _edges_of(every)
    for name, found in values.items():
        if found.size:
            _draw_distribution(axes, name, found, edges)
    if panel.truth is not None and edges[0] <= panel.truth <= edges[-1]:
        axes.axvline(panel.truth, color=GREY, linestyle=":", zorder=3)
    axes.set_ylim(top=1.35 * axes.get_ylim()[1])
    axes.set_ylabel("fraction")
    axes.legend(loc="upper left", fontsize=8)


def _edges_of(values: NDArray[Any]) -> NDArray[Any]:
    """Return the edges of bins over the middle 96 % of the values, with a margin."""
    low, high = np.quantile(values, SHOWN)
    margin = max(0.1 * (high - low), 1e-3)
    return np.linspace(low - margin, high + margin, BINS + 1)


def _draw_distribution(axes: Any, name: str, found: NDArray[Any], edges: NDArray[Any]) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw the values of one class as fractions, lone objects filled."""
    half_width = np.diff(np.quantile(found, (0.16, 0.84)))[0] / 2
    look = {"alpha": 0.75} if name == "lone" else {"histtype": "step", "linewidth": 1.6}
    axes.hist(
        np.clip(found, edges[0], edges[-1]),
        edges,
        color=COLOURS[name],
        label=f"{name}: {np.median(found):.3g} ± {half_width:.2g}",
        weights=np.full(found.size, 1 / found.size),
        **look,
    )


def draw_efficiencies(axes: Any, score: Score) -> None:  # noqa: ANN401 - matplotlib axes
    """Draw the efficiency of each class with its binomial error."""
    for offset, (name, colour) in zip((-0.12, 0.12), COLOURS.items(), strict=True):
        samples = [tally.classes[name] for tally in score.kinds.values()]
        objects = np.array([max(sample.objects, 1) for sample in samples])
        efficiency = np.array([sample.found for sample in samples]) / objects
        columns = np.arange(len(samples)) + offset
        errors = _binomial_errors(efficiency, objects)
        axes.errorbar(columns, efficiency, errors, fmt="o", color=colour, label=name, capsize=3)
    axes.set_xticks(range(len(score.kinds)), list(score.kinds))
    axes.set_title("efficiency")
    low, _ = axes.get_ylim()
    axes.set_ylim(min(low, 0.95) - 0.01, 1.005)
    axes.legend(loc="lower left", fontsize=8)


def _binomial_errors(efficiency: NDArray[Any], objects: NDArray[Any]) -> NDArray[Any]:
    """Return errors downwards and upwards, which end at 0 and 1.

    They follow the interval of E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209, which does not
    vanish where all were found.
    """
    wide = np.sqrt((efficiency * (1 - efficiency) + 0.25 / objects) / objects)
    errors: NDArray[Any] = np.minimum(wide, np.stack([efficiency, 1 - efficiency]))
    return errors
