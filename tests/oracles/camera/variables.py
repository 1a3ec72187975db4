"""The variables of one cluster: size, light, axis, extent, profiles, position.

Names are the branch names without ``sc_``.  Lengths are in pixels, light in counts, angles in
degrees.
"""

from __future__ import annotations

from math import atan2, copysign, degrees, hypot
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.camera.fits import fit_gaussian
from tests.oracles.camera.profiles import (
    find_main_peak,
    make_profile,
    profile_edges,
    weighted_spread,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.oracles.camera.fits import Fit
    from tests.oracles.camera.pixels import Pixels

    Values = NDArray[np.float64]

NO_CALIBRATION = -1.0
NO_PEARSON = 999.0
NEED_ALONG = 25.0
NEED_ACROSS = 1 / 0.3 / 0.3
MIN_LIGHT = 10.0
# saturation of the amplification: a z^2 + b z + c per pixel, from the response a0, q0 and the gain
# constant K
_A0, _Q0 = 0.1855, 2.5
_K = 0.015625 * 0.08 * 0.00018 / 1.60217662e-7
SATURATION = (_A0 / _K, 1 - 2 * _A0 * _Q0, _A0 * _Q0**2 * _K)


def measure_cluster(pixels: Pixels, *, directional: bool = False) -> dict[str, float]:
    """Return all variables of a cluster but ``redpixIdx``, which depends on the clusters before
    it.
    """
    first, major = principal_axes(pixels.cells)
    along, across = rotate(pixels, major)
    shape = {
        "theta": degrees(atan2(first[1], first[0])),
        "axis": fold_angle(degrees(atan2(major[1], major[0]))),
        "length": float(np.ptp(along)),
        "width": float(np.ptp(across)),
        "directional": float(directional),
    }
    profiles = measure_profiles(along, across, pixels.light)
    return measure_light(pixels) | shape | profiles | measure_position(pixels)


def measure_light(pixels: Pixels) -> dict[str, float]:
    """Return size, light and what follows from them alone."""
    light = pixels.light
    a, b, c = SATURATION
    return {
        "size": float(light.size),
        "nhits": float(pixels.active),
        "integral": float(light.sum()),
        "corrintegral": float(a * np.dot(light, light) + b * light.sum() + c * light.size),
        "rms": float(light.std()),
        "energy": NO_CALIBRATION,
        "pathlength": NO_CALIBRATION,
        "pearson": NO_PEARSON,
    }


def principal_axes(cells: NDArray[np.int64]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return two unit vectors (row, column): the first eigenvector of the cells' covariance, and
    the major axis.

    The first eigenvector is the minor axis for a cluster that is longer in columns than in rows:
    the published behaviour, kept because theta is compared.
    """
    n, (r, c) = len(cells), cells.T
    sr, sc = int(r.sum()), int(c.sum())
    divisor = float(n) * (n - 1)  # sums of whole numbers say exactly whether the covariance is 0
    p = (n * int((r * r).sum() - (c * c).sum()) - sr * sr + sc * sc) / divisor / 2
    cov = (n * int((r * c).sum()) - sr * sc) / divisor
    if cov == 0:
        return (1.0, 0.0), (1.0, 0.0) if p >= 0 else (0.0, 1.0)
    h = p + copysign(hypot(p, cov), p or 1.0)
    t = hypot(h, cov)
    first = (h / t, float(cov) / t)
    return first, first if p >= 0 else (-float(cov) / t, h / t)


def fold_angle(angle: float) -> float:
    """Return the angle of an axis, which has no direction, in (-90, 90] degrees."""
    folded = angle % 180.0
    return folded - 180.0 if folded > 90.0 else folded


def rotate(pixels: Pixels, major: tuple[float, float]) -> tuple[Values, Values]:
    """Return every pixel's coordinate along and across the major axis.

    The pivot is the mean *coarse* cell although the pixels are at full resolution: published
    behaviour, it only shifts the origin, on which the integer bins of the profiles depend.
    """
    mr, mc = pixels.cells.mean(axis=0)
    ca, sa = major
    rows, cols = pixels.rows - mr, pixels.cols - mc
    return mr + ca * rows + sa * cols, mc - sa * rows + ca * cols


def measure_profiles(along: Values, across: Values, light: Values) -> dict[str, float]:
    """Return the spreads, peaks and fits of the profiles along (``l``) and across (``t``) the
    axis.
    """
    a, b = along - along.min(), across - across.min()
    long_profile = make_profile(a, light, profile_edges(along, NEED_ALONG))
    lat_profile = make_profile(b, light, profile_edges(across, NEED_ACROSS))
    long_rms, lat_rms = grid_spreads(a, b, light)
    long_peak, lat_peak = find_main_peak(long_profile), find_main_peak(lat_profile)
    return {
        "lfullrms": long_profile.spread,
        "tfullrms": lat_profile.spread,
        "longrms": long_rms,
        "latrms": lat_rms,
        "lp0amplitude": long_peak.amplitude,
        "lp0prominence": long_peak.prominence,
        "lp0mean": long_peak.position,
        "lp0fwhm": long_peak.width,
        "tp0fwhm": lat_peak.width,
        **name_fit("l", fit_gaussian(long_profile)),
        **name_fit("t", fit_gaussian(lat_profile)),
    }


def name_fit(direction: str, fit: Fit) -> dict[str, float]:
    """Return a fit under the names of its branches."""
    return {
        f"{direction}gaussamp": fit.amplitude,
        f"{direction}gaussmean": fit.mean,
        f"{direction}gausssigma": fit.sigma,
        f"{direction}chi2": fit.chi2,
        f"{direction}status": fit.status,
    }


def grid_spreads(a: Values, b: Values, light: Values) -> tuple[float, float]:
    """Return the spread along and across of pixels put on an integer grid, where a later pixel
    replaces an earlier.
    """
    along, across = np.rint(a).astype(np.int64), np.rint(b).astype(np.int64)
    cells = along * (int(across.max()) + 1) + across
    # unique keeps the first of equal cells, so look from the back for the last
    _, found = np.unique(cells[::-1], return_index=True)
    kept = len(cells) - 1 - found
    return weighted_spread(along[kept], light[kept]), weighted_spread(across[kept], light[kept])


def measure_position(pixels: Pixels) -> dict[str, float]:
    """Return the light-weighted mean position and the extent; zeros for a cluster with next to no
    light.
    """
    if pixels.light.sum() < MIN_LIGHT:
        return dict.fromkeys(("xmean", "ymean", "xmin", "xmax", "ymin", "ymax"), 0.0)
    weights = np.maximum(0.0, pixels.light)
    return {
        "xmean": float(np.average(pixels.rows, weights=weights)),
        "ymean": float(np.average(pixels.cols, weights=weights)),
        "xmin": float(pixels.rows.min()),
        "xmax": float(pixels.rows.max()),
        "ymin": float(pixels.cols.min()),
        "ymax": float(pixels.cols.max()),
    }
