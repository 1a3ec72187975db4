"""Events: discharges, pixel lists, columns."""

from __future__ import annotations

import numpy as np
import pytest

from autoctrl.camera import events
from autoctrl.camera.events import EventResult, PixelList, to_columns
from autoctrl.camera.parameters import Parameters
from autoctrl.camera.pixels import Pixels
from autoctrl.camera.preprocess import Pedestal
from autoctrl.camera.reco import Reconstruction, list_pixels
from autoctrl.errors import DataError

SIZE = 64


def job() -> Reconstruction:
    return Reconstruction(7, Pedestal(np.full((SIZE, SIZE), 99, np.float32), np.ones((SIZE, SIZE), np.float32), 3))


def pixels(active: int = 16) -> Pixels:
    light = np.linspace(0.04, 1.57, 16)
    return Pixels(np.array([[0, 0]]), np.arange(16), np.arange(16), light, active)


def test_a_discharge_keeps_its_entry() -> None:
    """A frame above the veto gives an entry with spark 1, no clusters and camera variables 0."""
    result = job().reconstruct(5, np.full((SIZE, SIZE), 300, np.uint16))
    assert result.values == dict.fromkeys(events.LAYOUT.scalars, 0) | {
        "run": 7, "event": 5, "pedestal_run": 3, "spark": 1,
    }  # fmt: skip
    assert result.clusters == []


def test_a_bright_square_is_one_cluster() -> None:
    """Light on a dark frame is found, listed from index 0, and the time of each stage is stored."""
    frame = np.full((SIZE, SIZE), 99, np.uint16)
    frame[24:40, 24:40] += np.uint16(20)
    result = job().reconstruct(0, frame)
    (cluster,) = result.clusters
    assert cluster["integral"] == 16 * 16 * 20
    assert cluster["redpixIdx"] == 0
    assert result.pixels.count == cluster["size"]
    assert result.values["t_DBSCAN"] > 0


def test_a_frame_of_another_size_is_refused() -> None:
    """Frame and pedestal must be of the same sensor."""
    with pytest.raises(DataError, match="run 7 event 0 is 32 pixels wide, the pedestal of run 3 64"):
        job().reconstruct(0, np.zeros((32, 32), np.uint16))


def test_only_bright_clusters_list_their_pixels() -> None:
    """A cluster at or below the least light appends nothing; the next one continues the list."""
    listed = PixelList()
    parameters = Parameters()
    assert list_pixels(listed, {"integral": 851, "length": 9}, pixels(), parameters) == 0
    assert list_pixels(listed, {"integral": 850, "length": 9}, pixels(), parameters) == -1
    assert list_pixels(listed, {"integral": 851, "length": 1e5}, pixels(), parameters) == -1
    assert list_pixels(listed, {"integral": 851, "length": 9}, pixels(), parameters) == 16
    assert np.concatenate(listed.light)[:2].tolist() == [0.0, 0.1]


def test_a_cluster_without_active_pixels_lists_its_middle() -> None:
    """Where no pixel survived zero suppression the middle pixel alone is kept."""
    listed = PixelList()
    list_pixels(listed, {"integral": 900, "length": 9}, pixels(active=0), Parameters())
    assert listed.rows[0].tolist() == [8]


def test_columns_of_events_without_clusters_are_empty() -> None:
    """Events without clusters, and no events at all, give columns of the right lengths."""
    values = dict.fromkeys(events.LAYOUT.scalars, 0.0)
    columns = to_columns([EventResult(values), EventResult(values)])
    assert columns["nSc"] == columns["nRedpix"] == [0, 0]
    assert len(columns["sc_size"]) == columns["redpix_iz"].size == 0
    assert to_columns([])["run"] == []
