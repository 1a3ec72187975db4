"""Compares reconstructed clusters with the simulation's truth.

An object is found when one cluster covers at least half of it (of a track: of the part inside the
rows kept).  A cluster is true when it covers something of an object; the light of objects that it
covers is what it should hold. An object is lone when no other one comes nearer than 120 pixels,
else it is crossing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.science.camera.events import check_branches
from autoctrl.science.camera.parameters import Parameters
from autoctrl.science.camera.score.truth import KINDS, Truth, are_lone, read_truth, see_object
from autoctrl.science.rootio import get_tree, open_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from autoctrl.science.camera.parameters import Geometry

CLASSES = ("lone", "crossing")
FOUND_FRACTION = 0.5
CLUSTER = ("integral", "redpixIdx", "size", "xmean", "ymean", "length", "axis", "tfullrms")
BRANCHES = (*(f"sc_{name}" for name in CLUSTER), "redpix_ix", "redpix_iy")


@dataclass
class Sample:
    """Objects of one class: how many could be seen and were found, and what was measured of these.

    ``values`` by name: ``light`` (found over injected, of all that the cluster covers), ``covered``
    (fraction of the object), ``alone`` (1 where the cluster covers nothing else). Where it is alone
    also ``width`` (spread across over true spread); the centre's ``row`` and ``column`` of spots,
    ``along`` and ``across`` of tracks, found minus true, pixels; of tracks also ``length``,
    ``excess`` (length minus the true one), pixels, and ``angle``, degrees.
    """

    objects: int = 0
    found: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, values: Mapping[str, float]) -> None:
        """Count one object that was found."""
        self.found += 1
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def as_json(self) -> dict[str, Any]:
        """Return counts and the distribution of each value."""
        efficiency = _number(self.found / self.objects if self.objects else np.nan)
        counts = {"objects": self.objects, "found": self.found, "efficiency": efficiency}
        return counts | {name: describe(values) for name, values in self.values.items()}


def describe(values: Sequence[float]) -> dict[str, float | None]:
    """Return number, mean, standard deviation, median, and half the width of the middle 68 %."""
    low, median, high = np.quantile(values, (0.16, 0.5, 0.84))
    numbers = {
        "mean": np.mean(values),
        "spread": np.std(values),
        "median": median,
        "half_width": (high - low) / 2,
    }
    return {"n": len(values), **{name: _number(float(number)) for name, number in numbers.items()}}


@dataclass
class Tally:
    """Objects of one kind by class, and the light of clusters that hold one of them alone."""

    classes: dict[str, Sample] = field(default_factory=lambda: {name: Sample() for name in CLASSES})
    ratios: list[float] = field(default_factory=list)

    @property
    def objects(self) -> int:
        """How many could be seen."""
        return sum(sample.objects for sample in self.classes.values())

    @property
    def found(self) -> int:
        """How many were found."""
        return sum(sample.found for sample in self.classes.values())

    @property
    def light_ratio(self) -> float:
        """Mean of light found over light injected, of clusters that hold one object alone."""
        return sum(self.ratios) / len(self.ratios) if self.ratios else float("nan")

    @property
    def efficiency(self) -> float:
        """Found over visible; not a number without objects."""
        return self.found / self.objects if self.objects else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return all numbers as plain values."""
        return {
            "objects": self.objects,
            "found": self.found,
            "efficiency": _number(self.efficiency),
            "light_ratio": _number(self.light_ratio),
            "classes": {name: sample.as_json() for name, sample in self.classes.items()},
        }


@dataclass
class Score:
    """Tallies per kind; how many clusters there are, are true, and hold one object alone."""

    kinds: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    events: int = 0
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
        found = sum(tally.found for tally in self.kinds.values())
        return found / objects if objects else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return all numbers as plain values; what cannot be computed is null."""
        return {
            "schema": 1,
            "efficiency": _number(self.efficiency),
            "purity": _number(self.purity),
            "events": self.events,
            "clusters": self.clusters,
            "true_clusters": self.true_clusters,
            "single_clusters": self.single_clusters,
            "kinds": {kind: tally.as_json() for kind, tally in self.kinds.items()},
        }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)


def covered_fractions(
    clusters: Mapping[str, Any], objects: Sequence[Truth], geometry: Geometry
) -> NDArray[np.float64]:
    """Return which fraction (objects, clusters) of each object each cluster covers.

    Both are compared by coarse cells.  A cluster without listed pixels covers nothing.
    """
    rebin = Parameters().rebin
    shape = geometry.rows // rebin, geometry.cols // rebin
    points = [tuple((thing.points // rebin).astype(np.int64).T) for thing in objects]
    covered = np.zeros((len(objects), len(clusters["sc_size"])))
    for number in range(covered.shape[1]):
        is_covered = np.zeros(shape, dtype=bool)
        is_covered[_cells_of(clusters, number, rebin)] = True
        covered[:, number] = [is_covered[cells].mean() for cells in points]
    return covered


def _cells_of(clusters: Mapping[str, Any], number: int, rebin: int) -> tuple[Any, ...]:
    """Return rows and columns of the coarse cells in which a cluster has listed pixels."""
    first, size = int(clusters["sc_redpixIdx"][number]), int(clusters["sc_size"][number])
    listed = slice(first, first + size) if first >= 0 else slice(0)
    pixels = (clusters[name][listed] for name in ("redpix_ix", "redpix_iy"))
    return tuple(np.asarray(values) // rebin for values in pixels)


@dataclass
class Event:
    """One event: the clusters by branch, the objects, and what covers what.

    ``covered`` (objects, clusters) fraction of each object; ``injected`` (clusters) light that each
    should hold; ``held`` (clusters) how many objects each covers something of.
    """

    clusters: Mapping[str, Any]
    objects: Sequence[Truth]
    covered: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Count what the clusters hold."""
        self.held = (self.covered > 0).sum(axis=0)
        self.injected = np.zeros(self.covered.shape[1])
        if self.objects:
            self.injected = np.array([thing.counts for thing in self.objects]) @ self.covered

    def measure(self, number: int) -> dict[str, float] | None:
        """Return what was measured of an object, by the names of ``Sample``; None if not found."""
        if not self.covered.shape[1]:
            return None
        best = int(self.covered[number].argmax())
        fraction = self.covered[number, best]
        if fraction < FOUND_FRACTION:
            return None
        cluster = {name: float(self.clusters[f"sc_{name}"][best]) for name in CLUSTER}
        is_alone = bool(self.held[best] == 1)
        values = {
            "light": cluster["integral"] / self.injected[best],
            "covered": fraction,
            "alone": float(is_alone),
        }
        return values | (compare(cluster, self.objects[number]) if is_alone else {})


def score_event(
    score: Score, clusters: Mapping[str, Any], known: Sequence[dict[str, Any]], geometry: Geometry
) -> None:
    """Add one event to a score: its clusters, by branch, and the objects of the truth file."""
    seen = [see_object(each, geometry) for each in known]
    objects = [thing for thing in seen if thing is not None]
    event = Event(clusters, objects, covered_fractions(clusters, objects, geometry))
    for number, (thing, is_lone) in enumerate(zip(objects, are_lone(objects), strict=True)):
        sample = score.kinds[thing.kind].classes["lone" if is_lone else "crossing"]
        sample.objects += 1
        measured = event.measure(number)
        if measured is not None:
            sample.add(measured)
    _count_clusters(score, event)


def _count_clusters(score: Score, event: Event) -> None:
    """Count the clusters of an event, and compare the light of those that hold one object."""
    is_single = event.held == 1
    score.events += 1
    score.clusters += len(event.held)
    score.true_clusters += int((event.held > 0).sum())
    score.single_clusters += int(is_single.sum())
    for index in np.flatnonzero(is_single):
        thing = event.objects[int(event.covered[:, index].argmax())]
        ratio = float(event.clusters["sc_integral"][index]) / thing.counts
        score.kinds[thing.kind].ratios.append(ratio)


def compare(cluster: Mapping[str, float], thing: Truth) -> dict[str, float]:
    """Return what was measured of an object beside what it is: see ``Sample``."""
    values = {"width": cluster["tfullrms"] / thing.sigma}
    row, column = np.array([cluster["xmean"], cluster["ymean"]]) - thing.centre
    if len(thing.points) == 1:
        return values | {"row": float(row), "column": float(column)}
    down, right = thing.axis
    true_angle = np.degrees(np.arctan2(right, down))
    return values | {
        "along": float(row * down + column * right),
        "across": float(row * right - column * down),
        "length": cluster["length"],
        "excess": cluster["length"] - thing.extent,
        "angle": float((cluster["axis"] - true_angle + 90) % 180 - 90),
    }


def score_run(reco: Path, truth: Path) -> Score:
    """Compare a reconstructed file with its truth; raises DataError when they do not fit."""
    known = read_truth(truth)
    score = Score()
    with open_file(reco) as file:
        tree = get_tree(file, "Events")
        check_branches(tree, (*BRANCHES, "run", "event"))
        for chunk in tree.iterate([*BRANCHES, "run", "event"], step_size="64 MB", library="ak"):
            for entry in chunk:
                things = known.of(int(entry["run"]), int(entry["event"]), reco)
                clusters = {name: np.asarray(entry[name]) for name in BRANCHES}
                score_event(score, clusters, things, known.geometry)
    return score
