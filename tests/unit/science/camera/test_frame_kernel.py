"""The compiled way from a frame to seeds, against its NumPy reference."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.science.camera import kernel
from autoctrl.science.camera.parameters import Parameters, Pedestal
from tests.oracles.camera import frame as reference
from tests.oracles.camera.noise import reduce_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 1.2


def both(grid: NDArray[np.float64], threshold: float = THRESHOLD) -> tuple[bytes, bytes]:
    compiled, plain = grid.copy(), grid.copy()
    kernel.reduce_noise(compiled, threshold)
    reduce_noise(plain, threshold)
    return compiled.tobytes(), plain.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    filled=st.floats(0, 1),
    scale=st.sampled_from([0.3, 2.0, 15.0, 400.0]),
    threshold=st.sampled_from([1.1, 1.2]),
    seed=st.integers(0, 2**32 - 1),
)
def test_kernel_equals_reference(
    shape: tuple[int, int], filled: float, scale: float, threshold: float, seed: int
) -> None:
    """On grids of any shape, filling and brightness the kernel gives the bits of the reference."""
    generator = np.random.default_rng(seed)
    grid = generator.exponential(scale, shape) * (generator.random(shape) < filled)
    compiled, plain = both(grid, threshold)
    assert compiled == plain


@pytest.mark.parametrize(
    "value", [0.0, 65535.0, 1.2, 3.4e38], ids=["empty", "saturated", "threshold", "huge"]
)
def test_kernel_equals_reference_on_flat_grids(value: float) -> None:
    """On an empty, a saturated and a borderline grid the kernel gives the bits of the reference."""
    with np.errstate(over="ignore", invalid="ignore"):
        compiled, plain = both(np.full((9, 9), value))
    assert compiled == plain


KINDS = ("noise", "light", "saturated", "hot", "no pedestal", "dark")


def draw(
    generator: np.random.Generator, shape: tuple[int, int], kind: str
) -> tuple[NDArray[np.uint16], Pedestal]:
    """Return a frame of a kind and its pedestal."""
    mean = generator.normal(99, 3, shape).astype(np.float32)
    rms = generator.uniform(0.5, 4, shape).astype(np.float32)
    counts = generator.normal(mean, rms)
    if kind == "light":
        counts[: shape[0] // 2, : shape[1] // 2] += generator.exponential(60)
    if kind in {"saturated", "hot"}:
        counts[generator.random(shape) < (1.0 if kind == "hot" else 0.05)] = (
            65535 if kind == "saturated" else 4900
        )
    if kind == "no pedestal":
        mean[generator.random(shape) < 0.1] = np.nan
        rms[generator.random(shape) < 0.1] = np.nan
    return np.clip(np.rint(counts * (kind != "dark")), 0, 65535).astype(np.uint16), Pedestal(
        mean, rms
    )


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(4, 20),
    cols=st.integers(4, 20),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 2**32 - 1),
    is_mirrored=st.booleans(),
)
def test_images_and_seeds_equal_the_reference(
    rows: int,
    cols: int,
    kind: str,
    seed: int,
    is_mirrored: bool,  # noqa: FBT001
) -> None:
    """Frames of any content and form, stored forwards or backwards, give the images and seeds of
    the reference.
    """
    frame, pedestal = draw(np.random.default_rng(seed), (4 * rows, 4 * cols), kind)
    seen = np.ascontiguousarray(frame[:, ::-1])[:, ::-1] if is_mirrored else frame
    expected = reference.preprocess(frame, pedestal, Parameters())
    images = kernel.coarse_images(seen, pedestal, Parameters())
    assert kernel.frame_sum(seen) == frame.sum(dtype=np.uint64)
    kernel.reduce_noise(images.edge, Parameters().min_neighbors_average)
    cells, weights = kernel.find_seeds(images.edge, images.light)
    assert images.light.tobytes() == expected.coarse.tobytes()
    assert images.edge.tobytes() == expected.edge.tobytes()
    assert cells.tolist() == expected.seeds.cells.tolist()
    assert weights.tolist() == expected.seeds.weights.tolist()
    assert images.sum == pytest.approx(expected.suppressed.sum(), rel=1e-12)
    assert images.squares == pytest.approx((expected.suppressed**2).sum(), rel=1e-12)


def test_a_discharge_is_counted_in_64_bits() -> None:
    """The sum of a frame goes far beyond 32 bits, also of one whose rows and columns are
    exchanged.
    """
    frame = np.full((2304, 4096), 65535, dtype=np.uint16)
    assert kernel.frame_sum(frame) == kernel.frame_sum(frame.T) == 65535 * frame.size


def test_an_isolated_cell_is_removed_and_a_block_stays() -> None:
    """A bright cell alone becomes 0; the middle of a bright block keeps its double value."""
    grid = np.zeros((16, 16))
    grid[4, 4] = 9.0
    grid[8:12, 8:12] = 7.1
    kernel.reduce_noise(grid, THRESHOLD)
    assert grid[4, 4] == 0
    assert grid[9, 9] == 7.1


def test_later_cells_see_earlier_cells_new_values() -> None:
    """A cell is compared with what its earlier neighbours have become, not with what they were."""
    grid = np.zeros((10, 10))
    grid[4, 4:7] = (40.0, 14.0, 3.0)
    grid[5, 4] = 4.0
    kernel.reduce_noise(grid, THRESHOLD / 10)
    assert grid[4, 4] == (14 + 4) / 8
    # with the old 40 beside it the 14 would have stayed
    assert grid[4, 5] == (2.25 + 4 + 3) / 8


def test_a_missing_kernel_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extension was not built, the error says so and names the command that builds it."""
    monkeypatch.setitem(sys.modules, "autoctrl.science.camera._frame", None)
    with pytest.raises(kernel.KernelMissing, match="pip install"):
        kernel.reduce_noise(np.zeros((4, 4)), THRESHOLD)
