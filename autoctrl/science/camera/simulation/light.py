"""The light of one simulated event: round spots, short alphas, long muons, curled electrons.

Positions are (row, column) in pixels of the working frame.  On a smaller sensor positions and track
lengths shrink with the sensor, widths and densities stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float64]
    Path = NDArray[np.float64]

FULL_SIZE = 2304
STEP = 3.0
WINDOW_SIGMAS = 6
PATH_POINTS_KEPT = 4


@dataclass(frozen=True)
class Content:
    """How many objects of each kind an event has."""

    spots: int = 6
    alphas: int = 1
    muons: int = 1
    electrons: int = 2


@dataclass(frozen=True)
class Track:
    """How a kind of track looks.

    ``length`` in pixels, ``density`` in counts per pixel of it, ``sigma`` the width, ``curl`` the
    bending in rad per step.
    """

    kind: str
    length: float
    density: float
    sigma: float
    curl: float = 0.0


ALPHA = Track("alpha", 320, 1400, 11)
MUON = Track("muon", 2250, 70, 5)
ELECTRON = Track("electron", 420, 130, 6, curl=0.10)


def content_for(shape: tuple[int, int]) -> Content:
    """Return an event's default content, thinned out on a small sensor to keep objects apart."""
    size = min(shape)
    if size >= FULL_SIZE:
        return Content()
    share = size / FULL_SIZE
    return Content(spots=max(2, round(6 * share)), electrons=1)


def deposit(light: Image, row: float, col: float, counts: float, sigma: float) -> float:
    """Add a round Gaussian spot, cut at six sigma; return the counts that are on the sensor."""
    height, width = light.shape
    half = int(WINDOW_SIGMAS * sigma) + 1
    rows, cols = _window(row, half, height), _window(col, half, width)
    if not rows or not cols:
        return 0.0
    down = np.arange(rows.start, rows.stop)[:, None] - row
    right = np.arange(cols.start, cols.stop)[None, :] - col
    peak = counts / (2 * np.pi * sigma * sigma)
    spot = peak * np.exp(-(down**2 + right**2) / (2 * sigma * sigma))
    light[rows.start : rows.stop, cols.start : cols.stop] += spot
    return float(spot.sum())


def _window(centre: float, half: int, length: int) -> range:
    """Return the pixels around a centre, as far as the sensor reaches."""
    return range(max(0, int(centre) - half), min(length, int(centre) + half + 1))


def draw_path(
    generator: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    length: float,
    curl: float,
) -> Path:
    """Return points (row, column), one step apart.

    The direction, measured from the column axis, walks at random.
    """
    points = int(length / STEP) + 1
    turns = np.cumsum(generator.normal(0.0, curl, points)) if curl else np.zeros(points)
    directions = angle + turns
    rows = start[0] + np.cumsum(STEP * np.sin(directions))
    cols = start[1] + np.cumsum(STEP * np.cos(directions))
    return np.stack([rows, cols], axis=1)


class Scene:
    """Collects the light and the truth of one event.

    The order of the random draws is part of what an event is: it must never change.
    """

    def __init__(self, generator: np.random.Generator, shape: tuple[int, int]) -> None:
        """Start dark."""
        self.light: Image = np.zeros(shape)
        self.truth: list[dict[str, Any]] = []
        self._generator = generator
        self._scales = [length / FULL_SIZE for length in shape]

    def _draw(self, axis: int, low: float, high: float) -> float:
        """Draw a row (axis 0) or a column (axis 1) that was given for the full sensor."""
        return float(self._generator.uniform(low * self._scales[axis], high * self._scales[axis]))

    def add_spot(self) -> None:
        """Add one round spot of about 8000 counts."""
        row, col = self._draw(0, 400, 1950), self._draw(1, 400, 1950)
        counts, sigma = (
            float(self._generator.normal(8000, 900)),
            float(self._generator.uniform(5, 8)),
        )
        seen = deposit(self.light, row, col, counts, sigma)
        self.truth.append({"kind": "spot", "counts": seen, "sigma": sigma, "row": row, "col": col})

    def add_alpha(self) -> None:
        """Add one short dense straight track."""
        row, col = self._draw(0, 700, 1500), self._draw(1, 600, 1500)
        self._add_track(ALPHA, (row, col), float(self._generator.uniform(0, 6.28)))

    def add_muon(self) -> None:
        """Add one long faint straight track that crosses the sensor."""
        row = self._draw(0, 600, 1800)
        self._add_track(
            MUON, (row, 20 * self._scales[1]), float(self._generator.uniform(-0.25, 0.25))
        )

    def add_electron(self) -> None:
        """Add one curled track."""
        row, col = self._draw(0, 700, 1600), self._draw(1, 700, 1600)
        self._add_track(ELECTRON, (row, col), float(self._generator.uniform(0, 6.28)))

    def _add_track(self, track: Track, start: tuple[float, float], angle: float) -> None:
        length = track.length * min(self._scales)
        path = draw_path(self._generator, start, angle, length, track.curl)
        counts = 0.0
        for begin, end in pairwise(path):
            row, col = (begin + end) / 2
            counts += deposit(
                self.light, row, col, track.density * np.hypot(*(end - begin)), track.sigma
            )
        self.truth.append(
            {
                "kind": track.kind,
                "counts": counts,
                "sigma": track.sigma,
                "density": track.density,
                "angle": angle,
                "length": float(length),
                "path": np.round(path[::PATH_POINTS_KEPT], 2).tolist(),
            }
        )


def draw_scene(generator: np.random.Generator, shape: tuple[int, int], content: Content) -> Scene:
    """Draw one event's objects in their fixed order: spots, alphas, muons, electrons."""
    scene = Scene(generator, shape)
    for _ in range(content.spots):
        scene.add_spot()
    for _ in range(content.alphas):
        scene.add_alpha()
    for _ in range(content.muons):
        scene.add_muon()
    for _ in range(content.electrons):
        scene.add_electron()
    return scene
