"""The noise reduction of the coarse image, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUMP = np.float32(10)
MIN_FILLED = 3
BORDER = 2


def reduce_noise(edge: NDArray[np.float64], min_neighbors_average: float) -> None:
    """Remove isolated cells from a coarse image, in place, in raster order: later cells see earlier
    cells' new values.

    Two rows and columns at each border become 0.  A cell that differs from the mean m of its 8
    neighbours by more than 10 becomes m; a cell with ``m < min_neighbors_average``, or with fewer
    than 3 filled cells among the 9, becomes 0. Values are rounded to float32 when read and all
    arithmetic is float32; an untouched cell keeps its double value.
    """
    rows, cols = edge.shape
    border = np.ones(edge.shape, dtype=bool)
    border[BORDER : rows - BORDER, BORDER : cols - BORDER] = False
    edge[border] = 0.0
    threshold = np.float32(min_neighbors_average)
    for row in range(1, rows - BORDER):
        for col in range(1, cols - BORDER):
            _reduce_cell(edge, row, col, threshold)


def _reduce_cell(edge: NDArray[np.float64], row: int, col: int, threshold: np.float32) -> None:
    """Apply the three tests to one cell, all with the values found at the beginning."""
    window = edge[row - 1 : row + 2, col - 1 : col + 2].astype(np.float32)
    centre = window[1, 1]
    # column by column, and one rounding after every addition: the sum depends on both
    neighbours = np.delete(window.T.ravel(), 4)
    total = np.float32(0)
    for value in neighbours:
        total = total + value
    mean = total / np.float32(8)
    if abs(centre - mean) > JUMP:
        edge[row, col] = mean
    if mean < threshold:
        edge[row, col] = 0.0
    if np.count_nonzero(window) < MIN_FILLED:
        edge[row, col] = 0.0
