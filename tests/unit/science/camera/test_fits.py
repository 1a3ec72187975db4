"""Gaussian fits of hand-made profiles."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles.camera.fits import Fit, fit_gaussian, start_values
from tests.oracles.camera.profiles import Profile


def gaussian(amplitude: float, mean: float, sigma: float) -> Profile:
    x = np.arange(0.5, 80)
    y = amplitude * np.exp(-((x - mean) ** 2) / (2 * sigma**2))
    return Profile(y.astype(np.float32), np.full(len(x), 2.0), x, mean, sigma)


@pytest.mark.parametrize("truth", [(500.0, 40.0, 6.0), (30.0, 22.5, 11.0), (9000.0, 60.0, 2.0)])
def test_a_gaussian_is_found_again(truth: tuple[float, float, float]) -> None:
    """The fit of an exact Gaussian gives its parameters, no chi2 to speak of, and says that it
    converged.
    """
    fit = fit_gaussian(gaussian(*truth))
    assert (fit.amplitude, fit.mean, fit.sigma) == pytest.approx(truth, rel=1e-5)
    assert fit.chi2 == pytest.approx(0, abs=1e-3)
    assert fit.status == 3


def test_bins_without_an_error_take_no_part() -> None:
    """An empty bin, whatever its place, does not pull the fit."""
    profile = gaussian(500, 40, 6)
    profile.contents[38:42] = 0
    profile.errors[38:42] = 0
    assert fit_gaussian(profile).amplitude == pytest.approx(500, rel=1e-5)


def test_the_mean_stays_within_one_spread() -> None:
    """A mean that the data would put further away stops at its bound."""
    profile = gaussian(500, 40, 6)
    profile.mean, profile.spread = 30.0, 5.0
    assert fit_gaussian(profile).mean == pytest.approx(35, abs=1e-6)


def test_an_empty_profile_is_not_fitted() -> None:
    """Contents that sum to 0, and a profile without bins, give zeros, chi2 999 and status -1."""
    profile = gaussian(500, 40, 6)
    profile.contents[:] = 0
    none = Profile(np.empty(0, np.float32), np.empty(0), np.empty(0), 0.0, 0.0)
    assert fit_gaussian(profile) == fit_gaussian(none) == Fit(0, 0, 0, 999, -1)


def test_start_values_survive_negative_contents() -> None:
    """Where the variance is negative sigma starts from the bins, and one bin alone is enough to
    start.
    """
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert start_values(x, np.array([-5.0, 6.0, 6.0, -5.0]))[2] == 1
    assert np.isfinite(start_values(x[:1], np.array([3.0]))).all()
    assert np.isfinite(
        fit_gaussian(Profile(np.ones(1, np.float32), np.ones(1), x[:1], 1.0, 0.0)).amplitude
    )
