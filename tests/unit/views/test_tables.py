"""Tables of text, and what failed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.incident import join, trouble_of
from autoctrl.model.status import TaskStatus
from autoctrl.model.table import plain_lines
from autoctrl.views import Spelling, read_overview, shared_reasons
from autoctrl.views.failures import list_failed
from autoctrl.views.runs import RunIndex, select_runs
from autoctrl.views.tables import tabulate_incidents, tabulate_overview, tabulate_reasons
from tests.unit.given import NOW
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from autoctrl.model.task import TaskRecord

UTC = Spelling("UTC")


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.runs(1, 2, 3)
    made.workflow("reco")
    return made


def failed(scene: Scene, run: int, reason: str, log: str = "") -> TaskRecord:
    return scene.newest(scene.task(run, "reco", TaskStatus.FAILED, reason=reason, log=log))


def test_what_failed_alike_is_one_line(scene: Scene) -> None:
    """However the figures differ; the most come first, with the first log."""
    failed(scene, 1, "no pedestal in file 1")
    failed(scene, 2, "exit code 3")
    failed(scene, 3, "no pedestal in file 3", log="/log3")
    first, second = list_failed(scene.store, "prompt")
    assert (first.units, first.size, first.log) == ("1,3", 2, "/log3")
    assert (second.units, second.reason, second.log) == ("2", "exit code 3", "")
    with pytest.raises(UsageError):
        list_failed(scene.store, "none")


def test_the_overview_is_a_table(scene: Scene) -> None:
    """With why tasks failed below it."""
    failed(scene, 1, "exit code 3")
    seen = read_overview(scene.store, "prompt")
    assert plain_lines(tabulate_overview(seen))[:2] == ["RUN  STATUS  reco", "1    failed  failed"]
    line = "failed  reco      1      exit code 3 (since 2026-01-01 00:00:00 UTC)"
    assert plain_lines(tabulate_reasons(shared_reasons(seen.runs), UTC))[1] == line


def test_incidents_are_a_table(scene: Scene) -> None:
    """Each with its id, how it stands, since when, and its first line."""
    trouble = trouble_of(failed(scene, 1, "exit code 3"))
    assert trouble is not None
    found = join([], "reco", [trouble], NOW)
    of_all = join([], "", [trouble._replace(unit="", kind="disk")], NOW)
    rows = tabulate_incidents([*found, *of_all], NOW + timedelta(hours=1), UTC).rows
    assert rows[0][1:5] == ("reco", "open", "2026-03-01 12:00:00 UTC", "1")
    assert (rows[1][1], rows[1][4]) == ("-", "-")


def test_the_index_of_runs_grows(scene: Scene) -> None:
    """It asks for what is new only, and knows which runs a selection means."""
    index = RunIndex(scene.store)
    assert index.numbers() == [1, 2, 3]
    scene.runs(5, fill=7)
    assert index.numbers() == index.numbers() == [1, 2, 3, 5]
    store, numbers = scene.store, index.numbers()
    assert select_runs(store, numbers, "2-4,9") == [2, 3]
    assert select_runs(store, numbers, " ") == [1, 2, 3, 5]
    assert select_runs(store, numbers, "fill:7") == [5]
    assert select_runs(store, numbers, "1, fill:7,fill:8") == [1, 5]
