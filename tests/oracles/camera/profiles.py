"""Profiles of a cluster's light along an axis: bins, contents, spread, main peak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import find_peaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

FILLER = -999.0
PEAK = {"height": 3, "distance": 6, "prominence": 2, "width": 2}


@dataclass
class Profile:
    """Bin contents (float32, in counts), their errors, the bins' centres, and mean and spread of
    the positions.
    """

    contents: NDArray[np.float32]
    errors: Values
    centres: Values
    mean: float
    spread: float


@dataclass(frozen=True)
class Peak:
    """The main peak of a profile: content, prominence, position in pixels, width in samples;
    fillers without one.
    """

    amplitude: float = FILLER
    prominence: float = FILLER
    position: float = FILLER
    width: float = FILLER


def profile_edges(coordinate: Values, need: float) -> NDArray[np.int64]:
    """Return the integer edges of a profile's bins, measured from the truncated least coordinate.

    A bin grows until its pixels number at least ``need``; the position at which it is closed is not
    counted for the next bin: published behaviour.
    """
    positions = np.trunc(coordinate).astype(np.int64)
    low, high = int(positions.min()), int(positions.max())
    counts = np.bincount(positions - low)
    edges = [low]
    collected = 0
    for position in range(low, high):
        if collected < need:
            collected += int(counts[position - low])
        else:
            edges.append(position)
            collected = 0
    edges.append(high)
    return np.array(edges, dtype=np.int64) - int(np.trunc(coordinate.min()))


def make_profile(coordinate: Values, light: Values, edges: NDArray[np.int64]) -> Profile:
    """Fill the bins ``[edge, next edge)``; pixels at or above the last edge take no part in
    anything.
    """
    bins = np.searchsorted(edges, coordinate, side="right") - 1
    inside = (bins >= 0) & (bins < len(edges) - 1)
    bins, x, z = bins[inside], coordinate[inside], light[inside]
    size = max(0, len(edges) - 1)
    contents = np.bincount(bins, weights=z, minlength=size)
    squares = np.bincount(bins, weights=z * z, minlength=size)
    mean, spread = _moments(x, z)
    centres = (edges[:-1] + edges[1:]) / 2
    return Profile(contents.astype(np.float32), np.sqrt(squares), centres, mean, spread)


def _moments(x: Values, weights: Values) -> tuple[float, float]:
    """Return weighted mean and spread; both 0 when the weights sum to 0."""
    total = float(weights.sum())
    if total == 0:
        return 0.0, 0.0
    mean = float(np.dot(weights, x)) / total
    return mean, abs(float(np.dot(weights, x * x)) / total - mean * mean) ** 0.5


def weighted_spread(x: NDArray[np.int64], weights: Values) -> float:
    """Return the weighted spread of ``x``, negative weights included."""
    return _moments(x.astype(np.float64), weights)[1]


def find_main_peak(profile: Profile) -> Peak:
    """Return the peak with the largest position (not the highest one: published behaviour)."""
    contents = profile.contents.astype(np.float64)
    positions, found = find_peaks(contents, **PEAK)
    if not len(positions):
        return Peak()
    last = int(np.argmax(positions))
    sample = int(positions[last])
    return Peak(
        amplitude=float(contents[sample]),
        prominence=float(found["prominences"][last]),
        position=float(profile.centres[sample]),
        width=float(found["widths"][last]),
    )
