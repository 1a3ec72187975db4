"""The objects of a simulated event as a reconstruction should see them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.errors import DataError
from autoctrl.science.camera.parameters import Geometry, is_side
from autoctrl.science.camera.simulation.light import PATH_POINTS_KEPT, STEP
from autoctrl.science.quality.report_schema import (
    WHOLE_NUMBER,
    Rule,
    check,
    is_list,
    is_number,
    is_object,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Points = NDArray[np.float64]

LEAST_VISIBLE = 0.5
LONE_DISTANCE = 120.0
KINDS = ("spot", "alpha", "muon", "electron")
KIND_OF_FILE = "a truth file"


@dataclass(frozen=True)
class Truth:
    """One object, of which at least half lies inside the rows kept; the rest is cut away.

    kind    spot, alpha, muon or electron
    points  (n, 2) row and column in pixels, at most 3 pixels apart: a spot's centre, a track's path
    counts  light of what is inside
    sigma   spread of the light about the points, pixels
    """

    kind: str
    points: Points
    counts: float
    sigma: float

    @property
    def centre(self) -> Points:
        """The mean of its light (row, column); the light of a track is the same all along."""
        centre: Points = self.points.mean(axis=0)
        return centre

    @property
    def axis(self) -> Points:
        """Unit vector (row, column) along its points, towards larger columns."""
        axis: Points = np.linalg.svd(self.points - self.centre, full_matrices=False)[2][0]
        return -axis if axis[1] < 0 else axis

    @property
    def extent(self) -> float:
        """Length of its points along its axis, pixels, without the spread of the light."""
        return float(np.ptp(self.points @ self.axis))

    def distance(self, other: Truth) -> float:
        """Least distance of the points of two objects, pixels."""
        apart = self.points[:, None, :] - other.points[None, :, :]
        return float(np.sqrt((apart**2).sum(axis=2).min()))


def _is_thing(value: Any) -> bool:  # noqa: ANN401 - whatever stands in a file
    """Say whether a value is an object of the simulation, with all that is needed to find it."""
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        return False
    wanted = ("counts", *(name for name in ("sigma", "length") if name in value))
    return all(is_number(value.get(name)) for name in wanted) and _is_visible(value)


def _is_visible(value: dict[str, Any]) -> bool:
    path = [[value["row"], value.get("col")]] if "row" in value else value.get("path")
    is_path = isinstance(path, list) and bool(path) and all(map(_is_point, path))
    return is_path and value["counts"] > 0


def _is_point(value: Any) -> bool:  # noqa: ANN401 - whatever stands in a file
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))  # noqa: PLR2004 - row and column


SIDE = "a number of pixels"
THING = Rule(
    f"an object of kind {', '.join(KINDS)} with counts, and row and col or a path of points",
    _is_thing,
)
PLAN = {
    "run": WHOLE_NUMBER,
    "size": Rule(SIDE, is_side),
    "height": Rule(SIDE, lambda value: value is None or is_side(value), may_lack=True),
}
TRUTH = Rule(
    "an object",
    is_object,
    {
        "plan": Rule("an object", is_object, PLAN),
        "events": Rule("a list of events", is_list, Rule("a list of objects", is_list, THING)),
    },
)


@dataclass(frozen=True)
class KnownRun:
    """What a truth file knows of a run: its objects, as they were written, event by event."""

    path: Path
    run: int
    geometry: Geometry
    events: Sequence[Sequence[dict[str, Any]]]

    def of(self, run: int, event: int, where: Path) -> Sequence[dict[str, Any]]:
        """Return the objects of an event of a file; raises DataError for one that is not known."""
        if run != self.run or not 0 <= event < len(self.events):
            message = f"{where} has run {run} event {event}, which {self.path} does not know."
            raise DataError(message, hint="Take the truth of the same run.")
        return self.events[event]


def read_truth(path: Path) -> KnownRun:
    """Read a truth file, every value checked; raises DataError for another file."""
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        message = f"{path} is not a readable truth file: {error}."
        raise DataError(message) from error
    check(path, "", known, TRUTH, KIND_OF_FILE)
    plan = known["plan"]
    return KnownRun(
        path,
        plan["run"],
        Geometry(plan.get("height") or plan["size"], plan["size"]),
        known["events"],
    )


def see_object(known: dict[str, Any], geometry: Geometry) -> Truth | None:
    """Return one object of a truth file as it can be seen; None if less than half can be."""
    points = np.array([(known["row"], known["col"])]) if "row" in known else fill_path(known)
    (first, last), cols = geometry.rows_kept, geometry.cols
    is_on_sensor = ((points >= 0) & (points < (geometry.rows, cols))).all(axis=1)
    is_kept = is_on_sensor & (points[:, 0] >= first) & (points[:, 0] < last)
    if is_kept.sum() < LEAST_VISIBLE * len(points):
        return None
    counts = known["counts"] * is_kept.sum() / is_on_sensor.sum()
    return Truth(known["kind"], points[is_kept], float(counts), float(known.get("sigma", np.nan)))


def fill_path(known: dict[str, Any]) -> Points:
    """Return every point of a track, of which the truth file keeps one in four.

    The others lie between them; those after the last one that was kept go on in its direction.
    """
    kept = np.array(known["path"], dtype=np.float64)
    missing = int(known.get("length", 0.0) / STEP) - PATH_POINTS_KEPT * (len(kept) - 1)
    places = np.arange(len(kept)) * float(PATH_POINTS_KEPT)
    if missing > 0 and len(kept) > 1:
        kept = np.vstack([kept, kept[-1] + (kept[-1] - kept[-2]) * missing / PATH_POINTS_KEPT])
        places = np.append(places, places[-1] + missing)
    every = np.arange(places[-1] + 1)
    return np.stack([np.interp(every, places, kept[:, number]) for number in range(2)], axis=1)


def are_lone(objects: Sequence[Truth]) -> list[bool]:
    """Say of each object of an event whether no other one comes nearer than 120 pixels."""
    return [
        all(one.distance(other) >= LONE_DISTANCE for j, other in enumerate(objects) if i != j)
        for i, one in enumerate(objects)
    ]
