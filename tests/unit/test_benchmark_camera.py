"""The table of the camera judges what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks.camera_data import split_events
from tests.benchmarks.camera_report import USUAL, as_camera_table
from tests.benchmarks.camera_steps import Times

if TYPE_CHECKING:
    from pathlib import Path


def found(*, whole: float = 0.9, peak: float = 300.0, same: bool = True) -> dict[str, Any]:
    """Return figures in which every limit is just kept, but for what is changed."""
    times = Times()
    for name in (*USUAL, *(f"{name}, usual way" for name in USUAL), "unit", "1 spot", "noise only"):
        times.add(name, (0.2, 0.1, 0.01))
    times.pop("the fits alone")
    times.add("whole", (1.0, whole, 0.1))
    contents = {
        "1 spot": {"seeds": 75.0, "pixels": 1210.0},
        "noise only": {"seeds": 0.0, "pixels": 0.0},
    }
    rest = {"rounds": 1, "contents": contents, "same_clusters": same, "peak_mib_2_threads": 250.0}
    return {
        "rows": times.medians(),
        "events_per_s": {"1": 8.0, "2": 15.0, "2 processes": 15.5},
        "peak_mib": {30: 200.0, 300: peak},
        **rest,
    }


def test_limits_of_the_camera_that_are_just_kept() -> None:
    """Equal to the limit is good enough, and reading and writing bound what threads can do."""
    table, is_reached = as_camera_table(found())
    assert is_reached
    assert "MISSED" not in table
    assert "at most 4.5 times the rate" in table
    assert table.index("noise only") < table.index("1 spot")


@pytest.mark.parametrize("change", [{"whole": 0.91}, {"peak": 301.0}, {"same": False}])
def test_a_missed_limit_of_the_camera_is_said(change: dict[str, Any]) -> None:
    """Too slow, too large or another result makes the run miss, and one line says so."""
    table, is_reached = as_camera_table(found(**change))
    assert not is_reached
    assert table.count("MISSED") == 1


def test_medians_keep_the_range() -> None:
    """Of some rounds the table has the median and, by processor time, the least and the largest."""
    times = Times()
    for wall, cpu in ((2.0, 1.0), (9.0, 3.0), (4.0, 2.0)):
        times.add("whole", (wall, cpu, wall / 10))
    assert times.medians()["whole"] == {
        "ratio": 4.0,
        "cpu_ratio": 2.0,
        "wall_s": 0.4,
        "least": 1.0,
        "largest": 3.0,
    }


def test_a_raw_run_is_cut_into_its_events(tmp_path: Path) -> None:
    """The events that longer runs are made of are the run's own, byte for byte, its ends among
    them.
    """
    import gzip

    from autoctrl.science.camera.simulation.daq import RunPlan, write_run

    path = write_run(RunPlan(7, "pedestal", 2, size=64), tmp_path)
    events = list(split_events(path))
    assert len(events) == 4
    assert b"".join(events) == gzip.decompress(path.read_bytes())
