"""Reconstruction agrees with what the simulation put in, on full-size frames;
docs/reference/camera-performance.md.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from autoctrl.science.camera.parameters import Pedestal
from autoctrl.science.camera.pedestal import PedestalRun, write_pedestal
from autoctrl.science.camera.simulation.sensor import Sensor
from tests.acceptance.camera import succeed

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("spots", "alphas", "muons", "electrons")
EVENTS = 4
# where mean and spread of lone objects must lie: the value, its tolerance, and the largest spread
EXPECTED = {
    ("spot", 8): {"light": (0.982, 0.010, 0.022), "width": (0.957, 0.010, 0.03)}
    | dict.fromkeys(("row", "column"), (0.1, 0.08, 0.2)),
    ("alpha", 1): {
        "light": (0.995, 0.004, 0.004),
        "width": (0.983, 0.005, 0.005),
        "length": (367, 3, 3),
    }
    | {"along": (0.0, 0.5, 0.6), "across": (0.05, 0.1, 0.15), "angle": (0.0, 0.2, 0.3)},
    ("muon", 1): {
        "light": (0.972, 0.010, 0.010),
        "width": (0.923, 0.012, 0.012),
        "excess": (10, 6, 8),
    }
    | {"along": (0.5, 4.0, 5.0), "across": (0.26, 0.12, 0.2), "angle": (0.0, 0.03, 0.04)},
    ("electron", 1): {"light": (0.98, 0.010, 0.010), "excess": (19.5, 6, 6)}
    | {"along": (0.1, 1.5, 2.0), "across": (0.17, 0.7, 1.0), "angle": (0.0, 0.4, 0.5)},
}


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the pedestal that the sensor was made from, as if its run had no end."""
    sensor, path = Sensor(), tmp_path_factory.mktemp("maps") / "pedestal.root"
    taken = Pedestal(sensor.mean.astype(np.float32), sensor.rms.astype(np.float32), 1)
    write_pedestal(PedestalRun(taken), path, "test")
    return path


def score_of(folder: Path, maps: Path, kind: str, number: int) -> dict[str, Any]:
    """Return the score of some events with so many objects of one kind and nothing else."""
    content = [f"--{name}={number if name == f'{kind}s' else 0}" for name in KINDS]
    succeed(folder, f"simulate --run=7 --events={EVENTS} {' '.join(content)} --output=.")
    succeed(folder, f"reco run00007.mid.gz --pedestal {maps} --output=reco.root")
    line = "score reco.root run00007.truth.json --format=json --picture=score.png"
    answer = succeed(folder, line).out
    assert (folder / "score.png").read_bytes().startswith(b"\x89PNG")
    score: dict[str, Any] = json.loads(answer)
    return score


@pytest.mark.parametrize(("kind", "number"), EXPECTED)
def test_lone_objects_are_measured_as_they_are(
    kind: str, number: int, maps: Path, tmp_path: Path
) -> None:
    """Objects that stand alone are found, nothing else is, and light, place, size and direction are
    the true ones.
    """
    score = score_of(tmp_path, maps, kind, number)
    lone = score["kinds"][kind]["classes"]["lone"]
    assert (lone["efficiency"], score["purity"], score["events"]) == (1.0, 1.0, EVENTS)
    assert lone["objects"] >= EVENTS
    assert lone["alone"]["mean"] == 1
    for name, (expected, tolerance, spread) in EXPECTED[kind, number].items():
        assert lone[name]["mean"] == pytest.approx(expected, abs=tolerance), name
        assert lone[name]["spread"] <= spread, name
