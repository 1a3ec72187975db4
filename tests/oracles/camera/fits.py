"""Gaussian fits of a cluster's profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.oracles.camera.profiles import Profile

    Values = NDArray[np.float64]

ROOT_TWO_PI = 2.506628
MAX_EVALUATIONS = 200
ACCURATE, UNKNOWN, EMPTY = 3.0, 0.0, -1.0
EMPTY_CHI2 = 999.0
TINY = 1e-9


@dataclass(frozen=True)
class Fit:
    """Amplitude in counts, mean and sigma in pixels, chi2 (not reduced), and how good the answer
    is.

    ``status`` is 3 when the fit converged, 0 when it did not, -1 when there was nothing to fit.
    """

    amplitude: float = 0.0
    mean: float = 0.0
    sigma: float = 0.0
    chi2: float = EMPTY_CHI2
    status: float = EMPTY


def start_values(x: Values, y: Values) -> tuple[float, float, float]:
    """Return amplitude, mean and sigma to start from, out of the moments of the bin contents."""
    total = float(y.sum())
    mean = float(np.dot(y, x)) / total
    variance = float(np.dot(y, x * x)) / total - mean * mean
    step = float(np.diff(x).min()) if len(x) > 1 else 1.0
    sigma = float(np.sqrt(variance)) if variance > 0 else step * len(x) / 4
    amplitude = (max(0.0, float(y.max())) + step * total / (ROOT_TWO_PI * sigma)) / 2
    return amplitude, mean, sigma


def fit_gaussian(profile: Profile) -> Fit:
    """Minimise the chi2 of a Gaussian, taken at the bin centres, over the bins that have an error.

    The mean stays within one spread of the profile's mean, sigma below ten times its start value.
    """
    contents = profile.contents.astype(np.float64)
    if not len(contents) or contents.sum() == 0:
        return Fit()
    amplitude, mean, sigma = start_values(profile.centres, contents)
    filled = profile.errors > 0
    x, y, s = profile.centres[filled], contents[filled], profile.errors[filled]
    spread = max(profile.spread, TINY)
    lower = np.array([-np.inf, profile.mean - spread, TINY])
    upper = np.array([np.inf, profile.mean + spread, 10 * sigma])
    start = np.clip([amplitude, mean, sigma], lower + TINY / 10, upper - TINY / 10)

    def residuals(values: Values) -> Values:
        expected: Values = values[0] * np.exp(-((x - values[1]) ** 2) / (2 * values[2] ** 2))
        return (y - expected) / s

    def derivatives(values: Values) -> Values:
        a, m, w = values
        shape = np.exp(-((x - m) ** 2) / (2 * w * w)) / s
        return -np.stack(
            [shape, a * shape * (x - m) / w**2, a * shape * (x - m) ** 2 / w**3], axis=1
        )

    found = least_squares(
        residuals,
        start,
        jac=derivatives,
        bounds=(lower, upper),
        x_scale=(max(abs(amplitude), 1.0), sigma, sigma),
        ftol=1e-10,
        xtol=1e-10,
        gtol=1e-10,
        max_nfev=MAX_EVALUATIONS,
    )
    status = ACCURATE if found.status > 0 else UNKNOWN
    return Fit(
        float(found.x[0]), float(found.x[1]), float(found.x[2]), 2 * float(found.cost), status
    )
