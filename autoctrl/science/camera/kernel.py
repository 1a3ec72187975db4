"""The compiled kernels, or how to build them.

What each must compute is in ``tests.oracles.camera``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autoctrl.errors import AutoctrlError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from autoctrl.science.camera.parameters import Parameters, Pedestal

    Image = NDArray[np.float64]
    Frame = NDArray[np.uint16]
    Ints = NDArray[np.int64]


class KernelMissing(AutoctrlError):
    """The extension modules were not built when autoctrl was installed."""


class Coarse(NamedTuple):
    """A frame's coarse images and what is known of it at full resolution.

    light, edge  mean of every cell's suppressed pixels, and of their medians, counts
    sum, squares of the suppressed image, over all pixels
    """

    light: Image
    edge: Image
    sum: float
    squares: float


class Measured(NamedTuple):
    """The variables of clusters and their pixels.

    names      of the variables, as the branches without ``sc_``
    values     (clusters, names)
    rows, cols, light  of all pixels in pixels and counts, one cluster after the other
    """

    names: tuple[str, ...]
    values: Image
    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    light: Image


def frame_sum(frame: Frame) -> int:
    """Return the sum of all counts."""
    return int(_load("_frame").total(frame))


def coarse_images(frame: Frame, pedestal: Pedestal, parameters: Parameters) -> Coarse:
    """Subtract, suppress, crop, average and take medians, in one pass."""
    rebin = parameters.rebin
    shape = frame.shape[0] // rebin, frame.shape[1] // rebin
    light, edge = np.empty(shape), np.empty(shape)
    sums = _load("_frame").coarse_images(
        frame,
        pedestal.mean,
        pedestal.rms,
        parameters.nsigma,
        parameters.cimax,
        *pedestal.geometry.rows_kept,
        rebin,
        light,
        edge,
    )
    return Coarse(light, edge, *sums)


def reduce_noise(edge: Image, min_neighbors_average: float) -> None:
    """Remove isolated cells from a coarse image, in place and in raster order."""
    _load("_frame").reduce_noise(edge, min_neighbors_average)


def find_seeds(edge: Image, light: Image) -> tuple[Ints, Ints]:
    """Return the cells (n, 2) above one half in raster order, and their weights."""
    cells, weights = _load("_frame").find_seeds(edge, light)
    return cells, weights


def cluster(
    cells: Ints, weights: Ints, shape: tuple[int, ...], parameters: Parameters, seed: int
) -> tuple[Ints, int]:
    """Return a label per seed, -1 for noise, and how many clusters are directional.

    These have the first labels.  ``shape`` is that of the coarse image, ``seed`` (64 bits)
    where the random trials begin.
    """
    labels, tracks = _load("_clusters").cluster(cells, weights, shape, parameters, seed)
    return labels, tracks


def measure(
    frame: Frame,
    pedestal: Pedestal,
    cells: Ints,
    offsets: Ints,
    parameters: Parameters,
    *,
    vignetting: Image | None,
) -> Measured:
    """Return variables and pixels of clusters.

    ``cells`` are those of all clusters, each from one of ``offsets`` to the next.
    ``vignetting`` is a factor for every block of 8 x 8 pixels, 1 without it.
    """
    module = _load("_measure")
    found = module.measure(
        frame,
        pedestal.mean,
        pedestal.rms,
        vignetting,
        cells,
        offsets,
        parameters.rebin,
        parameters.nsigma,
        parameters.cimax,
        *pedestal.geometry.rows_kept,
    )
    return Measured(module.NAMES, *found)


def _load(name: str) -> Any:  # noqa: ANN401 - a module
    try:
        return import_module(f"autoctrl.science.camera.{name}")
    except ImportError as error:
        kernel = f"The compiled kernel autoctrl.science.camera.{name}"
        message = f"{kernel} is missing: it was not built for this Python."
        hint = (
            "With a C compiler at hand, build it: pip install --force-reinstall --no-deps . "
            "(in the project's folder)"
        )
        raise KernelMissing(message, hint=hint) from error
