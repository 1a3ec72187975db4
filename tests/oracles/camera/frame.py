"""From a frame to seeds: thresholds, coarse images, noise reduction.  All arrays are in the working
orientation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.camera.noise import reduce_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.science.camera.parameters import Parameters, Pedestal

    Image = NDArray[np.float64]


@dataclass
class Seeds:
    """Occupied coarse cells in raster order: ``cells`` (n, 2) of (row, column) and one ``weights``
    each.
    """

    cells: NDArray[np.int64]
    weights: NDArray[np.int64]


@dataclass
class Images:
    """What later stages need: ``subtracted`` and ``suppressed`` at full resolution, ``coarse``,
    ``edge``, the seeds.
    """

    subtracted: Image
    suppressed: Image
    coarse: Image
    edge: Image
    seeds: Seeds


def cut_saturated(frame: NDArray[np.uint16], cimax: int) -> Image:
    """Return the frame as doubles, with pixels at or above ``cimax`` set to 0."""
    return np.where(frame < cimax, frame, 0).astype(np.float64)


def suppress(subtracted: Image, rms: NDArray[np.float32], nsigma: float) -> Image:
    """Return the image with pixels that are not above ``nsigma`` times their noise set to 0."""
    return np.where(subtracted > rms.astype(np.float64) * nsigma, subtracted, 0.0)


def crop_rows(image: Image, rows: tuple[int, int]) -> None:
    """Set everything outside the rows kept to 0, in place."""
    image[: rows[0]] = 0.0
    image[rows[1] :] = 0.0


def average_cells(image: Image, rebin: int) -> Image:
    """Return the mean of every ``rebin`` x ``rebin`` block, zeros included."""
    rows, cols = image.shape
    blocks = image.reshape(rows // rebin, rebin, cols // rebin, rebin)
    averaged: Image = blocks.sum(axis=(1, 3)) / (rebin * rebin)
    return averaged


def take_median(image: Image) -> Image:
    """Return the third smallest of each pixel, its upper, its left and its upper left neighbour
    (borders repeat).
    """
    low = np.empty_like(image)
    high = np.empty_like(image)
    low[0] = high[0] = image[0]
    np.minimum(image[:-1], image[1:], out=low[1:])
    np.maximum(image[:-1], image[1:], out=high[1:])
    median = np.empty_like(image)
    median[:, 0] = high[:, 0]
    median[:, 1:] = np.maximum(
        np.minimum(high[:, :-1], high[:, 1:]), np.maximum(low[:, :-1], low[:, 1:])
    )
    return median


def find_seeds(edge: Image, coarse: Image) -> Seeds:
    """Return the cells above one half with their weight: the coarse content, truncated, at least
    1.
    """
    cells = np.ascontiguousarray(np.argwhere(np.rint(edge) != 0))
    weights = np.maximum(1, np.trunc(coarse[cells[:, 0], cells[:, 1]]).astype(np.int64))
    return Seeds(cells, weights)


def preprocess(frame: NDArray[np.uint16], pedestal: Pedestal, parameters: Parameters) -> Images:
    """Do all steps from frame to seeds."""
    image = cut_saturated(frame, parameters.cimax)
    image = np.nan_to_num(image - pedestal.mean)  # a pixel without a pedestal has no light
    suppressed = suppress(image, pedestal.rms, parameters.nsigma)
    crop_rows(suppressed, pedestal.geometry.rows_kept)
    coarse = average_cells(suppressed, parameters.rebin)
    edge = average_cells(take_median(suppressed), parameters.rebin)
    reduce_noise(edge, parameters.min_neighbors_average)
    return Images(image, suppressed, coarse, edge, find_seeds(edge, coarse))
