"""Histograms that can be added bit for bit, and the ROOT files that keep them as TH1 and TH2."""

from __future__ import annotations

import re
from math import nan, sqrt
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DataError
from autoctrl.science.rootio import new_file, open_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from autoctrl.science.quality.plots import PlotResult

Histograms = dict[str, Any]
KIND = re.compile("TH[123][A-Z]")


def add_histograms(first: Any, second: Any) -> Any:  # noqa: ANN401 - histograms
    """Return the sum of two histograms, with the axes of the first; raises DataError when the bins
    differ.
    """
    if _bins(first) != _bins(second):
        message = (
            f"histograms of different bins cannot be added: {_spell(first)} and {_spell(second)}."
        )
        raise DataError(
            message, hint="They were made by different versions of a plot; make both anew."
        )
    summed = first.copy()
    summed.view(flow=True)[...] += second.view(flow=True)
    return summed


def add_previous(new: Mapping[str, Any], previous: PlotResult | None) -> Histograms:
    """Return a plot's new histograms, each with what there was of it before."""
    before = {} if previous is None else previous.histograms
    return {
        name: add_histograms(made, before[name]) if name in before else made
        for name, made in new.items()
    }


def tally(**values: float) -> Any:  # noqa: ANN401 - a histogram
    """Return named sums as a histogram with one labelled bin each, in the order of the names."""
    from hist import Hist

    made = Hist.new.StrCat(list(values), name="what", label="what").Double()
    made.view()[...] = list(values.values())
    return made


def read_tally(histogram: Any) -> dict[str, float]:  # noqa: ANN401 - a histogram
    """Return the sums of a ``tally`` by name."""
    return dict(zip(histogram.axes[0], map(float, histogram.values()), strict=True))


def mean_of(sums: Mapping[str, float], name: str) -> tuple[float, float]:
    """Return the mean of ``n`` values from their sums ``<name>`` and ``<name>2`` (of squares), and
    its error.

    Both are nan without values, the error with a single one.
    """
    number, first, second = sums["n"], sums[name], sums[f"{name}2"]
    if not number:
        return nan, nan
    mean = first / number
    return mean, sqrt(max(0.0, second / number - mean * mean) / (number - 1)) if number > 1 else nan


def write_histograms(path: Path, histograms: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the histograms of plots as ``<plot>/<histogram>``; the file appears only when it is
    complete.
    """
    with new_file(path) as file:
        for plot, named in histograms.items():
            for name, histogram in named.items():
                file[f"{plot}/{name}"] = histogram


def read_histograms(path: Path) -> dict[str, Histograms]:
    """Return the histograms of plots that ``write_histograms`` wrote; raises DataError for another
    file.
    """
    found: dict[str, Histograms] = {}
    with open_file(path) as file:
        for key, kind in file.classnames(recursive=True, cycle=False).items():
            if KIND.fullmatch(kind):
                plot, _, name = key.rpartition("/")
                found.setdefault(plot, {})[name] = file[key].to_hist()
    return found


def add_parts(parts: Iterable[Mapping[str, Histograms]]) -> dict[str, Histograms]:
    """Return the sums of the histograms of several parts; one that is in some of them only is kept
    as it is.
    """
    result: dict[str, Histograms] = {}
    for part in parts:
        for plot, named in part.items():
            mine = result.setdefault(plot, {})
            for name, histogram in named.items():
                mine[name] = add_histograms(mine[name], histogram) if name in mine else histogram
    return result


def _bins(histogram: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a histogram
    return [(*_edges(axis), axis.traits.underflow, axis.traits.overflow) for axis in histogram.axes]


def _edges(axis: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an axis
    return tuple(axis) if axis.size and isinstance(axis.bin(0), str) else tuple(axis.edges.tolist())


def _spell(histogram: Any) -> str:  # noqa: ANN401 - a histogram
    return " x ".join(f"{axis.size} bins of {axis.label or axis.name}" for axis in histogram.axes)
