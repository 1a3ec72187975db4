"""The reconstruction of three full-size frames against published numbers, step by step.

The frames come from the project's own simulation; their checksums say that the numbers belong to them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from autoctrl.camera.clustering import label_seeds
from autoctrl.camera.light import FULL_SIZE, Content
from autoctrl.camera.parameters import Geometry, Parameters
from autoctrl.camera.preprocess import Clock, Images, Pedestal, average_cells, preprocess, take_median
from autoctrl.camera.reco import Reconstruction, camera_values
from autoctrl.camera.sensor import Sensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE_SEED, LIGHT_SEED, PEDESTAL_SEED = 1000, 5000, 10
CHECKSUMS = {
    "mean": "dedc6a434299df4a77246402a54965c2b7124e387bcbda38bd59327095e04f6d",
    "rms": "1d541308677bc9b6b5bd04a03b472bcc036da26088380eb1d77ff3151580ef70",
    "pedestal 2": "ec6adab66e20796c0591844a8288244507a80a54e076daef117f5ebd25f1727e",
    "event 0": "89884573d1afc986e54de255e405739b4881f54132b71619d8f7f8876240f914",
    "event 1": "6ceaf8174176a8bf479d1d66e45e643c456c8b11eb1233e922688ed5dea0c43b",
    "event 2": "0c0c9e1697a1b79c8ddbb4cf4c74ff6ae2032ddca1b3358d4bc9393018026498",
}


@dataclass(frozen=True)
class WayPoints:
    """What the published reconstruction has at each step of one event."""

    raw_sum: int
    suppressed: int
    integral: float
    rms: float
    coarse: int
    edge_before: int
    edge: int
    seeds: int
    weights: int
    clusters: tuple[int, ...]
    listed: int


WAY_POINTS = (
    WayPoints(
        526289936, 1176929, 2944218.0411, 2.05169349, 250937, 240716, 6508, 6430, 44693,
        (54, 57, 3941, 764, 77, 70, 1415, 52), 102880,
    ),
    WayPoints(
        526293868, 1178575, 2948438.9672, 2.06519861, 250892, 240622, 6494, 6430, 44943,
        (6010, 69, 71, 62, 73, 65, 80), 102880,
    ),
    WayPoints(
        526293061, 1175885, 2947852.5559, 2.08565371, 250953, 240635, 6260, 6191, 44850,
        (58, 84, 64, 79, 2614, 56, 3236), 99056,
    ),
)  # fmt: skip
# size, integral, corrected integral, spread, mean cell of the clusters of event 0, brightest first
CLUSTERS = (
    (22640, 469341.4, 2425147.4, 18.9071, 1522.377, 1010.819),
    (63056, 246825.3, 389228.9, 4.1151, 985.692, 1243.238),
    (12224, 53598.3, 79415.3, 3.9020, 1174.829, 1255.452),
    (912, 9722.0, 39955.5, 14.1371, 674.884, 1180.726),
    (832, 9337.5, 37443.0, 14.0093, 1674.279, 1158.159),
    (864, 8499.6, 34107.5, 13.5778, 485.608, 951.053),
    (1120, 7612.7, 17989.1, 7.7032, 1249.287, 1408.747),
    (1232, 7509.0, 16111.9, 6.7960, 1154.416, 1644.936),
)

# length, theta, spread across, sigma and chi2 of the fit across, in the same order
SHAPES = (
    (367.2496, -42.0621, 10.81477, 10.46293, 442.350),
    (2259.1394, -177.9204, 86.42248, 233.98366, 23190.875),
    (402.5736, 43.1680, 22.47543, 21.26440, 637.985),
    (37.7612, -164.2080, 5.19027, 5.24994, 2.343),
    (35.4670, 139.0788, 5.15257, 5.24000, 5.686),
    (36.0252, 140.7225, 4.94576, 4.88915, 10.813),
    (39.9269, 5.9227, 6.48393, 6.48873, 11.106),
    (40.0786, 4.6060, 6.89366, 6.79027, 18.126),
)
LAST_DIGITS = (0.06, 0.06, 6e-5, 6e-4, 6e-4)


def digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


@lru_cache(maxsize=1)
def sensor() -> Sensor:
    return Sensor()


@lru_cache(maxsize=1)
def maps() -> Pedestal:
    return Pedestal(sensor().mean.astype(np.float32), sensor().rms.astype(np.float32))


def draw_event(event: int) -> NDArray[np.uint16]:
    return sensor().draw_event(NOISE_SEED + event, LIGHT_SEED + event, Content())[0]


@lru_cache(maxsize=1)
def processed(event: int) -> Images:
    return preprocess(draw_event(event), maps(), Parameters(), Geometry(FULL_SIZE), Clock())


def vignetting() -> NDArray[np.float64]:
    """Return a smooth stand-in for the measured map: a polynomial in the distance from the centre, in rings."""
    offset = np.arange(287) - 143.5
    rings = np.minimum(np.floor(np.hypot.outer(offset, offset) / 1.125), 180)
    polynomial = np.polynomial.Polynomial([1.0008, -0.0245, -1.3349, 3.4763, -7.4177, 6.8597, -2.3459])
    factor = np.zeros((FULL_SIZE, FULL_SIZE))
    factor[:2296, :2296] = (1 / polynomial((rings + 0.5) / 181)).repeat(8, axis=0).repeat(8, axis=1)
    return factor


def test_the_simulation_draws_the_frames_of_the_numbers() -> None:
    """Pedestal maps and a light-free frame have their published checksums."""
    assert digest(maps().mean) == CHECKSUMS["mean"]
    assert digest(maps().rms) == CHECKSUMS["rms"]
    assert digest(sensor().draw_pedestal(PEDESTAL_SEED + 2)) == CHECKSUMS["pedestal 2"]


@pytest.mark.parametrize("event", range(3))
def test_every_step_gives_the_published_counts(event: int) -> None:
    """From the frame to the seeds and the clusters, every count is equal and every sum agrees to its last digit."""
    frame, expected = draw_event(event), WAY_POINTS[event]
    assert digest(frame) == CHECKSUMS[f"event {event}"]
    images = processed(event)
    before = average_cells(take_median(images.suppressed), 4)
    sums = camera_values(images)
    labels = label_seeds(images.seeds, Parameters())
    assert expected == WayPoints(
        raw_sum=int(frame.sum(dtype=np.uint64)),
        suppressed=int(np.count_nonzero(images.suppressed > 0)),
        integral=round(sums["cmos_integral"], 4),
        rms=round(sums["cmos_rms"], 8),
        coarse=int(np.count_nonzero(images.coarse)),
        edge_before=int(np.count_nonzero(before)),
        edge=int(np.count_nonzero(images.edge)),
        seeds=len(images.seeds.cells),
        weights=int(images.seeds.weights.sum()),
        clusters=tuple(np.bincount(labels).tolist()),
        listed=Reconstruction(1, maps()).reconstruct(event, frame).pixels.count,
    )
    assert labels.min() == 0


def test_a_frame_without_light_has_no_seeds() -> None:
    """Noise alone gives no seed."""
    dark = sensor().draw_pedestal(PEDESTAL_SEED)
    images = preprocess(dark, maps(), Parameters(), Geometry(FULL_SIZE), Clock())
    assert len(images.seeds.cells) == 0


@lru_cache(maxsize=1)
def clusters_of_event_0() -> list[dict[str, float]]:
    return Reconstruction(1, maps(), vignetting=vignetting()).reconstruct(0, draw_event(0)).clusters


def test_clusters_have_the_published_light_and_position() -> None:
    """Size, light, spread and position of every cluster of event 0 agree with the published table."""
    names = ("integral", "corrintegral", "rms", "xmean", "ymean")
    found = clusters_of_event_0()
    assert [cluster["size"] for cluster in found] == [size for size, *_ in CLUSTERS]
    for cluster, (_, *expected) in zip(found, CLUSTERS, strict=True):
        close = [pytest.approx(value, abs=digit) for value, digit in zip(expected, LAST_DIGITS, strict=True)]
        assert [cluster[name] for name in names] == close


def test_clusters_have_the_published_shapes() -> None:
    """Length, direction, spread and fit across of every cluster of event 0 agree within the published tolerances."""
    for cluster, (length, theta, spread, sigma, chi2) in zip(clusters_of_event_0(), SHAPES, strict=True):
        assert cluster["length"] == pytest.approx(length, abs=1e-4)
        assert (cluster["theta"] - theta + 90) % 180 - 90 == pytest.approx(0, abs=1e-3)
        assert cluster["tfullrms"] == pytest.approx(spread, rel=1e-3)
        assert cluster["tgausssigma"] == pytest.approx(sigma, rel=3e-3)
        assert cluster["tchi2"] == pytest.approx(chi2, rel=1e-2)
