"""From frames to seeds, on small arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.science.camera.parameters import Geometry, Parameters, Pedestal
from tests.oracles.camera.frame import (
    average_cells,
    crop_rows,
    cut_saturated,
    find_seeds,
    preprocess,
    suppress,
    take_median,
)


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_median_is_the_third_smallest_of_four(size: int, seed: int) -> None:
    """Every pixel gets the third smallest of itself and its upper and left neighbours, the border
    being repeated.
    """
    image = np.random.default_rng(seed).integers(0, 6, (size, size)).astype(float)
    padded = np.pad(image, ((1, 0), (1, 0)), mode="edge")
    expected = [
        [sorted(padded[r : r + 2, c : c + 2].ravel())[2] for c in range(size)] for r in range(size)
    ]
    assert take_median(image).tolist() == expected


def test_pixels_at_the_upper_threshold_are_cut() -> None:
    """A pixel at the threshold becomes 0, one below it stays."""
    assert cut_saturated(np.array([[4999, 5000, 65535]], dtype=np.uint16), 5000).tolist() == [
        [4999.0, 0.0, 0.0]
    ]


def test_suppression_is_strict_and_in_double_precision() -> None:
    """A pixel exactly at its threshold is suppressed, and float32 noise is multiplied in double
    precision.
    """
    rms = np.array([[1.0, 1.7]], dtype=np.float32)
    thresholds = 0.6 * rms.astype(np.float64)
    image = np.array([[thresholds[0, 0], np.nextafter(thresholds[0, 1], 9)]])
    assert suppress(image, rms, 0.6).tolist() == [[0.0, image[0, 1]]]


def test_cells_are_averaged_with_their_zeros() -> None:
    """A cell holds the mean of all its pixels."""
    image = np.zeros((8, 8))
    image[0, 0] = 16.0
    image[4:, 4:] = 3.0
    assert average_cells(image, 4).tolist() == [[1.0, 0.0], [0.0, 3.0]]


def test_rows_outside_are_dark() -> None:
    """Rows before the first and from the last on become 0."""
    image = np.ones((5, 2))
    crop_rows(image, (1, 3))
    assert image[:, 0].tolist() == [0, 1, 1, 0, 0]


def test_seeds_weigh_at_least_one() -> None:
    """A cell above one half is a seed, weighing the truncated coarse content but at least 1."""
    edge = np.array([[0.5, 0.51], [3.0, 0.0]])
    coarse = np.array([[9.0, 0.2], [7.9, 9.0]])
    seeds = find_seeds(edge, coarse)
    assert seeds.cells.tolist() == [[0, 1], [1, 0]]
    assert seeds.weights.tolist() == [1, 7]


def test_limits_go_with_the_sensor() -> None:
    """Rows kept and the limit of a discharge are the published ones, and those of the larger sensor
    in proportion.
    """
    assert (Geometry(2304, 2304).rows_kept, Geometry(2304, 2304).veto_sum) == (
        (304, 2054),
        1_070_683_200,
    )
    larger = Geometry(2304, 4096)
    assert (larger.rows_kept, larger.veto_sum) == ((304, 2054), 1_070_683_200 * 4096 // 2304)


@pytest.mark.parametrize("shape", [(0, 64), (12, 64), (64, 577)])
def test_an_impossible_sensor_is_refused(shape: tuple[int, int]) -> None:
    """A sensor that cannot be cut into coarse cells is refused."""
    with pytest.raises(DataError, match=f"{shape[0]} x {shape[1]} pixels"):
        Geometry(*shape)


def test_a_dark_frame_has_no_seeds() -> None:
    """A frame equal to its pedestal has no light and no seed."""
    pedestal = Pedestal(np.full((64, 64), 99, np.float32), np.ones((64, 64), np.float32))
    frame = np.full((64, 64), 99, np.uint16)
    images = preprocess(frame, pedestal, Parameters())
    assert not images.suppressed.any()
    assert images.seeds.cells.shape == (0, 2)
