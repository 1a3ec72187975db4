"""The score of hand-made events."""

from __future__ import annotations

from math import isnan

import numpy as np

from autoctrl.camera.parameters import Geometry
from autoctrl.camera.scoring import KINDS, Score, Tally, score_event


def empty_score() -> Score:
    return Score({kind: Tally() for kind in KINDS})


def one_cluster(row: int, col: int, light: float) -> dict[str, object]:
    rows, cols = (np.repeat(np.arange(v, v + 4), 4) for v in (row, col))
    return {
        "sc_integral": np.array([light]),
        "sc_redpixIdx": np.array([0.0]),
        "sc_size": np.array([16.0]),
        "redpix_ix": rows,
        "redpix_iy": cols,
    }


def test_a_covered_spot_is_found() -> None:
    """A cluster on a spot finds it, is true, holds it alone, and its light is compared."""
    score = empty_score()
    score_event(
        score,
        one_cluster(1000, 1000, 80),
        [{"kind": "spot", "row": 1001, "col": 1002, "counts": 100}],
        Geometry(2304, 2304),
    )
    assert (score.efficiency, score.purity, score.single_clusters) == (1, 1, 1)
    assert score.kinds["spot"].light_ratio == 0.8


def test_a_cluster_beside_everything_is_not_true() -> None:
    """A cluster away from the spot neither finds it nor is true."""
    score = empty_score()
    score_event(
        score,
        one_cluster(600, 600, 80),
        [{"kind": "spot", "row": 1001, "col": 1002, "counts": 100}],
        Geometry(2304, 2304),
    )
    assert (score.efficiency, score.purity) == (0, 0)


def test_objects_outside_the_rows_kept_do_not_count() -> None:
    """A spot that the reconstruction never sees is not missed."""
    score = empty_score()
    score_event(
        score,
        one_cluster(600, 600, 80),
        [{"kind": "spot", "row": 100, "col": 1002, "counts": 100}],
        Geometry(2304, 2304),
    )
    assert score.kinds["spot"].objects == 0
    assert isnan(score.efficiency)


def test_half_a_track_is_enough() -> None:
    """A track is found when at least half of its points are covered by one cluster."""
    path = [[1000.0, 1000.0 + 2 * step] for step in range(4)]
    score = empty_score()
    score_event(
        score, one_cluster(1000, 1000, 80), [{"kind": "muon", "path": path, "counts": 100}], Geometry(2304, 2304)
    )
    assert score.kinds["muon"].found == 1
    assert score.as_json()["kinds"]["spot"] == {"objects": 0, "found": 0, "efficiency": None, "light_ratio": None}
