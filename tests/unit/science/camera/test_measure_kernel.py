"""The compiled variables of clusters against their reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.science.camera import kernel
from autoctrl.science.camera.parameters import Parameters, Pedestal
from tests.oracles.camera.frame import preprocess
from tests.oracles.camera.pixels import collect_pixels
from tests.oracles.camera.variables import measure_cluster

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 160
FITTED = {
    f"{way}{name}"
    for way in "lt"
    for name in ("gaussamp", "gaussmean", "gausssigma", "chi2", "status")
}


def scene(
    generator: np.random.Generator, clusters: int
) -> tuple[NDArray[np.uint16], Pedestal, list[NDArray[np.int64]]]:
    """Return a frame with a Gaussian spot in each of some clusters of cells, its pedestal and the
    clusters.
    """
    mean = generator.normal(99, 0.4, (SIZE, SIZE)).astype(np.float32)
    rms = generator.uniform(1, 2, (SIZE, SIZE)).astype(np.float32)
    rows, cols = np.mgrid[:SIZE, :SIZE]
    light = np.zeros((SIZE, SIZE))
    cells = []
    for _ in range(clusters):
        row, col = generator.uniform(20, SIZE - 20, 2)
        a, b, angle = *generator.uniform(2, 12, 2), generator.uniform(0, np.pi)
        along = (rows - row) * np.cos(angle) + (cols - col) * np.sin(angle)
        across = (cols - col) * np.cos(angle) - (rows - row) * np.sin(angle)
        distance = (along / a) ** 2 + (across / b) ** 2
        light += generator.uniform(10, 400) * np.exp(-distance / 2)
        cells.append(np.argwhere(distance[2::4, 2::4] < 9))
    frame = np.clip(np.rint(generator.normal(mean, rms) + light), 0, 65535).astype(np.uint16)
    return frame, Pedestal(mean, rms), [each for each in cells if len(each) > 1]


@settings(max_examples=30, deadline=None)
@given(
    clusters=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    dead=st.sampled_from([0.0, 0.02]),
    has_map=st.booleans(),
)
def test_variables_equal_the_reference(
    clusters: int,
    seed: int,
    dead: float,
    has_map: bool,  # noqa: FBT001
) -> None:
    """Light, shape, profiles, peaks and position of any cluster are the reference's, fits are as
    good.
    """
    generator = np.random.default_rng(seed)
    frame, pedestal, groups = scene(generator, clusters)
    pedestal.mean[generator.random(pedestal.mean.shape) < dead] = np.nan
    vignetting = generator.uniform(0.9, 1.6, (SIZE // 8, SIZE // 8)) if has_map else None
    parameters = Parameters()
    offsets = np.cumsum([0, *map(len, groups)])
    cells = np.concatenate([*groups, np.empty((0, 2), np.int64)])
    found = kernel.measure(frame, pedestal, cells, offsets, parameters, vignetting=vignetting)
    images = preprocess(frame, pedestal, parameters)
    for number, group in enumerate(groups):
        pixels = collect_pixels(group, images, parameters.rebin, vignetting)
        mine = slice(16 * offsets[number], 16 * offsets[number + 1])
        assert found.rows[mine].tolist() == pixels.rows.tolist()
        assert found.cols[mine].tolist() == pixels.cols.tolist()
        assert found.light[mine].tobytes() == pixels.light.tobytes()
        expected = measure_cluster(pixels)
        values = dict(zip(found.names, found.values[number].tolist(), strict=True))
        for name in values.keys() - FITTED:
            assert values[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name
        check_fits(values, expected)


def check_fits(values: dict[str, float], expected: dict[str, float]) -> None:
    """Compare both fits: another minimum may be found where it is no worse."""
    for way in "lt":
        mine, theirs = values[f"{way}chi2"], expected[f"{way}chi2"]
        assert mine <= theirs * 1.0001 + 1e-6
        if mine > theirs * 0.9999:
            for name in ("gaussmean", "gausssigma"):
                assert values[way + name] == pytest.approx(expected[way + name], rel=3e-3, abs=3e-3)
            assert values[f"{way}status"] == expected[f"{way}status"]


def test_no_cluster_has_no_variables() -> None:
    """Without clusters there are no rows and no pixels."""
    frame, pedestal, _ = scene(np.random.default_rng(1), 1)
    found = kernel.measure(
        frame,
        pedestal,
        np.empty((0, 2), np.int64),
        np.zeros(1, np.int64),
        Parameters(),
        vignetting=None,
    )
    assert found.values.shape == (0, len(found.names))
    assert len(found.rows) == len(found.cols) == len(found.light) == 0
