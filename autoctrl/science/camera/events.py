"""The tree ``Events``: its branches, and how the results of events become columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.errors import DataError, nearest
from autoctrl.science.rootio import NUMBER_TYPES, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

TREE = "Events"
PARAMETERS_TREE = "Reco_params"
KEYS = ("run", "event", "pedestal_run")
CAMERA = ("cmos_integral", "cmos_mean", "cmos_rms", "lp_len")
STAGES = (
    "DBSCAN",
    "variables",
    "pedsub",
    "saturation",
    "zerosup",
    "xycut",
    "rebin",
    "medianfilter",
    "noisered",
)
CLUSTER = (
    "size",
    "nhits",
    "integral",
    "corrintegral",
    "rms",
    "energy",
    "pathlength",
    "redpixIdx",
    "theta",
    "length",
    "width",
    "longrms",
    "latrms",
    "lfullrms",
    "tfullrms",
    "lp0amplitude",
    "lp0prominence",
    "lp0fwhm",
    "lp0mean",
    "tp0fwhm",
    "xmean",
    "ymean",
    "xmax",
    "xmin",
    "ymax",
    "ymin",
    "pearson",
    "tgaussamp",
    "tgaussmean",
    "tgausssigma",
    "tchi2",
    "tstatus",
    "lgaussamp",
    "lgaussmean",
    "lgausssigma",
    "lchi2",
    "lstatus",
    "axis",
    "directional",
)
LAYOUT = Layout(
    scalars=dict.fromkeys(KEYS, "int32")
    | dict.fromkeys(CAMERA, "float32")
    | {f"t_{stage}": "float32" for stage in STAGES}
    | {"spark": "int32", "lost": "int32"},
    groups={
        "nSc": {f"sc_{name}": "int32" if name == "directional" else "float32" for name in CLUSTER},
        "nRedpix": {"redpix_ix": "int32", "redpix_iy": "int32", "redpix_iz": "float32"},
    },
)


LISTED = frozenset(name for group in LAYOUT.groups.values() for name in group)
BRANCHES = (*LAYOUT.scalars, *LAYOUT.groups, *sorted(LISTED))
VECTOR = re.compile(r"std::vector<(?:unsigned )?\w+>")


def check_branches(tree: Any, names: Iterable[str]) -> None:  # noqa: ANN401 - uproot has no type hints
    """Raise DataError for a tree that lacks one of these branches, or has it of another kind.

    They are branches of ``LAYOUT``.  Any type of number is taken, but one value for an entry is
    not a list of them.
    """
    where, known = f"tree {tree.name} of {tree.file.file_path}", set(tree.keys())
    for name in names:
        if name not in known:
            message = f"{where} has no branch {name}: it is not what autoctrl-camera reco writes."
            raise DataError(message, hint=nearest(name, known))
        kind = tree[name].typename
        if name in LISTED:
            is_right, wanted = _is_list(kind), "a list of numbers"
        else:
            is_right, wanted = kind in NUMBER_TYPES, "one number"
        if not is_right:
            found = f"branch {name} of {where} has the type {kind}"
            message = f"{found}, where every entry has {wanted}."
            raise DataError(message, hint="Take a file that autoctrl-camera reco wrote.")


def _is_list(kind: str) -> bool:
    return (kind.endswith("[]") and kind[:-2] in NUMBER_TYPES) or VECTOR.fullmatch(kind) is not None


@dataclass
class EventResult:
    """Everything that one frame gives: values, clusters in final order, the listed pixels.

    ``clusters`` (n, len(CLUSTER)) doubles; ``rows``, ``cols`` in pixels, ``light`` in counts to a
    tenth.
    """

    values: dict[str, float]
    clusters: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, len(CLUSTER))))
    rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    cols: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    light: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


def to_columns(results: Sequence[EventResult]) -> dict[str, Any]:
    """Return the results of at least one event as columns of ``LAYOUT``."""
    columns: dict[str, Any] = {
        name: [result.values[name] for result in results] for name in LAYOUT.scalars
    }
    clusters = np.concatenate([result.clusters for result in results])
    columns["nSc"] = [len(result.clusters) for result in results]
    columns |= {f"sc_{name}": clusters[:, number] for number, name in enumerate(CLUSTER)}
    columns["nRedpix"] = [len(result.rows) for result in results]
    for branch, part in (("redpix_ix", "rows"), ("redpix_iy", "cols"), ("redpix_iz", "light")):
        columns[branch] = np.concatenate([getattr(result, part) for result in results])
    return columns
