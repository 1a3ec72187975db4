"""The tables of the page and of the board judge what they show; a store is multiplied as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.stores.sqlite.store import SqliteStore
from tests.benchmarks.desk_report import as_board_table, as_page_table
from tests.benchmarks.multiplied import multiply
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

PAGE: dict[str, Any] = {
    "runs": 10_000,
    "seconds": 60.0,
    "overview_ms": {"p50": 3.0, "p99": 30.0},
    "constant_ms": {"p50": 1.0, "p99": 10.0},
    "refused": 0,
    "ratio": 3.0,
    "mib": 150.0,
    "slower": 1.1,
    "slower_cpu": 1.0,
    "cycle_s": 0.2,
    "cycle_beside_constant_s": 0.2,
    "cycle_alone_s": 0.2,
}
BOARD = {"flux": {"table_ms": 80.0, "empty_ms": 10.0, "ratio": 8.0}}


@pytest.mark.parametrize(
    ("changes", "is_reached"),
    [
        ({}, True),
        ({"ratio": 3.01}, False),
        ({"refused": 1}, False),
        ({"mib": 151.0}, False),
        ({"slower": 1.11}, False),
        ({"slower_cpu": 9.0}, True),
    ],
)
def test_the_page_is_judged_by_its_limits(changes: dict[str, Any], is_reached: bool) -> None:  # noqa: FBT001 - what is expected
    """Each limit may just be reached; what has none is only shown."""
    text, verdict = as_page_table(PAGE | changes)
    assert verdict is is_reached
    assert ("MISSED" in text) is not is_reached


def test_the_board_is_judged_by_its_limit() -> None:
    """On each server in each language; one that is not here misses nothing."""
    text, verdict = as_board_table({"influxdb1": {"missing": "run it"}, "influxdb2": BOARD})
    assert verdict
    assert "InfluxDB 1.8: not measured, run it" in text
    slow = {"influxql": {**BOARD["flux"], "ratio": 8.1}}
    assert not as_board_table({"influxdb1": slow})[1]
    assert not as_board_table({"influxdb1": {"failed": "it broke"}})[1]


def test_a_store_is_multiplied(tmp_path: Path) -> None:
    """Every run has what run 1 has, and may be moved on."""
    scene = Scene()
    path = tmp_path / "state.sqlite"
    scene.store = store = SqliteStore(path, clock=scene.clock)
    scene.runs(1, kind="physics")
    scene.output(scene.task(1, "reco", TaskStatus.DONE))
    scene.task(1, "dq")
    multiply(path, 30)
    assert [run.number for run in store.runs().records] == [*range(1, 31)]
    assert len(store.tasks(Selection("prompt"))) == 60
    assert [one.members for one in store.find_outputs(Selection("prompt"))][-1] == (30,)
    (task,) = store.tasks(Selection("prompt", ("dq",), ("17",)))
    assert task.members == (17,)
    store.append([task.moved(TaskStatus.PROCESSING, scene.clock.now())])
    scene.runs(31)
    store.close()
