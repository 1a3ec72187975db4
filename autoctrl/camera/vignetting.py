"""The vignetting map: the factor that undoes the fall of the lens' response off axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autoctrl.errors import DataError
from autoctrl.rootio import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK = 8


def from_response(response: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the factor of every pixel from a response R[x block, y block], with x the column and y the row.

    Blocks are 8 x 8 pixels; pixels beyond the last whole block of the response have factor 0.
    """
    factors = np.divide(1.0, response.T, out=np.zeros(response.T.shape), where=response.T > 0)
    pixels = np.kron(factors, np.ones((BLOCK, BLOCK)))[:size, :size]
    full = np.zeros((size, size))
    full[: pixels.shape[0], : pixels.shape[1]] = pixels
    return full


def read_vignetting(path: Path, size: int) -> NDArray[np.float64]:
    """Read the response from the first TH2 of a ROOT file; raises DataError when there is none."""
    with open_file(path) as file:
        names = [name for name, kind in file.classnames(cycle=False).items() if kind.startswith("TH2")]
        if not names:
            message = f"{path} holds no TH2 with the response of the lens."
            raise DataError(message)
        return from_response(np.asarray(file[names[0]].values(), dtype=np.float64), size)
