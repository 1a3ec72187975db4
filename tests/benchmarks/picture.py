"""The tables as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.benchmarks.production_report import BEYOND_UNITS, CALL_TIMES, CYCLE_TIMES
from tests.benchmarks.report import FIGURES, NAMES, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COLOURS = {
    OURS: "#0b6e4f",
    "luigi": "#c8553d",
    "Snakemake": "#7d8597",
    "Parsl": "#b8b8d1",
    "InfluxDB": "#0b6e4f",
    "SQLite": "#5fa98b",
    "scan of all": "#c8553d",
    "bindings alone": "#c8553d",
}
HEIGHT, ROW_INCHES, FRAME_INCHES = 0.2, 0.68, 0.8
UNITS = f"time, in units of luigi's time for: {FIGURES[1].title}; black: the figure to stay below"
TIMES = "time, in units of the bindings' time for the same; black: the figure to stay below"


class Bars(NamedTuple):
    """A group of bars.

    title   what is done
    bound   the figure to stay below
    values  by whom
    """

    title: str
    bound: float
    values: dict[str, float]


def panels(result: Mapping[str, Any]) -> Iterator[tuple[str, list[Bars]]]:
    """Yield for each panel what its axis shows, and its bars, as far as they were measured."""
    if "rows" in result:
        yield UNITS, [embedded(result, number) for number in range(len(FIGURES))]
    services = result.get("services", {})
    if "rows" in services.get("influxdb2", {}):
        rows = services["influxdb2"]["rows"]
        shown = {"InfluxDB": "done", "SQLite": "sqlite", "scan of all": "scan"}
        done = Bars(
            "nothing to do,\n10,000 runs done",
            BEYOND_UNITS,
            {name: rows[row]["ratio"] for name, row in shown.items()},
        )
        waiting = Bars(
            "the same after\n20 that wait", BEYOND_UNITS, {"InfluxDB": rows["waiting"]["ratio"]}
        )
        yield "the same units, for InfluxDB what is beyond importing its client", [done, waiting]
    if "calls" in services.get("htcondor", {}):
        yield TIMES, list(pool(services["htcondor"]))


def embedded(result: Mapping[str, Any], number: int) -> Bars:
    """Return the bars of one figure of the embedded store."""
    figure, measured = FIGURES[number], result["rows"][FIGURES[number].row]
    title = figure.title.format(many=result["many"]).replace(", ", ",\n", 1)
    return Bars(
        title, figure.bound, {name: measured[name]["ratio"] for name in NAMES if name in measured}
    )


def pool(found: Mapping[str, Any]) -> Iterator[Bars]:
    """Yield the bars of the pool's figures."""
    for act in ("submit", "poll"):
        calls, cycle = found["calls"]["shared"], found["cycles"][act]
        yield Bars(f"{act} {found['jobs']:,}\njobs", CALL_TIMES, {OURS: calls[f"{act}_times"]})
        yield Bars(f"the cycle that\n{act}s them", CYCLE_TIMES, {OURS: cycle["times"]})


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Draw bars of every program's time for every row, on logarithmic axes, with the figure as a
    black mark.

    Where nothing was measured no file is written, and none is left.
    """
    found = list(panels(result))
    path.unlink(missing_ok=True)
    if not found:
        return
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "autoctrl", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    inches = [FRAME_INCHES + ROW_INCHES * len(bars) for _, bars in found]
    shown, all_axes = plt.subplots(
        len(found),
        figsize=(8, sum(inches)),
        height_ratios=inches,
        layout="constrained",
        squeeze=False,
    )
    for axes, (label, bars) in zip(all_axes[:, 0], found, strict=True):
        fill(axes, label, bars)
    shown.savefig(path, metadata={"Date": None})
    plt.close(shown)


def fill(axes: Any, label: str, groups: list[Bars]) -> None:
    """Draw one panel."""
    seen: set[str] = set()
    for place, bars in enumerate(groups):
        for offset, (name, value) in enumerate(bars.values.items()):
            height = place + (offset - (len(bars.values) - 1) / 2) * HEIGHT
            axes.barh(
                height,
                value,
                HEIGHT * 0.9,
                color=COLOURS[name],
                label=None if name in seen else name,
            )
            axes.text(value * 1.04, height, spell(value), va="center", fontsize=7)
            seen.add(name)
        axes.vlines(bars.bound, place - 0.45, place + 0.45, color="black", linewidth=1.2)
    axes.set_yticks(range(len(groups)), [bars.title for bars in groups], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(left=0.1)
    axes.set_xlabel(label, fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)


def spell(ratio: float) -> str:
    """Return a ratio with two digits."""
    return f"{ratio:.{max(0, 1 - math.floor(math.log10(ratio)))}f}"
