"""The objects of a simulated event as a reconstruction should see them: where, how long, how much light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.camera.simulation.light import PATH_POINTS_KEPT, STEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from autoctrl.camera.parameters import Geometry

    Points = NDArray[np.float64]

LEAST_VISIBLE = 0.5
LONE_DISTANCE = 120.0


@dataclass(frozen=True)
class Truth:
    """One object, of which at least half lies inside the rows kept; everything else about it is cut away.

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


def see_object(known: dict[str, Any], geometry: Geometry) -> Truth | None:
    """Return one object of a truth file as it can be seen; None for one of which less than half is."""
    points = np.array([(known["row"], known["col"])]) if "row" in known else fill_path(known)
    (first, last), cols = geometry.rows_kept, geometry.cols
    is_on_sensor = ((points >= 0) & (points < (geometry.rows, cols))).all(axis=1)
    is_kept = is_on_sensor & (points[:, 0] >= first) & (points[:, 0] < last)
    if is_kept.sum() < LEAST_VISIBLE * len(points):
        return None
    counts = known["counts"] * is_kept.sum() / is_on_sensor.sum()
    return Truth(known["kind"], points[is_kept], float(counts), float(known.get("sigma", np.nan)))


def fill_path(known: dict[str, Any]) -> Points:
    """Return every point of a track, of which the truth file keeps one in four: the others lie between them.

    Those after the last one that was kept go on in its direction.
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
