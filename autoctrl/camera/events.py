"""The tree ``Events``: its branches, and how the results of events become columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.rootio import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TREE = "Events"
PARAMETERS_TREE = "Reco_params"
KEYS = ("run", "event", "pedestal_run")
CAMERA = ("cmos_integral", "cmos_mean", "cmos_rms", "lp_len")
STAGES = ("DBSCAN", "variables", "pedsub", "saturation", "zerosup", "xycut", "rebin", "medianfilter", "noisered")
CLUSTER = (
    "size", "nhits", "integral", "corrintegral", "rms", "energy", "pathlength", "redpixIdx", "theta", "length", "width",
    "longrms", "latrms", "lfullrms", "tfullrms", "lp0amplitude", "lp0prominence", "lp0fwhm", "lp0mean", "tp0fwhm",
    "xmean", "ymean", "xmax", "xmin", "ymax", "ymin", "pearson", "tgaussamp", "tgaussmean", "tgausssigma", "tchi2",
    "tstatus", "lgaussamp", "lgaussmean", "lgausssigma", "lchi2", "lstatus", "axis",
)  # fmt: skip
LAYOUT = Layout(
    scalars=dict.fromkeys(KEYS, "int32")
    | dict.fromkeys(CAMERA, "float32")
    | {f"t_{stage}": "float32" for stage in STAGES}
    | {"spark": "int32"},
    groups={
        "nSc": {f"sc_{name}": "float32" for name in CLUSTER} | {"sc_directional": "int32"},
        "nRedpix": {"redpix_ix": "int32", "redpix_iy": "int32", "redpix_iz": "float32"},
    },
)


@dataclass
class PixelList:
    """Row, column and light of the pixels that an event keeps, cluster after cluster."""

    rows: list[NDArray[np.int64]] = field(default_factory=list)
    cols: list[NDArray[np.int64]] = field(default_factory=list)
    light: list[NDArray[np.float64]] = field(default_factory=list)
    count: int = 0

    def append(self, rows: NDArray[np.int64], cols: NDArray[np.int64], light: NDArray[np.float64]) -> int:
        """Add pixels, light rounded to a tenth of a count, and return the index of the first."""
        first = self.count
        self.rows.append(rows)
        self.cols.append(cols)
        self.light.append(np.rint(10 * light) / 10)
        self.count += len(rows)
        return first


@dataclass
class EventResult:
    """Everything that one frame gives: values per event, one mapping per cluster, the pixel list."""

    values: dict[str, float]
    clusters: list[dict[str, float]] = field(default_factory=list)
    pixels: PixelList = field(default_factory=PixelList)


def to_columns(results: Sequence[EventResult]) -> dict[str, Any]:
    """Return the results of some events as columns of ``LAYOUT``."""
    columns: dict[str, Any] = {name: [result.values[name] for result in results] for name in LAYOUT.scalars}
    clusters = [cluster for result in results for cluster in result.clusters]
    columns["nSc"] = [len(result.clusters) for result in results]
    columns |= {branch: [c[branch.removeprefix("sc_")] for c in clusters] for branch in LAYOUT.groups["nSc"]}
    columns["nRedpix"] = [result.pixels.count for result in results]
    for branch, part in (("redpix_ix", "rows"), ("redpix_iy", "cols"), ("redpix_iz", "light")):
        pieces = [piece for result in results for piece in getattr(result.pixels, part)]
        columns[branch] = np.concatenate(pieces) if pieces else np.empty(0)
    return columns
