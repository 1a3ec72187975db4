"""Compares reconstructed clusters with the simulation's truth: efficiency, purity, and what is
measured of each object.

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
    """Objects of one class: how many could be seen and were found, and what was measured of those
    that were.

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
    """Return number, mean, standard deviation, median, and half the distance of the quantiles at 16
    and 84 %.
    """
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
    """Tallies per kind, and how many clusters there are, how many of them are true and how many
    hold one object.
    """

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
        return (
            sum(tally.found for tally in self.kinds.values()) / objects if objects else float("nan")
        )

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
    """Return which fraction (objects, clusters) of each object each cluster covers, by its coarse
    cells.

    A cluster without listed pixels covers nothing.
    """
    rebin = Parameters().rebin
    shape = geometry.rows // rebin, geometry.cols // rebin
    points = [tuple((thing.points // rebin).astype(np.int64).T) for thing in objects]
    covered = np.zeros((len(objects), len(clusters["sc_size"])))
    for number, (first, size) in enumerate(
        zip(clusters["sc_redpixIdx"], clusters["sc_size"], strict=True)
    ):
        is_covered = np.zeros(shape, dtype=bool)
        span = slice(int(first), int(first + size)) if first >= 0 else slice(0)
        is_covered[
            tuple(np.asarray(clusters[name][span]) // rebin for name in ("redpix_ix", "redpix_iy"))
        ] = True
        covered[:, number] = [is_covered[cells].mean() for cells in points]
    return covered


def score_event(
    score: Score, clusters: Mapping[str, Any], known: Sequence[dict[str, Any]], geometry: Geometry
) -> None:
    """Add one event to a score: its clusters, by branch, and the objects of the truth file."""
    objects = [
        thing for thing in (see_object(each, geometry) for each in known) if thing is not None
    ]
    covered = covered_fractions(clusters, objects, geometry)
    injected = (
        np.array([thing.counts for thing in objects]) @ covered
        if objects
        else np.zeros(covered.shape[1])
    )
    held = (covered > 0).sum(axis=0)
    for number, (thing, is_lone) in enumerate(zip(objects, are_lone(objects), strict=True)):
        sample = score.kinds[thing.kind].classes[CLASSES[0 if is_lone else 1]]
        sample.objects += 1
        best = int(covered[number].argmax()) if covered.shape[1] else -1
        if best >= 0 and covered[number, best] >= FOUND_FRACTION:
            cluster = {name: float(clusters[f"sc_{name}"][best]) for name in CLUSTER}
            light = {
                "light": cluster["integral"] / injected[best],
                "covered": covered[number, best],
            }
            shape = compare(cluster, thing) if held[best] == 1 else {}
            sample.add(light | {"alone": float(held[best] == 1)} | shape)
    score.events += 1
    score.clusters += len(held)
    score.true_clusters += int((held > 0).sum())
    score.single_clusters += int((held == 1).sum())
    for index in np.flatnonzero(held == 1):
        thing = objects[int(covered[:, index].argmax())]
        score.kinds[thing.kind].ratios.append(float(clusters["sc_integral"][index]) / thing.counts)


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
    """Compare a reconstructed file with the truth file of its run; raises DataError when they do
    not fit.
    """
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
