"""The compiled clustering: hand-made scenes, the published partitions, and seed by seed against its
reference.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from autoctrl.science.camera import kernel
from autoctrl.science.camera.parameters import Parameters
from tests.oracles.camera import clustering as reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

PUBLISHED = json.loads(Path(__file__).with_name("published_partitions.json").read_text())
SPREAD = 8  # seeds by which the published program differs from itself


def cluster(
    cells: Ints, weights: Ints | None = None, seed: int = 1, **changes: float
) -> tuple[Ints, int]:
    """Return labels and the number of tracks, the compiled ones after a look at the reference's."""
    parameters = Parameters(**changes)  # type: ignore[arg-type]
    cells = np.ascontiguousarray(cells, dtype=np.int64).reshape(-1, 2)
    weights = np.full(len(cells), 20) if weights is None else weights
    labels, tracks = kernel.cluster(cells, weights, (600, 600), parameters, seed)
    expected, directional = reference.cluster(cells, weights, parameters, seed)
    assert (labels.tolist(), tracks) == (expected.tolist(), sum(directional))
    return labels, tracks


def line(start: tuple[int, int], step: tuple[float, float], numbers: range) -> Ints:
    """Return cells along a line, two broad."""
    points = {
        (round(start[0] + step[0] * k), round(start[1] + step[1] * k) + side)
        for k in numbers
        for side in (0, 1)
    }
    return np.array(sorted(points))


def raster(*parts: Ints) -> Ints:
    """Return all cells in raster order, each once."""
    return np.unique(np.concatenate(parts), axis=0)


def test_no_seed_no_cluster() -> None:
    """An event without seeds has no labels."""
    labels, tracks = cluster(np.empty((0, 2), np.int64))
    assert (labels.size, tracks) == (0, 0)


def test_distance_is_city_block() -> None:
    """Seeds 12 cells apart, counted along rows and columns, belong together; 13 cells apart they do
    not.
    """
    assert cluster(np.array([(0, 0), (6, 6)]))[0].tolist() == [0, 0]
    assert cluster(np.array([(0, 0), (7, 6)]))[0].tolist() == [0, 1]


def test_weights_make_a_core() -> None:
    """A seed is core by the weight around it: 20 is enough, 19 is noise."""
    assert cluster(np.array([(0, 0), (0, 5)]), np.array([19, 1]))[0].tolist() == [0, 0]
    assert cluster(np.array([(0, 0), (0, 5)]), np.array([18, 1]))[0].tolist() == [-1, -1]


def test_only_core_seeds_spread() -> None:
    """A seed that is not core joins a cluster but does not hand its label on."""
    chain = np.array([(0, 0), (0, 2), (0, 14), (0, 26)])
    assert cluster(chain, np.array([18, 1, 1, 1]))[0].tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize("step", [(1.0, 0.0), (0.0, 1.0), (0.8, 0.6), (-0.7, 0.7)], ids=str)
@pytest.mark.parametrize("gap", [13, 20, 27])
def test_a_gap_in_a_track_is_bridged(step: tuple[float, float], gap: int) -> None:
    """A straight track that is interrupted for longer than its clusters reach is one directional
    cluster.
    """
    length = round(gap / (abs(step[0]) + abs(step[1])))
    broken = raster(
        line((300, 100), step, range(80)), line((300, 100), step, range(80 + length, 130 + length))
    )
    labels, tracks = cluster(broken)
    assert (set(labels), tracks) == ({0}, 1)


def test_a_gap_that_is_too_long_stays() -> None:
    """Two halves of a track farther apart than the directional radius are two clusters."""
    halves = raster(
        line((100, 100), (1.0, 0.0), range(80)), line((100, 100), (1.0, 0.0), range(120, 200))
    )
    assert set(cluster(halves)[0]) == {0, 1}


def test_a_blob_beside_a_track_is_its_own() -> None:
    """What lies beside a track, not along it, is grouped by density afterwards; what touches it
    nearly is noise.
    """
    track = line((100, 300), (1.0, 0.0), range(150))
    blob = np.array([(r, c) for r in range(170, 182) for c in range(330, 342)])
    labels, tracks = cluster(raster(track, blob))
    assert tracks == 1
    assert sorted(np.bincount(labels).tolist()) == sorted([len(track), len(blob)])


def test_a_track_takes_what_lies_along_it() -> None:
    """A blob of seeds in line with a track, within the directional radius, belongs to it."""
    track = line((100, 300), (1.0, 0.0), range(150))
    behind = np.array([(r, c) for r in range(270, 274) for c in range(299, 303)])
    labels, tracks = cluster(raster(track, behind))
    assert (set(labels), tracks) == ({0}, 1)


def arc(radius: float, angles: NDArray[np.float64]) -> Ints:
    """Return cells along an arc."""
    return np.unique(
        np.rint(300 + radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)).astype(int),
        axis=0,
    )


def test_a_bent_track_is_followed() -> None:
    """A broken arc that is nearly straight grows over its gap."""
    labels, tracks = cluster(
        raster(arc(280, np.arange(-0.28, 0.0, 0.002)), arc(280, np.arange(0.07, 0.2, 0.002)))
    )
    assert (set(labels) - {-1}, tracks) == ({0}, 1)
    assert np.count_nonzero(labels == 0) > 0.9 * len(labels)


def test_tracks_that_cross() -> None:
    """Two straight tracks that cross look like no track; they are one cluster by density."""
    labels, tracks = cluster(
        raster(line((100, 200), (1, 0), range(200)), line((200, 100), (0, 1), range(200)))
    )
    assert (set(labels), tracks) == ({0}, 0)


@pytest.mark.parametrize(
    ("away", "is_noise"), [((3, 4), False), ((2, 4), True), ((4, 3), False), ((4, 2), True)]
)
def test_isolation(away: tuple[int, int], is_noise: bool) -> None:  # noqa: FBT001
    """A seed nearer than 5 cells to a track, but not in it, is noise; from 5 on it may be a
    cluster.
    """
    track = line((100, 300), (1.0, 0.0), range(150))
    seed = track.max(axis=0) + np.array(away)
    cells = raster(track, seed[None])
    labels, tracks = cluster(
        cells, dir_thickness=0.9, dbscan_eps=2.0
    )  # too thin and too near to take it in
    (label,) = labels[(cells == seed).all(axis=1)]
    assert (label == -1, tracks) == (is_noise, 1)


def differing(one: Ints, other: Ints) -> int:
    """Return how many seeds are not where the other partition has them, its numbering being
    free.
    """
    ours, theirs = np.unique(one), np.unique(other)
    shared = [
        [np.count_nonzero((one == a) & (other == b)) * ((a == -1) == (b == -1)) for b in theirs]
        for a in ours
    ]
    chosen = linear_sum_assignment(-np.array(shared))
    return len(one) - int(np.array(shared)[chosen].sum())


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: f"case {case['case']}")
def test_the_published_partition_is_found(case: dict[str, list[int]]) -> None:
    """Four made-up scenes are divided as the published program divides them, directional or not,
    whatever is drawn.
    """
    cells = np.stack([np.array(case["rows"]), np.array(case["cols"])], axis=1)
    weights, published = np.array(case["weights"]), np.array(case["labels"])
    for seed in range(5):
        labels, tracks = kernel.cluster(cells, weights, (576, 576), Parameters(), seed)
        assert differing(labels, published) <= SPREAD
        assert (
            np.count_nonzero(((labels >= 0) & (labels < tracks)) != np.array(case["directional"]))
            <= SPREAD
        )


def scene(generator: np.random.Generator, size: int) -> NDArray[np.int64]:
    """Return an image of weights with tracks, some broken or bent, blobs and single seeds."""
    image = np.zeros((size, size), dtype=np.int64)

    def light(row: float, col: float, most: int) -> None:
        place = round(row), round(col)
        if min(place) >= 0 and max(place) < size:
            image[place] = generator.integers(1, most)

    for _ in range(generator.integers(0, 3)):
        row, col, angle = *generator.uniform(0, size, 2), generator.uniform(0, 6.28)
        bend, breadth = generator.normal(0, 0.006), generator.uniform(0.4, 3)
        gap, dark = generator.integers(0, size), generator.integers(0, 30)
        for step in range(generator.integers(5, size)):
            row, col, angle = row + np.cos(angle), col + np.sin(angle), angle + bend
            for _ in range(2 * (not gap <= step < gap + dark)):
                light(row + generator.normal(0, breadth), col + generator.normal(0, breadth), 12)
    for row, col in generator.uniform(0, size, (generator.integers(0, 3), 2)):
        for _ in range(40):
            light(row + generator.normal(0, 3), col + generator.normal(0, 3), 9)
    for row, col in generator.uniform(0, size, (generator.integers(0, 100), 2)):
        light(row, col, 2)
    return image


@settings(max_examples=25, deadline=None)
@given(size=st.integers(16, 110), seed=st.integers(0, 2**64 - 1))
def test_any_scene_is_divided_as_by_the_reference(size: int, seed: int) -> None:
    """Tracks, arcs, blobs and noise get the reference's labels, seed by seed."""
    image = scene(np.random.default_rng(seed), size)
    cells = np.argwhere(image > 0)
    cluster(cells, image[image > 0], seed)
