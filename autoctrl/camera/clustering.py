"""Groups seeds into clusters: density-based with weights and city-block distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import DBSCAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoctrl.camera.parameters import Parameters
    from autoctrl.camera.preprocess import Seeds


def label_seeds(seeds: Seeds, parameters: Parameters) -> NDArray[np.int64]:
    """Return a cluster label per seed, -1 for noise.

    A seed is core when the weights within ``dbscan_eps`` of it, its own included, sum to at least
    ``dbscan_minsamples``; only core seeds spread their label.
    """
    if not len(seeds.cells):
        return np.empty(0, dtype=np.int64)
    model = DBSCAN(
        eps=parameters.dbscan_eps,
        min_samples=int(np.ceil(parameters.dbscan_minsamples)),
        metric="manhattan",
        algorithm="kd_tree",
    )
    labels: NDArray[np.int64] = model.fit(seeds.cells, sample_weight=seeds.weights).labels_.astype(np.int64)
    return labels


def split_clusters(seeds: Seeds, parameters: Parameters) -> list[NDArray[np.int64]]:
    """Return the cells (n, 2) of every cluster in label order, each in raster order; single cells are no cluster."""
    labels = label_seeds(seeds, parameters)
    clusters = [seeds.cells[labels == label] for label in range(int(labels.max(initial=-1)) + 1)]
    return [cells for cells in clusters if len(cells) > 1]
