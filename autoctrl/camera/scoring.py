"""Compares reconstructed clusters with the simulation's truth: efficiency per kind of object, purity, light.

An object is found when one cluster covers at least half of it (of a track: of the part inside the rows kept).  A
cluster is true when it covers something of an object; the light of objects that it covers is what it should hold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.camera.parameters import Geometry, Parameters
from autoctrl.errors import DataError
from autoctrl.rootio import get_tree, open_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = ("spot", "alpha", "muon", "electron")
FOUND_FRACTION = 0.5
BRANCHES = ("event", "sc_integral", "sc_redpixIdx", "sc_size", "redpix_ix", "redpix_iy")


@dataclass
class Tally:
    """Objects of one kind: how many could be seen, how many were found, and their light."""

    objects: int = 0
    found: int = 0
    ratios: list[float] = field(default_factory=list)

    @property
    def light_ratio(self) -> float:
        """Mean of light found over light injected, of clusters that hold one object alone."""
        return sum(self.ratios) / len(self.ratios) if self.ratios else float("nan")

    @property
    def efficiency(self) -> float:
        """Found over visible; not a number without objects."""
        return self.found / self.objects if self.objects else float("nan")


@dataclass
class Score:
    """Tallies per kind, and how many clusters there are, how many of them are true and how many hold one object."""

    kinds: dict[str, Tally]
    clusters: int = 0
    true_clusters: int = 0
    single_clusters: int = 0

    @property
    def purity(self) -> float:
        """True clusters over all; not a number without clusters."""
        return self.true_clusters / self.clusters if self.clusters else float("nan")

    @property
    def efficiency(self) -> float:
        """Found over visible, all kinds together."""
        objects = sum(tally.objects for tally in self.kinds.values())
        return sum(tally.found for tally in self.kinds.values()) / objects if objects else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return all numbers as plain values; what cannot be computed is null."""
        kinds = {
            kind: {
                "objects": tally.objects,
                "found": tally.found,
                "efficiency": _number(tally.efficiency),
                "light_ratio": _number(tally.light_ratio),
            }
            for kind, tally in self.kinds.items()
        }
        return {
            "schema": 1,
            "efficiency": _number(self.efficiency),
            "purity": _number(self.purity),
            "clusters": self.clusters,
            "true_clusters": self.true_clusters,
            "single_clusters": self.single_clusters,
            "kinds": kinds,
        }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)


def object_cells(thing: dict[str, Any], rebin: int) -> NDArray[np.int64]:
    """Return the coarse cells (n, 2) on which an object lies: a spot's centre, a track's points."""
    points = np.array(thing.get("path") or [(thing["row"], thing["col"])])
    cells: NDArray[np.int64] = np.floor_divide(points, rebin).astype(np.int64)
    return cells


def covered_cells(clusters: dict[str, Any], rebin: int) -> list[set[tuple[int, int]]]:
    """Return the coarse cells of each cluster of one event; a cluster without listed pixels has none."""
    cells = []
    for first, size in zip(clusters["sc_redpixIdx"], clusters["sc_size"], strict=True):
        span = slice(int(first), int(first + size)) if first >= 0 else slice(0)
        rows, cols = (np.asarray(clusters[name][span]) // rebin for name in ("redpix_ix", "redpix_iy"))
        cells.append(set(zip(rows.tolist(), cols.tolist(), strict=True)))
    return cells


def score_event(score: Score, clusters: dict[str, Any], truth: list[dict[str, Any]], geometry: Geometry) -> None:
    """Add one event to a score."""
    rebin = Parameters().rebin
    cells = covered_cells(clusters, rebin)
    objects_of: list[list[int]] = [[] for _ in cells]
    lone: list[tuple[str, float]] = [("", 0.0)] * len(cells)
    for number, thing in enumerate(truth):
        points = _visible(object_cells(thing, rebin), geometry, rebin)
        if not len(points):
            continue
        covered = [sum(tuple(point) in cell for point in points.tolist()) / len(points) for cell in cells]
        tally = score.kinds[thing["kind"]]
        tally.objects += 1
        tally.found += max(covered, default=0.0) >= FOUND_FRACTION
        for index, fraction in enumerate(covered):
            if fraction > 0:
                objects_of[index].append(number)
                lone[index] = (thing["kind"], float(clusters["sc_integral"][index]) / thing["counts"])
    score.clusters += len(cells)
    score.true_clusters += sum(bool(objects) for objects in objects_of)
    singles = [lone[index] for index, objects in enumerate(objects_of) if len(objects) == 1]
    score.single_clusters += len(singles)
    for kind, ratio in singles:
        score.kinds[kind].ratios.append(ratio)


def _visible(points: NDArray[np.int64], geometry: Geometry, rebin: int) -> NDArray[np.int64]:
    """Return the points inside the rows kept, if at least half of them are; else none."""
    first, last = geometry.rows_kept
    rows, cols = points[:, 0] * rebin, points[:, 1] * rebin
    inside = points[(rows >= first) & (rows < last) & (cols >= 0) & (cols < geometry.cols)]
    return inside if len(inside) >= FOUND_FRACTION * len(points) else points[:0]


def score_run(reco: Path, truth: Path) -> Score:
    """Compare a reconstructed file with the truth file of its run; raises DataError when they do not fit."""
    try:
        known = json.loads(truth.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{truth} is not a readable truth file: {error}."
        raise DataError(message) from error
    geometry = Geometry(known["plan"]["size"], known["plan"]["size"])
    score = Score({kind: Tally() for kind in KINDS})
    with open_file(reco) as file:
        tree = get_tree(file, "Events")
        for chunk in tree.iterate([*BRANCHES, "run"], step_size="64 MB", library="ak"):
            for entry in chunk:
                if int(entry["run"]) != known["plan"]["run"] or int(entry["event"]) >= len(known["events"]):
                    message = f"{reco} has run {entry['run']} event {entry['event']}, which {truth} does not know."
                    raise DataError(message)
                clusters = {name: np.asarray(entry[name]) for name in BRANCHES if name != "event"}
                score_event(score, clusters, known["events"][int(entry["event"])], geometry)
    return score
