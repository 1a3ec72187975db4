"""The fit of a peak: found by itself, unbiased, with errors that are true."""

from __future__ import annotations

import numpy as np
import pytest
from hist import Hist

from autoctrl.science.quality.peaks import Peak, fit_peak

POSITION, WIDTH = 7800.0, 900.0


def spectrum(seed: int, entries: int, background: int) -> Peak | None:
    random = np.random.default_rng(seed)
    histogram = Hist.new.Reg(800, 0, 40_000).Double()
    histogram.fill(random.normal(POSITION, WIDTH, entries)).fill(
        random.uniform(0, 30_000, background)
    )
    return fit_peak(histogram)


@pytest.mark.parametrize(("entries", "background"), [(100, 0), (300, 20), (3000, 300)])
def test_position_and_width_are_as_far_off_as_their_errors_say(
    entries: int, background: int
) -> None:
    """Over many spectra the pulls have mean 0 and spread 1, and chi2 is about its degrees of
    freedom.
    """
    peaks = [
        peak for seed in range(60) if (peak := spectrum(seed, entries, background)) is not None
    ]
    assert len(peaks) == 60
    pulls = np.array([(p.position - POSITION) / p.position_error for p in peaks])
    widths = np.array([(p.width - WIDTH) / p.width_error for p in peaks])
    assert abs(pulls.mean()) < 4 / np.sqrt(60)
    assert 0.7 < pulls.std() < 1.4
    assert abs(widths.mean()) < 1
    assert 0.7 < np.mean([p.chi2 / p.ndf for p in peaks]) < 1.4


def test_numbers_of_a_peak_have_errors() -> None:
    """Position and resolution are given with their standard deviations, and the fit with its
    quality.
    """
    peak = spectrum(1, 2000, 100)
    assert peak is not None
    numbers = peak.numbers("light")
    assert numbers["light_resolution"] == pytest.approx(WIDTH / POSITION, rel=0.1)
    assert 0 < numbers["light_resolution_error"] < 0.01
    assert numbers["light_fit_ndf"] == len(peak.counts) - 4
    middle = peak.density(np.array([peak.position]))[0]
    assert middle == pytest.approx(
        peak.entries / (np.sqrt(2 * np.pi) * peak.width) + peak.background
    )


@pytest.mark.parametrize("values", [[], [5.0] * 3, list(range(20))])
def test_too_few_entries_are_not_fitted(values: list[float]) -> None:
    """There is no peak in next to nothing."""
    assert fit_peak(Hist.new.Reg(800, 0, 40_000).Double().fill(values)) is None


@pytest.mark.parametrize("values", [[5000.0] * 100, [1e9] * 100, [39_990.0] * 50 + [10.0] * 50])
def test_odd_spectra_do_no_harm(values: list[float]) -> None:
    """One bin, nothing but overflow, or two far peaks give a fit or none, never an error."""
    peak = fit_peak(Hist.new.Reg(800, 0, 40_000).Double().fill(values))
    assert peak is None or np.isfinite(list(peak.numbers("light").values())).all()
