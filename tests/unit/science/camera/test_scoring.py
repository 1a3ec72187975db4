"""The score of hand-made events."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np
import pytest

from autoctrl.science.camera.parameters import Geometry
from autoctrl.science.camera.score.scoring import Score, describe, score_event

FULL = Geometry(2304, 2304)
SPOT = {"kind": "spot", "row": 1001, "col": 1002, "counts": 100, "sigma": 2.0}


def one_cluster(row: int, col: int, light: float, **changes: float) -> dict[str, Any]:
    """Return an event of one cluster that covers 4 x 4 pixels."""
    rows, cols = (np.repeat(np.arange(v, v + 4), 4) for v in (row, col))
    values = {
        "integral": light,
        "redpixIdx": 0.0,
        "size": 16.0,
        "xmean": row,
        "ymean": col,
        "length": 4.0,
    }
    values |= {"axis": 0.0, "tfullrms": 1.0, **changes}
    return {f"sc_{name}": np.array([value]) for name, value in values.items()} | {
        "redpix_ix": rows,
        "redpix_iy": cols,
    }


def scored(clusters: dict[str, Any], *known: dict[str, Any]) -> Score:
    """Return the score of one event."""
    score = Score()
    score_event(score, clusters, known, FULL)
    return score


def test_a_covered_spot_is_found() -> None:
    """A cluster on a spot finds it, is true, holds it alone, and its light is compared."""
    score = scored(one_cluster(1000, 1000, 80), SPOT)
    assert (score.efficiency, score.purity, score.single_clusters) == (1, 1, 1)
    assert score.kinds["spot"].light_ratio == 0.8


def test_a_cluster_beside_everything_is_not_true() -> None:
    """A cluster away from the spot neither finds it nor is true."""
    score = scored(one_cluster(600, 600, 80), SPOT)
    assert (score.efficiency, score.purity) == (0, 0)


def test_an_event_without_clusters_has_missed_its_objects() -> None:
    """Where nothing was reconstructed the objects count as not found, and there is no purity."""
    score = scored({name: column[:0] for name, column in one_cluster(600, 600, 80).items()}, SPOT)
    assert (score.efficiency, score.kinds["spot"].objects) == (0, 1)
    assert isnan(score.purity)


def test_objects_outside_the_rows_kept_do_not_count() -> None:
    """A spot that the reconstruction never sees is not missed."""
    score = scored(one_cluster(600, 600, 80), SPOT | {"row": 100})
    assert score.kinds["spot"].objects == 0
    assert isnan(score.efficiency)


def test_half_a_track_is_enough() -> None:
    """A track is found when at least half of its points are covered by one cluster."""
    path = [[1000.0, 1000.0 + 8 * step] for step in range(2)]
    score = scored(one_cluster(1000, 1000, 80), {"kind": "muon", "path": path, "counts": 100})
    assert score.kinds["muon"].found == 0
    score = scored(
        one_cluster(1000, 1000, 80),
        {"kind": "muon", "path": [path[0], [1000.0, 1004.0]], "counts": 100},
    )
    assert score.kinds["muon"].found == 1


def test_a_spot_is_measured_by_row_and_column() -> None:
    """Of a spot that stands alone the score has light, width and how far its centre is off, in each
    direction.
    """
    lone = scored(one_cluster(1000, 1000, 80), SPOT).as_json()["kinds"]["spot"]["classes"]["lone"]
    assert (lone["objects"], lone["found"], lone["efficiency"]) == (1, 1, 1.0)
    means = {name: lone[name]["mean"] for name in ("light", "covered", "width", "row", "column")}
    assert means == {"light": 0.8, "covered": 1.0, "width": 0.5, "row": -1.0, "column": -2.0}


def test_a_track_is_measured_along_and_across() -> None:
    """Of a track the score has the centre along and across its true direction, its length, and the
    angle between.
    """
    path = [[1000.0, 1000.0], [1000.0, 1012.0]]
    track = {
        "kind": "muon",
        "path": path,
        "counts": 100,
        "sigma": 2.0,
        "length": 18.0,
    }  # two steps more than kept
    clusters = one_cluster(
        1000, 1000, 80, size=32.0, xmean=1001.0, ymean=1010.0, length=20.0, axis=-88.0
    )
    clusters |= {"redpix_ix": np.full(32, 1000), "redpix_iy": np.arange(1000, 1032)}
    lone = scored(clusters, track).as_json()["kinds"]["muon"]["classes"]["lone"]
    means = {name: lone[name]["mean"] for name in ("along", "across", "length", "excess", "angle")}
    assert means == pytest.approx(
        {"along": 1.0, "across": 1.0, "length": 20.0, "excess": 2.0, "angle": 2.0}
    )


def test_objects_that_come_near_are_crossing() -> None:
    """Objects closer than 120 pixels are of another class, and a cluster that holds both has the
    light of both.
    """
    near, far = SPOT | {"col": 1003, "counts": 60}, SPOT | {"col": 1122.5}
    score = scored(one_cluster(1000, 1000, 80), SPOT, near, far).as_json()
    classes = score["kinds"]["spot"]["classes"]
    assert (classes["lone"]["objects"], classes["crossing"]["objects"]) == (0, 3)
    assert classes["crossing"]["light"]["mean"] == 0.5
    assert classes["crossing"]["alone"]["mean"] == 0
    assert "row" not in classes["crossing"]
    assert (score["true_clusters"], score["single_clusters"]) == (1, 0)


def test_a_track_counts_with_what_is_seen_of_it() -> None:
    """The light of a track that leaves the rows kept is that of the part inside."""
    path = [[2051.0 + step, 1000.0] for step in range(5)]  # rows below 2054 are kept
    track = {"kind": "muon", "path": path, "counts": 100}
    score = scored(one_cluster(2050, 1000, 60), track)
    assert score.kinds["muon"].objects == 1
    assert score.kinds["muon"].light_ratio == pytest.approx(60 / (100 * 12 / 17))


def test_a_distribution_is_described_by_its_middle_and_its_width() -> None:
    """Mean and standard deviation know of a value far away, median and half width hardly."""
    found = describe([*range(100), 1e6])
    assert found["n"] == 101
    assert (found["median"], found["half_width"]) == (50, 34)
    assert found["mean"] == pytest.approx(9950, abs=1)
