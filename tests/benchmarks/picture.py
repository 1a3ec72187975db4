"""The table as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.benchmarks.report import FIGURES, NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLOURS = ("#0b6e4f", "#c8553d", "#7d8597", "#b8b8d1")
HEIGHT = 0.2


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Draw bars of every program's time for every row, on a logarithmic axis, with the figure as a black mark."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "autoctrl", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    shown, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for place, figure in enumerate(FIGURES):
        measured = result["rows"][figure.row]
        found = [(name, colour) for name, colour in zip(NAMES, COLOURS, strict=True) if name in measured]
        for offset, (name, colour) in enumerate(found):
            ratio = measured[name]["ratio"]
            height = place + (offset - (len(found) - 1) / 2) * HEIGHT
            axes.barh(height, ratio, HEIGHT * 0.9, color=colour, label=name if place == 0 else None)
            axes.text(ratio * 1.04, height, spell(ratio), va="center", fontsize=7)
        axes.vlines(figure.bound, place - 0.45, place + 0.45, color="black", linewidth=1.2)
    titles = [figure.title.format(many=result["many"]).replace(", ", ",\n", 1) for figure in FIGURES]
    axes.set_yticks(range(len(FIGURES)), titles, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(left=0.1)
    axes.set_xlabel(
        f"time, in units of luigi's time for: {FIGURES[1].title}; black: the figure to stay below", fontsize=8
    )
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    shown.savefig(path, metadata={"Date": None})
    plt.close(shown)


def spell(ratio: float) -> str:
    """Return a ratio with two digits."""
    return f"{ratio:.{max(0, 1 - math.floor(math.log10(ratio)))}f}"
