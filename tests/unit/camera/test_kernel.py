"""The compiled noise reduction against its NumPy reference."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.camera import kernel, reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 1.2


def both(grid: NDArray[np.float64], threshold: float = THRESHOLD) -> tuple[bytes, bytes]:
    compiled, plain = grid.copy(), grid.copy()
    kernel.reduce_noise(compiled, threshold)
    reference.reduce_noise(plain, threshold)
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


@pytest.mark.parametrize("value", [0.0, 65535.0, 1.2, 3.4e38], ids=["empty", "saturated", "threshold", "huge"])
def test_kernel_equals_reference_on_flat_grids(value: float) -> None:
    """On an empty, a saturated and a borderline grid the kernel gives the bits of the reference."""
    with np.errstate(over="ignore", invalid="ignore"):
        compiled, plain = both(np.full((9, 9), value))
    assert compiled == plain


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
    monkeypatch.setitem(sys.modules, "autoctrl.camera._kernel", None)
    with pytest.raises(kernel.KernelMissing, match="pip install"):
        kernel.reduce_noise(np.zeros((4, 4)), THRESHOLD)
