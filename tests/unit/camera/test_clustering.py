"""Clusters of hand-made seeds."""

from __future__ import annotations

import numpy as np

from autoctrl.camera.clustering import label_seeds, split_clusters
from autoctrl.camera.parameters import Parameters
from autoctrl.camera.preprocess import Seeds


def seeds(*points: tuple[int, int, int]) -> Seeds:
    table = np.array(points, dtype=np.int64).reshape(-1, 3)
    return Seeds(table[:, :2], table[:, 2])


def test_no_seed_no_cluster() -> None:
    """An event without seeds has no labels and no clusters."""
    assert label_seeds(seeds(), Parameters()).size == 0
    assert split_clusters(seeds(), Parameters()) == []


def test_distance_is_city_block() -> None:
    """Seeds 12 cells apart, counted along rows and columns, belong together; 13 cells apart they do not."""
    together = seeds((0, 0, 30), (6, 6, 30))
    apart = seeds((0, 0, 30), (7, 6, 30))
    assert label_seeds(together, Parameters()).tolist() == [0, 0]
    assert label_seeds(apart, Parameters()).tolist() == [0, 1]


def test_weights_make_a_core() -> None:
    """A seed is core by the weight around it: 20 is enough, 19 is noise."""
    assert label_seeds(seeds((0, 0, 19), (0, 5, 1)), Parameters()).tolist() == [0, 0]
    assert label_seeds(seeds((0, 0, 18), (0, 5, 1)), Parameters()).tolist() == [-1, -1]


def test_only_core_seeds_spread() -> None:
    """A seed that is not core joins a cluster but does not hand its label on."""
    chain = seeds((0, 0, 18), (0, 2, 1), (0, 14, 1), (0, 26, 1))
    assert label_seeds(chain, Parameters()).tolist() == [0, 0, 0, -1]


def test_a_single_cell_is_no_cluster() -> None:
    """A cluster of one cell is left out; the others keep label order and raster order."""
    clusters = split_clusters(seeds((0, 0, 30), (40, 40, 30), (40, 41, 1)), Parameters())
    assert [cells.tolist() for cells in clusters] == [[[40, 40], [40, 41]]]
