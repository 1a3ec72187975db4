"""The vignetting map: the factor that undoes the fall of the lens' response off axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autoctrl.errors import DataError
from autoctrl.science.rootio import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from autoctrl.science.camera.parameters import Geometry

BLOCK = 8


def from_response(response: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
    """Return the factor of every block of 8 x 8 pixels from a response R[x block, y block], x the
    column, y the row.

    Blocks that the response does not have, and those with a response of 0, have factor 0.
    """
    factors = np.divide(1.0, response.T, out=np.zeros(response.T.shape), where=response.T > 0)
    full = np.zeros((-(-geometry.rows // BLOCK), -(-geometry.cols // BLOCK)))
    known = factors[: len(full), : len(full[0])]
    full[: len(known), : len(known[0])] = known
    return full


def read_vignetting(path: Path, geometry: Geometry) -> NDArray[np.float64]:
    """Read the response from the first TH2 of a ROOT file; raises DataError when there is none."""
    with open_file(path) as file:
        names = [
            name for name, kind in file.classnames(cycle=False).items() if kind.startswith("TH2")
        ]
        if not names:
            message = f"{path} holds no TH2 with the response of the lens."
            raise DataError(message)
        return from_response(np.asarray(file[names[0]].values(), dtype=np.float64), geometry)
