"""What versions measured, over runs and beside their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.model.campaign import Campaign
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import TaskStatus
from autoctrl.views import measured as module
from autoctrl.views.gallery import read_gallery
from autoctrl.views.measured import Judged, Measured, Measurements, RunChoice, read_trends
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.views.measured import Trends

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
ALARM = "rms = 12.5 is above 10; drift = 7 is 7.1% above 6.5 of run 3 (limit 5.0%); peak is missing"


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.runs(*range(1, 7), kind="physics", fill=2)
    made.workflow("dq")
    return made


def report(scene: Scene, key: TaskKey, version: int = 1, **values: float | str) -> None:
    """Let a version report custom fields."""
    scene.store.append([FieldsRecord(key, version, values, scene.clock.now())])


def trends(scene: Scene, known: Sequence[int] = range(1, 7), limit: int = 100) -> Trends:
    """Return the trends of ``dq`` over the runs of kind physics."""
    choice = RunChoice(known, lambda attributes: attributes["kind"] == "physics", limit)
    return read_trends(scene.store, Measurements(scene.store), "prompt", "dq", choice)


def test_numbers_come_in_the_order_of_runs(scene: Scene) -> None:
    """Of the newest version that reported; skipped tasks and runs without a number are left out."""
    for run, status in {3: DONE, 1: DONE, 2: SKIPPED, 4: FAILED, 5: DONE}.items():
        report(scene, scene.task(run, "dq", status), peak=float(run), level="fine")
    scene.task(6, "dq", NEW)
    key = scene.task(1, "other", DONE)
    report(scene, key, peak=99.0)
    again = scene.newest(key)._replace(key=scene.newest(key).key._replace(workflow="dq")).key
    report(scene, again, 2, peak=10.0)
    report(scene, again, 2, rms=1.0)
    found = trends(scene)
    assert [one.task.key.unit for one in found.measured] == ["1", "3", "4", "5"]
    assert [one.numbers.get("peak") for one in found.measured] == [10.0, 3.0, 4.0, 5.0]
    assert found.fields == ["peak", "rms"]
    assert found.measured[1].values["level"] == "fine"


def test_runs_are_chosen_by_attribute_number_and_count(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of those that are wanted; no more runs are read than it takes."""
    monkeypatch.setattr(module, "RUNS_AT_ONCE", 2)
    scene.runs(5, kind="cosmics")
    for run in range(1, 7):
        report(scene, scene.task(run, "dq", DONE), peak=1.0)
    asked: list[Sequence[int]] = []
    runs = scene.store.runs

    def watched(since: int = 0, numbers: Sequence[int] | None = None) -> object:
        asked.append(list(numbers or ()))
        return runs(since, numbers)

    scene.store.runs = watched  # type: ignore[method-assign, assignment]
    assert [one.task.key.unit for one in trends(scene, limit=2).measured] == ["4", "6"]
    assert asked == [[5, 6], [3, 4]]
    assert [one.task.key.unit for one in trends(scene, known=(1, 2)).measured] == ["1", "2"]
    assert trends(scene, known=()).measured == ()


def test_a_campaign_has_the_trends_of_its_runs(scene: Scene) -> None:
    """Of a parent's workflow only its own runs; a group stands once."""
    scene.workflow("sums", group_by="fill", late={})
    report(scene, scene.task("fill:2", "sums", DONE, members=range(1, 7)), runs=6.0)
    scene.campaign(Campaign("redo", parent="prompt", workflows=("x",), runs="2-3"))
    for run in (1, 2):
        report(scene, scene.task(run, "dq", DONE), peak=1.0)
    choice = RunChoice(range(1, 7), lambda _: True, 100)
    kept = Measurements(scene.store)
    found = read_trends(scene.store, kept, "redo", "dq", choice)
    assert [one.task.key.unit for one in found.measured] == ["2"]
    sums = read_trends(scene.store, kept, "prompt", "sums", choice)
    assert [one.values for one in sums.measured] == [{"runs": 6.0}]


def test_what_a_done_task_reported_is_read_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again when the task has moved; too many are not kept."""
    monkeypatch.setattr(module, "KEPT", 1)
    one, other = scene.task(1, "dq", DONE), scene.task(2, "dq", DONE)
    asked: list[TaskKey] = []
    history = scene.store.history

    def watched(key: TaskKey) -> list[Record]:
        asked.append(key)
        return history(key)

    monkeypatch.setattr(scene.store, "history", watched)
    kept = Measurements(scene.store)
    for key in (one, one, other, one):
        kept.of([scene.newest(key)])
    assert asked == [one, other, one]


def test_an_alarm_says_which_number_is_beyond_which_limit(scene: Scene) -> None:
    """By its sentences; one that names no fixed limit, or words that are none, mark no line."""
    task = scene.newest(scene.task(1, "dq", DONE))
    warning = "rms = 12.5 is above 9; tail = 3 is below 4; odd = 1 is above ee; the light is bad"
    one = Measured(task, {"rms": 12.5, "alarm": ALARM, "warning": warning})
    assert one.judged == {
        "rms": Judged("alarm", 10.0),
        "drift": Judged("alarm"),
        "peak": Judged("alarm"),
        "tail": Judged("warning", 4.0),
        "odd": Judged("warning"),
        "light": Judged("warning"),
    }
    assert (one.said, one.numbers) == (ALARM, {"rms": 12.5})
    assert Measured(task, {}).said == ""


def hang(scene: Scene, unit: int | str, *names: str, workflow: str = "dq", **more: object) -> None:
    """Give a done task pictures and a number."""
    key = scene.task(unit, workflow, DONE, **more)  # type: ignore[arg-type]
    for name in names:
        scene.output(key, name=name, url=f"/data/{unit}/{name}.png", content=f"{unit}{name}")
    report(scene, key, peak=1.0)


def test_plots_hang_beside_those_of_the_nearest_neighbours(scene: Scene) -> None:
    """The nearest earlier and later task that has any; what is no picture does not hang."""
    hang(scene, 1, "light")
    hang(scene, 2, "light", "energy")
    hang(scene, 3)
    hang(scene, 4, "light", reason="alarm: peak = 1 is below 2")
    hang(scene, 6, "depth")
    scene.workflow("reco")
    scene.output(scene.task(4, "reco", DONE))
    runs = scene.store.runs().records
    kept = Measurements(scene.store)
    (wall,) = read_gallery(scene.store, kept, "prompt", 4, runs)
    assert [side.unit if side else None for side in wall.sides] == ["2", "4", "6"]
    assert wall.names == ["light", "energy", "depth"]
    assert wall.fields == ["peak"]
    assert wall.here is not None
    assert (wall.here.quality, wall.here.plots["light"].unit) == ("alarm", "4")
    (first,) = read_gallery(scene.store, kept, "prompt", 1, runs)
    assert (first.older, first.newer and first.newer.unit) == (None, "2")
    (without,) = read_gallery(scene.store, kept, "prompt", 5, runs)
    assert (without.here, without.names) == (None, ["light", "depth"])


def test_a_groups_plots_hang_in_the_gallery_of_each_of_its_runs(scene: Scene) -> None:
    """Beside those of the groups before and after; a run that is in no group yet has none."""
    scene.runs(7, 8, kind="physics", fill=3)
    scene.runs(9, kind="physics")
    scene.workflow("trend", group_by="fill", late={})
    hang(scene, "fill:2", "curve", workflow="trend", members=range(1, 7))
    hang(scene, "fill:3", "curve", workflow="trend", members=(7, 8))
    scene.move(scene.newest(scene.task("fill:4", "trend", NEW, members=(10,))).key, SKIPPED)
    runs = scene.store.runs().records
    kept = Measurements(scene.store)
    (wall,) = read_gallery(scene.store, kept, "prompt", 5, runs)
    assert [side.unit if side else None for side in wall.sides] == [None, "fill:2", "fill:3"]
    (wall,) = read_gallery(scene.store, kept, "prompt", 9, runs)
    assert [side.unit if side else None for side in wall.sides] == ["fill:3", None, None]
    assert read_gallery(scene.store, kept, "prompt", 9, runs[-1:]) == []
