"""What a version that is done says of its data: kept beside the task, seen, and told once."""

from __future__ import annotations

import pytest

from autoctrl import verbs
from autoctrl.model.quality import quality_of, remark_of
from autoctrl.views import explain, read_overview
from tests.unit.given import file
from tests.unit.machine.room import RECO, Room

HOT = "pedestal_rms = 12.5 is above 10"


def finish(room: Room, version: int, **fields: float | str) -> None:
    """Bring version ``version`` of run 1 to done, with these custom fields."""
    room.cycle(RECO)
    room.jobs.finish(f"1/v{version}/0.1", files=[file()], fields=fields)
    room.cycle(RECO)
    room.cycle(RECO)


@pytest.mark.parametrize(
    ("fields", "remark", "quality"),
    [
        ({"rate": 3.0}, "", ""),
        ({"alarm": "", "warning": ""}, "", ""),
        ({"warning": "rate = 3 is above 2"}, "warning: rate = 3 is above 2", "warning"),
        ({"warning": "rate = 3 is above 2", "alarm": HOT}, f"alarm: {HOT}", "alarm"),
    ],
)
def test_the_worst_that_the_fields_say_is_the_remark(
    fields: dict[str, object], remark: str, quality: str
) -> None:
    """An alarm goes before a warning, an empty text is none."""
    assert (remark_of(fields), quality_of(remark)) == (remark, quality)


def test_an_alarm_stands_beside_a_task_that_is_done_and_is_told_once(room: Room) -> None:
    """Status and why say which number is beyond which limit; later cycles tell nobody again."""
    finish(room, 1, alarm=HOT)
    assert room.alarms == [f"[reco]: run 1: alarm: {HOT}"]
    seen = explain(room.store, "prompt", "1", "reco")
    assert (seen.status, seen.quality, seen.reason) == ("done", "alarm", f"alarm: {HOT}")
    cell = read_overview(room.store, "prompt").runs[0].tasks["reco"]
    assert cell is not None
    assert (cell.status, cell.quality, cell.reason) == ("done", "alarm", f"alarm: {HOT}")


def test_a_warning_is_shown_but_not_told(room: Room) -> None:
    """Alerts are few: a warning waits for somebody to look."""
    finish(room, 1, warning="rate = 3 is above 2")
    assert room.alarms == []
    assert explain(room.store, "prompt", "1", "reco").quality == "warning"


@pytest.mark.parametrize(
    ("second", "told"),
    [("pedestal_rms = 12.7 is above 10", 1), ("pedestal_mean = 12.7 is below 90", 2), ("", 1)],
)
def test_a_version_that_raises_the_same_alarm_again_tells_nobody(
    room: Room, second: str, told: int
) -> None:
    """A new version is told of only when it says something that the version before it did not."""
    finish(room, 1, alarm=HOT)
    verbs.reprocess(room.request(), "1", "reco")
    finish(room, 2, alarm=second)
    assert room.task("reco").version == 2
    assert len(room.alarms) == told
    assert bool(explain(room.store, "prompt", "1", "reco").quality) == bool(second)
