"""The pixels of a cluster: where they are and how much light each has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoctrl.science.camera.vignetting import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.oracles.camera.frame import Images

    Values = NDArray[np.float64]
    Vignetting = NDArray[np.float64] | None


@dataclass
class Pixels:
    """All pixels of a cluster, cell by cell and row by row inside a cell.

    ``rows`` and ``cols`` in pixels, ``light`` in counts above pedestal (may be negative),
    ``active``: how many pixels survive zero suppression, ``cells`` (n, 2) the coarse cells.
    """

    cells: NDArray[np.int64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    light: Values
    active: int


def collect_pixels(
    cells: NDArray[np.int64], images: Images, rebin: int, vignetting: Vignetting
) -> Pixels:
    """Return the pixels of the given coarse cells; ``vignetting``, by blocks, multiplies their
    light (None: by 1).
    """
    inside = np.arange(rebin * rebin)
    rows = (cells[:, :1] * rebin + inside // rebin).ravel()
    cols = (cells[:, 1:] * rebin + inside % rebin).ravel()
    light = images.subtracted[rows, cols]
    suppressed = images.suppressed[rows, cols]
    if vignetting is not None:
        factor = vignetting[rows // BLOCK, cols // BLOCK]
        light, suppressed = light * factor, suppressed * factor
    return Pixels(cells, rows, cols, light, int(np.count_nonzero(suppressed > 0)))
