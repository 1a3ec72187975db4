"""Events: discharges, pixel lists, columns, threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoctrl.errors import DataError
from autoctrl.science.camera import events
from autoctrl.science.camera.events import CLUSTER, EventResult, to_columns
from autoctrl.science.camera.kernel import Measured
from autoctrl.science.camera.parameters import Parameters, Pedestal
from autoctrl.science.camera.reco import Reconstruction, group_cells, in_threads, list_clusters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIZE = 64


def job() -> Reconstruction:
    return Reconstruction(
        7, Pedestal(np.full((SIZE, SIZE), 99, np.float32), np.ones((SIZE, SIZE), np.float32), 3)
    )


def bright(seed: int = 0) -> NDArray[np.uint16]:
    frame = np.random.default_rng(seed).integers(98, 101, (SIZE, SIZE)).astype(np.uint16)
    frame[24:40, 24:40] += np.uint16(20)
    return frame


def named(result: EventResult) -> list[dict[str, float]]:
    return [dict(zip(CLUSTER, row, strict=True)) for row in result.clusters.tolist()]


def test_a_discharge_keeps_its_entry() -> None:
    """A frame above the veto gives an entry with spark 1, no clusters and camera variables 0."""
    result = job().reconstruct(5, np.full((SIZE, SIZE), 300, np.uint16))
    assert result.values == dict.fromkeys(events.LAYOUT.scalars, 0) | {
        "run": 7,
        "event": 5,
        "pedestal_run": 3,
        "spark": 1,
    }
    assert result.clusters.shape == (0, len(CLUSTER))


def test_a_bright_square_is_one_cluster() -> None:
    """Light on a dark frame is found, listed from index 0, and the time of each stage is stored."""
    frame = np.full((SIZE, SIZE), 99, np.uint16)
    frame[24:40, 24:40] += np.uint16(20)
    result = job().reconstruct(0, frame)
    (cluster,) = named(result)
    assert cluster["integral"] == 16 * 16 * 20
    assert (
        cluster["redpixIdx"],
        cluster["directional"],
        cluster["energy"],
        cluster["pearson"],
    ) == (0, 0, -1, 999)
    assert len(result.rows) == len(result.cols) == len(result.light) == cluster["size"]
    assert (
        min(result.values[f"t_{stage}"] for stage in ("pedsub", "noisered", "DBSCAN", "variables"))
        > 0
    )


def test_a_frame_of_another_size_is_refused() -> None:
    """Frame and pedestal must be of the same sensor."""
    with pytest.raises(
        DataError, match="run 7 event 0 has 32 x 64 pixels, the pedestal of run 3 64 x 64"
    ):
        job().reconstruct(0, np.zeros((32, 64), np.uint16))


def test_frames_come_in_order_whatever_the_threads() -> None:
    """Two threads give what one gives, bit for bit and in the order of the frames, which are not
    all read at once.
    """
    read: list[int] = []

    def frames() -> Iterator[tuple[int, NDArray[np.uint16]]]:
        for event in range(12):
            read.append(event)
            yield event, bright(event)

    alone = list(in_threads(job(), frames(), 1))
    read.clear()
    together, held = [], 0
    for result in in_threads(job(), frames(), 3):
        together.append(result)
        held = max(held, len(read) - len(together))
    assert held == 3
    assert [result.values["event"] for result in together] == list(range(12))
    for one, other in zip(alone, together, strict=True):
        assert one.clusters.tobytes() == other.clusters.tobytes()
        assert (one.rows.tobytes(), one.light.tobytes()) == (
            other.rows.tobytes(),
            other.light.tobytes(),
        )


def test_an_error_of_reading_ends_all_threads() -> None:
    """What is raised while frames are read comes in its place, and no thread goes on."""

    def frames() -> Iterator[tuple[int, NDArray[np.uint16]]]:
        yield from ((event, bright(event)) for event in range(5))
        message = "the disk is gone"
        raise OSError(message)

    before = threading.active_count()
    results: list[float] = []
    with pytest.raises(OSError, match="the disk is gone"):
        results.extend(result.values["event"] for result in in_threads(job(), frames(), 2))
    assert threading.active_count() == before
    assert results == [0, 1, 2]


def test_cells_are_put_together_by_their_labels() -> None:
    """Noise and single cells are left out; the others keep label order and raster order."""
    cells = np.array([[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5]])
    ordered, offsets, kept = group_cells(cells, np.array([2, -1, 0, 2, 1, 0]))
    assert ordered.tolist() == [[2, 2], [5, 5], [0, 0], [3, 3]]
    assert (offsets.tolist(), kept.tolist()) == ([0, 2, 4], [0, 2])
    assert [len(part) for part in group_cells(cells[:0], np.empty(0, np.int64))] == [0, 1, 0]


def measured(*clusters: tuple[float, float, float]) -> Measured:
    """Return clusters of 16 pixels each with integral, length and number of active pixels."""
    values = np.array([(16.0, *cluster) for cluster in clusters]).reshape(-1, 4)
    absent = [
        name
        for name in CLUSTER
        if name not in {"energy", "pathlength", "pearson", "redpixIdx", "directional"}
    ]
    first = ("size", "integral", "length", "nhits")
    names = (*first, *(name for name in absent if name not in first))
    table = np.zeros((len(values), len(names)))
    table[:, :4] = values
    n = 16 * len(values)
    return Measured(
        names,
        table,
        np.arange(n, dtype=np.int32),
        np.arange(n, dtype=np.int32),
        np.linspace(0, 1.5, n),
    )


def test_only_bright_clusters_list_their_pixels() -> None:
    """Brightest first; a cluster at or below the least light, or too long, lists nothing; the next
    one goes on.
    """
    clusters = measured((851, 9, 16), (850, 9, 16), (852, 1e5, 16), (900, 9, 16))
    result = list_clusters({}, clusters, np.array([False, True, False, False]), Parameters())
    found = named(result)
    assert [cluster["integral"] for cluster in found] == [900, 852, 851, 850]
    assert [cluster["redpixIdx"] for cluster in found] == [0, -1, 16, -1]
    assert [cluster["directional"] for cluster in found] == [0, 0, 0, 1]
    assert result.rows.tolist() == [*range(48, 64), *range(16)]
    assert result.light[16:19].tolist() == pytest.approx([0.0, 0.0, 0.0])


def test_a_cluster_without_active_pixels_lists_its_middle() -> None:
    """Where no pixel survived zero suppression the middle pixel alone is kept."""
    result = list_clusters({}, measured((900, 9, 0), (899, 9, 16)), np.zeros(2, bool), Parameters())
    assert result.rows.tolist() == [8, *range(16, 32)]
    assert [cluster["redpixIdx"] for cluster in named(result)] == [0, 1]


def test_columns_of_events_without_clusters_are_empty() -> None:
    """Events without clusters give columns of the right lengths."""
    values = dict.fromkeys(events.LAYOUT.scalars, 0.0)
    columns = to_columns([EventResult(values), EventResult(values)])
    assert columns["nSc"] == columns["nRedpix"] == [0, 0]
    assert len(columns["sc_size"]) == columns["redpix_iz"].size == 0
