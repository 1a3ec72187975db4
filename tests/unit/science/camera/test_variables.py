"""The variables of hand-made clusters."""

from __future__ import annotations

from math import atan2, degrees

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.science.camera import events
from tests.oracles.camera.frame import Images, Seeds
from tests.oracles.camera.pixels import Pixels, collect_pixels
from tests.oracles.camera.profiles import Peak, find_main_peak, make_profile, profile_edges
from tests.oracles.camera.variables import (
    SATURATION,
    fold_angle,
    grid_spreads,
    measure_cluster,
    measure_light,
    measure_position,
    principal_axes,
    rotate,
)


def cluster(cells: list[tuple[int, int]], light: float = 5.0) -> Pixels:
    dark = Seeds(np.empty((0, 2), np.int64), np.empty(0, np.int64))
    image = np.full((64, 64), light)
    return collect_pixels(np.array(cells), Images(image, image, image, image, dark), 4, None)


def test_pixels_come_cell_by_cell_and_row_by_row() -> None:
    """A cell's 16 pixels are listed row by row, one cell after the other."""
    pixels = cluster([(1, 2), (1, 3)])
    assert pixels.rows.tolist() == 2 * [4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7]
    assert pixels.cols.tolist() == 4 * [8, 9, 10, 11] + 4 * [12, 13, 14, 15]
    assert pixels.active == 32


def test_vignetting_multiplies_light_and_decides_on_activity() -> None:
    """Light is multiplied by the factor; where the factor is 0 no pixel is active."""
    image = np.full((8, 16), 5.0)
    factor = np.array([[2.0, 0.0]])
    dark = Seeds(np.empty((0, 2), np.int64), np.empty(0, np.int64))
    pixels = collect_pixels(
        np.array([(0, 0), (1, 2)]), Images(image, image, image, image, dark), 4, factor
    )
    assert pixels.light.sum() == 160.0
    assert pixels.active == 16


def test_saturation_constants() -> None:
    """The quadratic correction has the constants that follow from the response of the
    amplification.
    """
    assert pytest.approx((0.1320906, 0.0725, 1.6281562), rel=1e-6) == SATURATION


def test_light_sums_over_all_pixels() -> None:
    """Integral, corrected integral and spread are those of all pixels, the constant term counted
    for each.
    """
    light = measure_light(cluster([(1, 1), (1, 2)], light=2.0))
    a, b, c = SATURATION
    assert (light["size"], light["integral"], light["rms"]) == (32, 64, 0)
    assert light["corrintegral"] == pytest.approx(32 * (4 * a + 2 * b + c))


@pytest.mark.parametrize(
    ("cells", "first", "major"),
    [
        ([(0, 0), (1, 0), (2, 0)], (1, 0), (1, 0)),
        ([(0, 0), (0, 1), (0, 2)], (1, 0), (0, 1)),
    ],
    ids=["along rows", "along columns"],
)
def test_axes_without_covariance(
    cells: list[tuple[int, int]], first: tuple[float, float], major: tuple[float, float]
) -> None:
    """A cluster along rows or columns has that major axis, and always the rows as first
    eigenvector.
    """
    assert principal_axes(np.array(cells)) == (first, major)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=30, unique=True
    )
)
def test_axes_are_those_of_the_covariance(cells: list[tuple[int, int]]) -> None:
    """Both vectors have unit length and solve the eigenvalue problem; the major axis has the larger
    eigenvalue.
    """
    matrix = np.cov(np.array(cells, dtype=float).T)
    values = np.linalg.eigvalsh(matrix)
    first, major = (np.array(axis) for axis in principal_axes(np.array(cells)))
    assert np.linalg.norm(first) == pytest.approx(1)
    assert matrix @ major == pytest.approx(values[1] * major, abs=1e-6 * values[1])
    assert min(np.abs(values - first @ matrix @ first)) == pytest.approx(0, abs=1e-6 * values[1])


@pytest.mark.parametrize(
    ("angle", "folded"), [(90, 90), (-90, 90), (135, -45), (-179, 1), (180, 0), (0, 0)]
)
def test_an_axis_has_no_direction(angle: float, folded: float) -> None:
    """Angles of axes are folded into (-90, 90] degrees."""
    assert fold_angle(angle) == folded


def test_length_and_width_of_a_straight_cluster() -> None:
    """Extents are measured along and across the major axis, in pixels."""
    variables = measure_cluster(cluster([(3, col) for col in range(2, 12)]))
    assert (variables["length"], variables["width"]) == (39, 3)
    assert variables["axis"] == 90
    assert variables["theta"] == 0


def test_rotation_turns_around_the_mean_cell() -> None:
    """A rotation keeps the distances of pixels and leaves the pivot where it is."""
    pixels = cluster([(1, 1), (2, 2), (3, 3)])
    along, across = rotate(pixels, (0.6, 0.8))
    assert np.hypot(along - 2, across - 2) == pytest.approx(
        np.hypot(pixels.rows - 2, pixels.cols - 2)
    )
    assert degrees(atan2(0.8, 0.6)) == pytest.approx(53.13, abs=0.01)


def test_profile_bins_skip_the_position_that_closes_them() -> None:
    """A bin collects until it has enough; the position at which it closes is not counted for the
    next one.
    """
    coordinate = np.repeat(np.arange(10.0), 4)
    assert profile_edges(coordinate, 7).tolist() == [0, 2, 5, 8, 9]


def test_profile_leaves_out_what_lies_at_the_last_edge() -> None:
    """Pixels at or above the last edge count neither in the bins nor in mean and spread."""
    coordinate = np.array([0.0, 1.0, 2.0, 4.0])
    profile = make_profile(coordinate, np.ones(4), np.array([0, 2, 4]))
    assert profile.contents.tolist() == [2, 1]
    assert profile.centres.tolist() == [1, 3]
    assert profile.mean == 1
    assert profile.spread == pytest.approx(np.sqrt(2 / 3))


def test_the_rightmost_peak_is_the_main_one() -> None:
    """Of two peaks the one with the larger position is taken, not the higher one; without a peak
    there are fillers.
    """
    x = np.arange(60)
    light = 50 * np.exp(-((x - 15) ** 2) / 18) + 20 * np.exp(-((x - 40) ** 2) / 18)
    profile = make_profile(x.astype(float), light, np.arange(61))
    assert find_main_peak(profile).position == 40.5
    assert find_main_peak(make_profile(x.astype(float), np.zeros(60), np.arange(61))) == Peak()


def test_a_later_pixel_replaces_an_earlier_one_in_its_grid_cell() -> None:
    """On the integer grid the last pixel of a cell counts alone."""
    a = np.array([0.0, 0.1, 2.0])
    spread, _ = grid_spreads(a, np.zeros(3), np.array([100.0, 1.0, 1.0]))
    assert spread == 1


def test_a_dark_cluster_has_no_position() -> None:
    """With less than 10 counts the six position variables are 0, else means are weighted and
    extents are of all.
    """
    assert set(measure_position(cluster([(1, 1)], light=0.1)).values()) == {0.0}
    bright = measure_position(cluster([(1, 1)], light=3.0))
    assert (bright["xmean"], bright["xmin"], bright["xmax"]) == (5.5, 4, 7)


def test_every_branch_of_a_cluster_is_measured() -> None:
    """All cluster branches of the layout but the pixel index come out of one measurement."""
    branches = {branch.removeprefix("sc_") for branch in events.LAYOUT.groups["nSc"]}
    assert set(measure_cluster(cluster([(1, 1), (1, 2)]))) == branches - {"redpixIdx"}
