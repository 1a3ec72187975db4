"""The position and the width of a peak in a spectrum, with their uncertainties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEWEST = 25
ROUNDS = 8
CORE_SIGMAS, WINDOW_SIGMAS, BINS_PER_SIGMA = 2.0, 3.5, 2.0
CORE_SHRINKS = 0.88
FEWEST_BINS = 6


@dataclass(frozen=True)
class Peak:
    """A Gaussian on a flat background, as fitted.

    ``position``, ``width`` (standard deviation) and their standard deviations are in the units of
    the axis; ``entries`` is the area of the Gaussian, ``background`` entries per unit.  ``edges``
    and ``counts`` are the bins of the fit.
    """

    position: float
    position_error: float
    width: float
    width_error: float
    entries: float
    background: float
    chi2: float
    ndf: int
    edges: Array
    counts: Array

    @property
    def resolution(self) -> float:
        """Width over position."""
        return self.width / self.position

    @property
    def resolution_error(self) -> float:
        """Standard deviation of the resolution; position and width are taken as independent."""
        return self.resolution * float(
            np.hypot(self.width_error / self.width, self.position_error / self.position)
        )

    def density(self, where: Array) -> Array:
        """Return the fitted entries per unit of the axis."""
        pulls = (where - self.position) / self.width
        gauss = np.exp(-0.5 * pulls**2) / (np.sqrt(2 * np.pi) * self.width)
        expected: Array = self.entries * gauss + self.background
        return expected

    def numbers(self, name: str) -> dict[str, float]:
        """Return position, resolution and quality of the fit, their names begun by ``name``."""
        return {
            f"{name}_peak": self.position,
            f"{name}_peak_error": self.position_error,
            f"{name}_resolution": self.resolution,
            f"{name}_resolution_error": self.resolution_error,
            f"{name}_fit_chi2": self.chi2,
            f"{name}_fit_ndf": self.ndf,
        }


def fit_peak(histogram: Any) -> Peak | None:  # noqa: ANN401 - a histogram
    """Fit the main peak of a one-dimensional histogram; None for too few entries or no peak.

    The window is found from the data: 3.5 standard deviations of the core around its middle.  The
    fit is one of maximum likelihood for Poisson counts; chi2 is the likelihood ratio of Baker and
    Cousins, NIM 221 (1984) 437, and the errors come from the Fisher information.
    """
    edges = np.asarray(histogram.axes[0].edges, float)
    counts = np.asarray(histogram.values(), float)
    core = _core(edges, counts)
    if core is None:
        return None
    edges, counts = _window(edges, counts, core)
    if len(counts) < FEWEST_BINS or counts.sum() < FEWEST:
        return None
    return _fit(edges, counts, core)


class Core(NamedTuple):
    """Middle and standard deviation of the entries that lie together."""

    middle: float
    sigma: float


def _core(edges: Array, counts: Array) -> Core | None:
    """Find the core of a spectrum by cutting away, again and again, what lies far from it."""
    centres = (edges[1:] + edges[:-1]) / 2
    kept, middle, sigma = counts, 0.0, 0.0
    for _ in range(ROUNDS):
        if kept.sum() < FEWEST:
            return None
        low, middle, high = _quantiles(edges, kept, (0.1587, 0.5, 0.8413))
        sigma = max((high - low) / 2 / CORE_SHRINKS, edges[1] - edges[0])
        kept = np.where(np.abs(centres - middle) < CORE_SIGMAS * sigma, counts, 0.0)
    return Core(middle, sigma)


def _quantiles(edges: Array, counts: Array, parts: tuple[float, ...]) -> Array:
    cumulated = np.concatenate([[0.0], np.cumsum(counts)])
    found: Array = np.interp(np.asarray(parts) * cumulated[-1], cumulated, edges)
    return found


def _window(edges: Array, counts: Array, core: Core) -> tuple[Array, Array]:
    """Return the bins around the core, joined until two of them make a standard deviation."""
    half = WINDOW_SIGMAS * core.sigma
    begin, end = np.searchsorted(edges, (core.middle - half, core.middle + half))
    first, last = max(0, int(begin) - 1), min(int(end), len(counts))
    joined = max(1, round(core.sigma / BINS_PER_SIGMA / (edges[1] - edges[0])))
    number = (last - first) // joined
    stop = first + number * joined
    sums = counts[first:stop].reshape(number, joined).sum(axis=1)
    return edges[first : stop + 1 : joined], sums


def _expected(edges: Array, parameters: Array) -> Array:
    from scipy.special import ndtr

    entries, position, width, background = parameters
    share = np.diff(ndtr((edges - position) / width))
    expected: Array = np.maximum(entries * share + background * np.diff(edges), 1e-9)
    return expected


def _deviances(counts: Array, expected: Array) -> Array:
    """Return the signed root of each bin's part of the likelihood ratio."""
    from scipy.special import xlogy

    parts = 2 * (expected - counts + xlogy(counts, counts / expected))
    roots: Array = np.sign(counts - expected) * np.sqrt(np.maximum(parts, 0.0))
    return roots


def _fit(edges: Array, counts: Array, core: Core) -> Peak | None:
    from scipy.optimize import least_squares

    entries, span = counts.sum(), edges[-1] - edges[0]
    start = np.array([entries, core.middle, core.sigma, 0.02 * entries / span])
    found = least_squares(
        lambda parameters: _deviances(counts, _expected(edges, parameters)),
        start,
        bounds=_bounds(edges, entries),
        x_scale=np.maximum(start, 1e-6),
    )
    errors = _errors(edges, found.x)
    if not found.success or errors is None:
        return None
    area, position, width, background = map(float, found.x)
    return Peak(
        position=position,
        position_error=errors[1],
        width=width,
        width_error=errors[2],
        entries=area,
        background=background,
        chi2=float(2 * found.cost),
        ndf=len(counts) - len(start),
        edges=edges,
        counts=counts,
    )


def _bounds(edges: Array, entries: float) -> tuple[list[float], list[float]]:
    """Return between what entries, position, width and background must lie."""
    span = edges[-1] - edges[0]
    low = [0.0, edges[0], np.diff(edges).min() / 4, 0.0]
    return low, [2 * entries, edges[-1], span, entries / span]


def _errors(edges: Array, parameters: Array) -> list[float] | None:
    """Return the standard deviations from the Fisher information: sum of dm dm' / m over the bins.

    A background of less than one entry is at its limit and does not count as free.
    """
    free = 4 if parameters[3] * (edges[-1] - edges[0]) > 1 else 3
    steps = np.abs(parameters[:free]) * 1e-4
    shifts = np.pad(np.diag(steps), ((0, 0), (0, 4 - free)))
    slopes = np.array(
        [
            _expected(edges, parameters + shift) - _expected(edges, parameters - shift)
            for shift in shifts
        ]
    )
    slopes /= 2 * steps[:, None]
    covariance = np.linalg.pinv(slopes / _expected(edges, parameters) @ slopes.T, rcond=1e-14)
    variances = np.diag(covariance)
    if not (variances > 0).all():
        return None
    return [float(error) for error in np.sqrt(variances)]
