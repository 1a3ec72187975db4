"""Images as two-dimensional histograms of ROOT."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.science.rootio import load_uproot

if TYPE_CHECKING:
    from numpy.typing import NDArray


def make_histogram(image: NDArray[Any], title: str) -> Any:  # noqa: ANN401 - an uproot model
    """Return an image (rows, cols) as a TH2 of its own type with x = column and y = row, one bin
    per pixel.
    """
    identify = load_uproot().writing.identify
    rows, cols = image.shape
    bins = np.zeros((rows + 2, cols + 2), dtype=image.dtype)
    bins[1:-1, 1:-1] = image
    axes = [
        identify.to_TAxis(fName=name, fTitle=label, fNbins=count, fXmin=0.0, fXmax=float(count))
        for name, label, count in (("xaxis", "column", cols), ("yaxis", "row", rows))
    ]
    total = float(image.sum(dtype=np.float64))
    sums = dict.fromkeys(("fTsumw2", "fTsumwx", "fTsumwx2", "fTsumwy", "fTsumwy2", "fTsumwxy"), 0.0)
    return identify.to_TH2x(
        fName=None,
        fTitle=title,
        data=bins.ravel(),
        fEntries=float(image.size),
        fTsumw=total,
        **sums,
        fSumw2=None,
        fXaxis=axes[0],
        fYaxis=axes[1],
    )


def read_image(file: Any, name: str) -> NDArray[Any]:  # noqa: ANN401 - uproot has no type hints
    """Return the image (rows, cols) in a TH2 of an open file, row by row as it is stored there."""
    image: NDArray[Any] = file[name].values().T
    gc.collect(1)  # what uproot made of the object refers to itself, and is tens of megabytes
    return image
