"""Groups seeds into clusters: by density, and along tracks.

Coordinates of seeds are whole numbers and all fits are made from whole sums, so that the compiled
clustering, which adds in another order, comes to the same labels to the last seed.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from autoctrl.science.camera.parameters import Parameters

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Select = Callable[[NDArray[np.int64]], NDArray[np.bool_]]

NOISE = -1
TRIALS = 100
SCREEN = (
    0.75  # a cluster whose plain line holds fewer of its seeds is not a track whatever is drawn
)
LEAST_THICKNESS = 0.1
STRAIGHT_TENTHS, ROTATED_TENTHS, FIT_TENTHS = 8, 5, 7  # of the seeds that a trial draws
SINGULAR = 1e-12
_GAMMA = 0x9E3779B97F4A7C15
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Draws:
    """Random whole numbers: the generator SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) from a seed
    of 64 bits.
    """

    def __init__(self, seed: int) -> None:
        """Begin with ``seed``."""
        self._state = seed

    def below(self, limits: Ints) -> Ints:
        """Return one whole number in ``[0, limit)`` for each limit (below 2**32)."""
        steps = [(self._state + _GAMMA * (k + 1)) % 2**64 for k in range(len(limits))]
        self._state = (self._state + _GAMMA * len(limits)) % 2**64
        z = np.array(steps, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * _FIRST
        z = (z ^ (z >> np.uint64(27))) * _SECOND
        high = (z ^ (z >> np.uint64(31))) >> np.uint64(32)
        drawn: Ints = ((high * limits.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
        return drawn


class Polynomial(NamedTuple):
    """``c0 + c1 (u - centre) + c2 (u - centre)^2``."""

    centre: int
    c0: float
    c1: float
    c2: float = 0.0

    def at(self, u: Ints) -> NDArray[np.float64]:
        """Return the values at ``u``."""
        t = (u - self.centre).astype(np.float64)
        return self.c0 + t * (self.c1 + t * self.c2)

    def slope(self, u: Ints) -> NDArray[np.float64]:
        """Return the derivative at ``u``."""
        t = (u - self.centre).astype(np.float64)
        return self.c1 + t * (2.0 * self.c2)


class Scene:
    """The seeds of one event and which are core; ``cells`` (n, 2) of (row, column), one of
    ``weights`` each.
    """

    def __init__(self, cells: Ints, weights: Ints, parameters: Parameters, seed: int) -> None:
        """Find the core seeds; ``seed`` is where the draws begin."""
        self.cells, self.parameters, self.draws = cells, parameters, Draws(seed)
        self.rows, self.cols = cells[:, 0], cells[:, 1]
        self.labels = np.full(len(cells), NOISE)
        self.is_core = np.array(
            [weights[near].sum() >= parameters.dbscan_minsamples for near in self._near()],
            dtype=bool,
        )

    def _near(self) -> Iterator[Flags]:
        for cell in self.cells:
            yield np.abs(self.cells - cell).sum(axis=1) <= self.parameters.dbscan_eps

    def within(self, chosen: Flags, radius: float) -> Flags:
        """Return which seeds are within a city-block distance of any chosen one."""
        found = np.zeros(len(self.cells), dtype=bool)
        for cell in self.cells[chosen]:
            found |= np.abs(self.cells - cell).sum(axis=1) <= radius
        return found

    def spread(self, start: int, label: int, free: Flags, *, by_all: bool) -> None:
        """Give a label to the free seeds that are connected with ``start``; non-core seeds spread
        only ``by_all``.
        """
        front = np.zeros(len(self.cells), dtype=bool)
        front[start] = True
        while front.any():
            self.labels[front] = label
            free &= ~front
            front = (
                self.within(front if by_all else front & self.is_core, self.parameters.dbscan_eps)
                & free
            )

    def group(self, free: Flags, first: int, smallest: int = 1) -> list[int]:
        """Give labels from ``first`` on to the free seeds by density alone; return the sizes of the
        clusters.

        The seeds of a cluster with fewer than ``smallest`` become noise.
        """
        sizes: list[int] = []
        for start in np.flatnonzero(self.is_core):
            if not free[start]:
                continue
            label = first + len(sizes)
            self.spread(int(start), label, free, by_all=False)
            mine = self.labels == label
            if np.count_nonzero(mine) < smallest:
                self.labels[mine] = NOISE
            else:
                sizes.append(int(np.count_nonzero(mine)))
        return sizes


def cluster(
    cells: Ints, weights: Ints, parameters: Parameters, seed: int
) -> tuple[Ints, list[bool]]:
    """Return a label per seed, -1 for noise, and for each label whether its cluster is
    directional.
    """
    scene = Scene(cells, weights, parameters, seed)
    sizes = scene.group(np.ones(len(cells), dtype=bool), 0)
    starts = candidates(scene, sizes)
    if not starts:
        return scene.labels, [False] * len(sizes)
    scene.labels[:] = NOISE
    tracks = 0
    for start in starts:
        if scene.labels[start] == NOISE:
            tracks += build_track(scene, start, tracks)
    for label in range(tracks):
        mine = scene.labels == label
        if np.count_nonzero(mine) < parameters.dir_minsamples:
            scene.labels[mine] = NOISE
    free = (scene.labels == NOISE) & ~isolated(scene)
    rest = scene.group(free, tracks, min(sizes))
    return scene.labels, [True] * tracks + [False] * len(rest)


def candidates(scene: Scene, sizes: list[int]) -> list[int]:
    """Return the first core seed of each cluster that looks like a track, in the order in which
    they are built.
    """
    found = []
    for label, size in enumerate(sizes):
        if size <= scene.parameters.dir_minsamples:
            continue
        mine = scene.labels == label
        accuracy = linearity(scene.cells[mine], scene.draws, scene.parameters.dir_min_accuracy)
        if accuracy > scene.parameters.dir_min_accuracy:
            found.append((accuracy, size, int(np.flatnonzero(mine & scene.is_core)[0])))
    perfect = sum(accuracy == 1 for accuracy, _, _ in found)
    found.sort(key=lambda each: (-each[0], -each[1] if each[0] == 1 and perfect > 1 else 0))
    return [start for _, _, start in found]


def linearity(cells: Ints, draws: Draws, wanted: float) -> float:
    """Return which part of the seeds lies on the best line, looked at as they are, and turned by 45
    degrees.
    """
    x, y = cells[:, 0], cells[:, 1]
    accuracy = line_accuracy(x, y, STRAIGHT_TENTHS, LEAST_THICKNESS, draws)
    if accuracy < wanted:  # both coordinates times the root of 2 stay whole
        accuracy = line_accuracy(x - y, x + y, ROTATED_TENTHS, LEAST_THICKNESS * sqrt(2.0), draws)
    return accuracy


def line_accuracy(x: Ints, y: Ints, tenths: int, least: float, draws: Draws) -> float:
    """Return the largest part of the points within the median absolute deviation of a line through
    some of them.
    """
    n = len(x)
    thickness = float(np.median(np.abs(y - np.median(y)))) or least
    everything = (n, int(x.sum()), int(y.sum()), int((x * x).sum()), int((x * y).sum()))

    def held(sums: tuple[int, ...]) -> int:
        a, b = line_of(sums)
        return int(np.count_nonzero(np.abs(y - a * x - b) <= thickness))

    screened = held(everything)
    if screened / n < SCREEN:
        return screened / n
    left_out = n - (tenths * n + 9) // 10
    order = np.arange(n)
    best = 0
    for _ in range(TRIALS):
        drawn = draws.below(n - np.arange(left_out))
        for k, step in enumerate(drawn):
            order[[k, k + step]] = order[[k + step, k]]
        out = order[:left_out]
        xs, ys = x[out], y[out]
        missing = (
            left_out,
            int(xs.sum()),
            int(ys.sum()),
            int((xs * xs).sum()),
            int((xs * ys).sum()),
        )
        best = max(
            best, held(tuple(whole - part for whole, part in zip(everything, missing, strict=True)))
        )
        if best == n:
            break
    return best / n


def line_of(sums: tuple[int, ...]) -> tuple[float, float]:
    """Return slope and constant of the least-squares line of n points from n, sums of x, y, x^2, x
    y.
    """
    n, sx, sy, sxx, sxy = sums
    spread = n * sxx - sx * sx
    a = (n * sxy - sx * sy) / spread if spread else 0.0
    return a, (sy - a * sx) / n


def build_track(scene: Scene, start: int, label: int) -> int:
    """Build the track that begins at a seed; return 1 if its label is used up, 0 if it was given
    back.
    """
    scene.spread(start, label, scene.labels == NOISE, by_all=True)
    mine = scene.labels == label
    if np.count_nonzero(mine) <= scene.parameters.dir_minsamples:
        return 1
    u, v = axes(scene, mine)
    order = 1
    fit = fit_track(u[mine], v[mine], order, scene)
    if fit is None:
        order = 2
        fit = fit_track(u[mine], v[mine], order, scene)
    if fit is None:
        scene.labels[mine] = NOISE
        return 0
    grow(scene, label, fit, order)
    return 1


def axes(scene: Scene, mine: Flags) -> tuple[Ints, Ints]:
    """Return abscissa and ordinate of all seeds: rows and columns, exchanged where the chosen are
    wider in columns.
    """
    n = int(np.count_nonzero(mine))
    rows, cols = scene.rows[mine], scene.cols[mine]
    in_rows = n * int((rows * rows).sum()) - int(rows.sum()) ** 2
    in_cols = n * int((cols * cols).sum()) - int(cols.sum()) ** 2
    return (scene.cols, scene.rows) if in_cols > in_rows else (scene.rows, scene.cols)


def grow(scene: Scene, label: int, fit: Polynomial, order: int) -> None:
    """Add what lies along the track, in rounds; seeds of earlier tracks may be taken over."""
    rounds = last = 0
    current: Polynomial | None = fit
    while current is not None:
        mine = scene.labels == label
        u, v = axes(scene, mine)
        front = scene.within(mine, scene.parameters.dir_radius) & ~mine
        if not front.any():
            return
        inside = near_track(current, u, v, scene.parameters.dir_thickness)
        while (joining := front & inside & ~mine).any():
            mine |= joining
            front = scene.within(joining, scene.parameters.dir_radius)
        scene.labels[mine] = label
        u, v = axes(scene, mine)
        current = fit_track(u[mine], v[mine], order, scene)
        now = int(np.count_nonzero(mine))
        rounds += 1
        if rounds > scene.parameters.max_attempts:
            return
        if now == last or current is None:
            if order == 2:
                return
            order = 2
            current = fit_track(u[mine], v[mine], order, scene)
        last = now


def near_track(fit: Polynomial, u: Ints, v: Ints, thickness: float) -> Flags:
    """Return which points are nearer to a track than its thickness, measured across it."""
    slope = fit.slope(u)
    near: Flags = np.abs(fit.at(u) - v) < thickness * np.sqrt(1.0 + slope * slope)
    return near


def fit_track(u: Ints, v: Ints, order: int, scene: Scene) -> Polynomial | None:
    """Return the polynomial that the most of the points agree on, None if too few do."""
    n = len(u)
    thickness = scene.parameters.dir_thickness
    centre = int(u.sum()) // n
    best, least = None, 0.0
    for _ in range(TRIALS):
        drawn = scene.draws.below(np.full(FIT_TENTHS * n // 10, n))
        trial = polynomial_of(u[drawn], v[drawn], centre, order)
        if trial is None:
            continue
        inliers = near_track(trial, u, v, thickness)
        if 5 * np.count_nonzero(inliers) <= 4 * n:
            continue
        refit = polynomial_of(u[inliers], v[inliers], centre, order)
        if refit is None:
            continue
        # added one after the other, as a loop does
        score = float(np.cumsum(np.abs(refit.at(u[inliers]) - v[inliers]))[-1])
        if best is None or score < least:
            best, least = refit, score
    return best


def polynomial_of(u: Ints, v: Ints, centre: int, order: int) -> Polynomial | None:
    """Return the least-squares polynomial from whole sums, None if the points do not determine
    it.
    """
    t = u - centre
    n, t1, t2 = float(len(t)), float(t.sum()), float((t * t).sum())
    y0, y1 = float(v.sum()), float((v * t).sum())
    if order == 1:
        spread = n * t2 - t1 * t1
        if spread <= 0.0:
            return None
        c1 = (n * y1 - t1 * y0) / spread
        return Polynomial(centre, (y0 - c1 * t1) / n, c1)
    t3, t4, y2 = float((t**3).sum()), float((t**4).sum()), float((v * t * t).sum())
    a, b, c = t2 * t4 - t3 * t3, t1 * t4 - t2 * t3, t1 * t3 - t2 * t2
    d, e, f = n * t4 - t2 * t2, n * t3 - t1 * t2, n * t2 - t1 * t1
    whole = n * a - t1 * b + t2 * c
    if whole <= SINGULAR * (n * t2 * t4):
        return None
    return Polynomial(
        centre,
        (y0 * a - y1 * b + y2 * c) / whole,
        (y1 * d - y0 * b - y2 * e) / whole,
        (y0 * c - y1 * e + y2 * f) / whole,
    )


def isolated(scene: Scene) -> Flags:
    """Return which seeds without a label are so near to one with a label that they are noise."""
    labelled = scene.labels != NOISE
    found = np.zeros(len(scene.cells), dtype=bool)
    for cell in scene.cells[labelled]:
        found |= ((scene.cells - cell) ** 2).sum(axis=1) < scene.parameters.isolation_radius**2
    near: Flags = found & ~labelled
    return near
