"""From a frame to seeds: thresholds, coarse images, noise reduction.  All arrays are in the working orientation."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoctrl.camera.kernel import reduce_noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from autoctrl.camera.parameters import Geometry, Parameters

    Image = NDArray[np.float64]

BAND_ROWS = 32


@dataclass
class Pedestal:
    """Maps of a sensor, ``mean`` and ``rms`` in counts, both float32, and the run they come from."""

    mean: NDArray[np.float32]
    rms: NDArray[np.float32]
    run: int = -1


@dataclass
class Seeds:
    """Occupied coarse cells in raster order: ``cells`` (n, 2) of (row, column) and one ``weights`` each."""

    cells: NDArray[np.int64]
    weights: NDArray[np.int64]


@dataclass
class Images:
    """What later stages need: ``subtracted`` and ``suppressed`` at full resolution, ``coarse``, ``edge``, the seeds."""

    subtracted: Image
    suppressed: Image
    coarse: Image
    edge: Image
    seeds: Seeds


@dataclass
class Clock:
    """Seconds spent per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time of the block to ``stage``."""
        begin = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begin


def row_bands(rows: int, height: int) -> Iterator[slice]:
    """Yield slices of at most ``height`` rows that cover all rows; a band fits into the processor's cache."""
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def is_spark(frame: NDArray[np.uint16], geometry: Geometry) -> bool:
    """Say whether the frame is a discharge: its sum, in 64 bits, is above the limit."""
    return int(frame.sum(dtype=np.uint64)) > geometry.veto_sum


def cut_saturated(frame: NDArray[np.uint16], cimax: int) -> Image:
    """Return the frame as doubles, with pixels at or above ``cimax`` set to 0."""
    return np.where(frame < cimax, frame, 0).astype(np.float64)


def suppress(subtracted: Image, rms: NDArray[np.float32], nsigma: float) -> Image:
    """Return the image with pixels that are not above ``nsigma`` times their noise set to 0."""
    suppressed = np.empty_like(subtracted)
    for band in row_bands(len(subtracted), BAND_ROWS):
        threshold = rms[band].astype(np.float64) * nsigma
        suppressed[band] = np.where(subtracted[band] > threshold, subtracted[band], 0.0)
    return suppressed


def crop_rows(image: Image, rows: tuple[int, int]) -> None:
    """Set everything outside the rows kept to 0, in place."""
    image[: rows[0]] = 0.0
    image[rows[1] :] = 0.0


def average_cells(image: Image, rebin: int) -> Image:
    """Return the mean of every ``rebin`` x ``rebin`` block, zeros included."""
    cells = image.shape[0] // rebin
    averaged: Image = image.reshape(cells, rebin, cells, rebin).sum(axis=(1, 3)) / (rebin * rebin)
    return averaged


def take_median(image: Image) -> Image:
    """Return the third smallest of each pixel, its upper, its left and its upper left neighbour (borders repeat)."""
    low = np.empty_like(image)
    high = np.empty_like(image)
    low[0] = high[0] = image[0]
    np.minimum(image[:-1], image[1:], out=low[1:])
    np.maximum(image[:-1], image[1:], out=high[1:])
    median = np.empty_like(image)
    median[:, 0] = high[:, 0]
    median[:, 1:] = np.maximum(np.minimum(high[:, :-1], high[:, 1:]), np.maximum(low[:, :-1], low[:, 1:]))
    return median


def average_median(image: Image, rebin: int) -> Image:
    """Return the averaged cells of the median, made band by band so that nothing large is written in between."""
    averaged = np.empty((len(image) // rebin, len(image) // rebin))
    for band in row_bands(len(image), rebin * max(1, BAND_ROWS // rebin)):
        above = max(0, band.start - 1)
        median = take_median(image[above : band.stop])[band.start - above :]
        rows = slice(band.start // rebin, band.stop // rebin)
        averaged[rows] = median.reshape(-1, rebin, len(image) // rebin, rebin).sum(axis=(1, 3)) / (rebin * rebin)
    return averaged


def find_seeds(edge: Image, coarse: Image) -> Seeds:
    """Return the cells above one half with their weight: the coarse content, truncated, at least 1."""
    cells = np.argwhere(np.rint(edge) != 0)
    weights = np.maximum(1, np.trunc(coarse[cells[:, 0], cells[:, 1]]).astype(np.int64))
    return Seeds(cells, weights)


def preprocess(
    frame: NDArray[np.uint16], pedestal: Pedestal, parameters: Parameters, geometry: Geometry, clock: Clock
) -> Images:
    """Do all steps from frame to seeds."""
    with clock.measure("saturation"):
        image = cut_saturated(frame, parameters.cimax)
    with clock.measure("pedsub"):
        image -= pedestal.mean
    with clock.measure("zerosup"):
        suppressed = suppress(image, pedestal.rms, parameters.nsigma)
    with clock.measure("xycut"):
        crop_rows(suppressed, geometry.rows_kept)
    with clock.measure("rebin"):
        coarse = average_cells(suppressed, parameters.rebin)
    with clock.measure("medianfilter"):
        edge = average_median(suppressed, parameters.rebin)
    with clock.measure("noisered"):
        reduce_noise(edge, parameters.min_neighbors_average)
    return Images(image, suppressed, coarse, edge, find_seeds(edge, coarse))
