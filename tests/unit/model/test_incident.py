"""What is one incident: when it opens, what joins it, and when it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.condition import Condition, ConditionKind
from autoctrl.model.gist import gist_of
from autoctrl.model.incident import (
    FAILED,
    INCIDENT,
    INCIDENTS,
    Incident,
    Remark,
    Trouble,
    close,
    is_at_hand,
    join,
    match,
    read_closed,
    read_incidents,
    relieve,
    settle,
    trouble_of,
    write_down,
)
from autoctrl.model.quality import ALARM
from autoctrl.model.severity import Severity
from autoctrl.model.status import TaskStatus
from tests.unit.given import NOW, later, task

if TYPE_CHECKING:
    from autoctrl.model.output import MarkRecord

HOUR = 3600.0
WHERE = ("prompt", "reco")
DISK = Condition(ConditionKind.DISK, "state", "", "7 MB left", "Make room", NOW)
PAUSE = Condition(ConditionKind.PAUSE, "reco", "reco", "paused by ada", "resume", NOW)


def fails(unit: str, reason: str = "exit code 3") -> Trouble:
    return Trouble(FAILED, "", unit, reason, f"/log/{unit}")


def opened(*units: str, at: float = 0.0) -> list[Incident]:
    """Return the incident that the failures of these units open."""
    return join([], "reco", [fails(unit) for unit in units], later(at))


@pytest.mark.parametrize(
    ("reason", "gist"),
    [
        ("job 0.1 failed (user code): exit code 3", "job failed (user code): exit code"),
        ("run 4521: cannot read /data/run04521.mid.gz", "run cannot read"),
        ("line one\nline two", "line one line two"),
        ("12", "#"),
        ("/data/7 /data/8", "/data/# /data/#"),
        ("3 jobs failed, the first: job 0.1 failed (memory): 7 GB", "job failed (memory): GB"),
    ],
)
def test_figures_runs_and_paths_do_not_tell_troubles_apart(reason: str, gist: str) -> None:
    """What is left of a reason is what all who meet the same trouble have in common."""
    assert gist_of(reason) == gist


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (TaskStatus.FAILED, "exit code 3", FAILED),
        (TaskStatus.DONE, "alarm: rate is above 2", ALARM),
        (TaskStatus.DONE, "warning: rate is above 2", None),
        (TaskStatus.DONE, "", None),
        (TaskStatus.PROCESSING, "failed", None),
        (TaskStatus.SKIPPED, "alarm: no", None),
    ],
)
def test_a_task_is_in_trouble_when_it_failed_or_raises_an_alarm(
    status: TaskStatus, reason: str, kind: str | None
) -> None:
    """A warning is no trouble, and neither is what a task says while it is processed."""
    found = trouble_of(task(status, reason=reason, log="/log"))
    assert (found and found.kind) == kind
    if found:
        assert (found.unit, found.reason, found.log) == ("4521", reason, "/log")


def test_the_same_trouble_of_many_tasks_is_one_incident() -> None:
    """It names every unit once, and has the first one's reason and log."""
    (first,) = opened("2", "10", "2")
    assert (first.units, first.struck, first.revision) == (("2", "10"), 2, 1)
    assert (first.log, first.severity, len(first.id)) == ("/log/2", Severity.ALARM, 12)
    (more,) = join([first], "reco", [fails("9"), fails("fill:7", "exit code 7")], later(9))
    assert more == first._replace(units=("2", "9", "10", "fill:7"), struck=4, revision=2)
    (again,) = join([more], "reco", [fails("9")], later(10))
    assert again == more._replace(struck=5, revision=3), "it was tried again, in vain"


def test_other_troubles_are_other_incidents() -> None:
    """Another reason, another kind and another workflow are told apart."""
    one = opened("1")
    two = join(one, "reco", [fails("2", "no pedestal")], later(1))
    assert [incident.gist for incident in two] == ["exit code", "no pedestal"]
    alarm = Trouble(ALARM, "", "3", "exit code 3")
    assert [incident.kind for incident in join(two, "reco", [alarm], later(1))] == [
        FAILED,
        FAILED,
        ALARM,
    ]
    assert join([], "dq", [fails("1")], NOW)[0].id != one[0].id


def test_an_incident_is_over_when_none_of_its_tasks_is_in_trouble() -> None:
    """Those that are not leave it; one that failed for another reason has left it as well."""
    (first,) = opened("1", "2", "3")
    assert settle([first], [fails("1"), fails("2"), fails("3")], later(5)) == [first]
    (fewer,) = settle([first], [fails("2", "exit code 9"), fails("3", "no disk")], later(5))
    assert (fewer.units, fewer.struck, fewer.revision, fewer.is_open) == (("2",), 3, 2, True)
    (over,) = settle([fewer], [fails("3", "no disk")], later(6))
    assert (over.units, over.closed, over.closings, over.revision) == ((), later(6), 1, 3)
    assert settle([over], [], later(7)) == [over]


def test_a_task_that_goes_on_leaves_its_incident() -> None:
    """The one that it is in; the last one to leave ends it, and nobody leaves twice."""
    first, other = join(opened("1", "2"), "reco", [fails("1", "no pedestal")], NOW)
    assert relieve([first, other], [fails("3"), fails("2", "no disk")], later(5)) == [first, other]
    fewer, same = relieve([first, other], [fails("1")], later(5))
    assert (fewer.units, fewer.struck, fewer.revision, same) == (("2",), 2, 2, other)
    over, same = relieve([fewer, other], [fails("2")], later(6))
    assert (over.units, over.closed, over.closings, same) == ((), later(6), 1, other)
    assert relieve([over], [fails("2")], later(7)) == [over]
    disk = match([], [DISK], NOW)
    assert relieve(disk, [fails("1")], later(5)) == disk


@pytest.mark.parametrize(("passed_s", "is_same"), [(HOUR, True), (HOUR + 1, False)])
def test_the_same_within_an_hour_is_the_same_incident(passed_s: float, *, is_same: bool) -> None:
    """Its number and its message are used again; who had acknowledged it is asked anew. Later it is
    another one, beside the one that is over.
    """
    (first,) = opened("1")
    acked = first.changed(acked=Remark("ada", "I look", NOW))
    (over,) = settle([acked], [], later(10))
    *before, again = join([over], "reco", [fails("1")], later(10 + passed_s))
    assert (again.id == first.id, before == [over]) == (is_same, not is_same)
    assert (again.is_open, again.units, again.acked) == (True, ("1",), None)
    assert again.struck == (2 if is_same else 1)


def test_a_condition_is_an_incident_while_it_lasts() -> None:
    """Whatever figures its reason has; what a person did on purpose is only good to know."""
    first, second = match([], [DISK, PAUSE], NOW)
    assert (first.kind, first.gist, first.severity) == ("disk", "state", Severity.ALARM)
    assert second.severity is Severity.INFO
    fuller = DISK._replace(reason="3 MB left")
    assert match([first, second], [fuller, PAUSE], later(5)) == [first, second]
    over, still = match([first, second], [PAUSE], later(6))
    assert (over.is_open, still.is_open) == (False, True)
    again, _ = match([over, still], [DISK, PAUSE], later(7))
    assert (again.id, again.is_open, again.closings) == (first.id, True, 1)


def test_what_a_person_closed_stays_closed_while_its_condition_lasts() -> None:
    """However long; when the condition comes again, people are told again."""
    (first,) = match([], [DISK], NOW)
    dismissed = close(first, later(1), Remark("ada", "known", later(1)))
    assert match([dismissed], [DISK], later(5 * HOUR)) == [dismissed]
    assert is_at_hand(dismissed, later(50 * HOUR))
    (gone,) = match([dismissed], [], later(5 * HOUR))
    assert (gone.ended_by, gone.revision) == (None, dismissed.revision)
    _, again = match([gone], [DISK], later(6 * HOUR))
    assert (again.is_open, again.id != first.id) == (True, True)


def test_a_mute_ends_with_its_time() -> None:
    """Or never, if it has none; whoever said nothing hears everything."""
    (first,) = opened("1")
    muted = first._replace(muted=Remark("ada", "access", NOW, later(60)))
    assert [first.is_muted(NOW), muted.is_muted(later(59)), muted.is_muted(later(60))] == [
        False,
        True,
        False,
    ]
    assert first._replace(muted=Remark("ada", "access", NOW)).is_muted(later(10 * HOUR))


def written(before: MarkRecord | None, wanted: list[Incident], at: float) -> list[MarkRecord]:
    return write_down(before, wanted, WHERE, later(at))


def test_incidents_are_kept_in_one_mark_of_the_workflow() -> None:
    """What was written is read again, whatever people have said; the same twice writes nothing."""
    first = opened("1")[0]._replace(
        acked=Remark("ada", "I look", NOW), muted=Remark("bob", "later", NOW, later(60))
    )
    (mark,) = written(None, [first], 0)
    assert (mark.kind, mark.campaign, mark.name, mark.sequence) == (INCIDENTS, *WHERE, 1)
    assert read_incidents(mark) == [first]
    assert read_incidents(None) == []
    assert written(mark, [first], 1) == []
    assert written(None, [], 1) == []


def test_what_is_over_has_a_mark_of_its_own_each_time() -> None:
    """A cycle reads what is at hand alone; what has been over for a day is not at hand."""
    (mark,) = written(None, opened("1"), 0)
    over = settle(read_incidents(mark), [], later(5))
    second, ended = written(mark, over, 5)
    assert (ended.kind, ended.name, ended.sequence) == (INCIDENT, over[0].id, 1)
    assert read_closed(ended) == over[0]
    again = join(read_incidents(second), "reco", [fails("1")], later(9))
    third = written(second, again, 9)
    assert len(third) == 1, "one that is open again has ended nothing"
    over = settle(again, [], later(10))
    fourth, ended = written(third[0], over, 10)
    assert (ended.sequence, fourth.sequence) == (2, 4)
    other = join(over, "reco", [fails("2", "no disk")], later(2 * HOUR))
    (fifth,) = written(fourth, other, 2 * HOUR)
    assert [incident.gist for incident in read_incidents(fifth)] == ["exit code", "no disk"]
    (sixth,) = written(fifth, other, 25 * HOUR)
    assert [incident.gist for incident in read_incidents(sixth)] == ["no disk"]


def test_many_units_take_little_room() -> None:
    """Runs that follow one another are one word of the mark, and come back one by one."""
    units = [str(unit) for unit in range(1, 10_001)]
    (mark,) = written(None, opened(*units, "fill:8", "fill:a,b"), 0)
    (values,) = mark.values["incidents"]
    assert values["units"] == ["1-10000", "fill:a,b", "fill:8"]
    assert read_incidents(mark) == opened(*units, "fill:8", "fill:a,b")
    (groups,) = written(None, opened("fill:8"), 0)
    assert read_incidents(groups)[0].units == ("fill:8",)


def test_what_a_newer_version_wrote_can_be_read() -> None:
    """Fields that we do not know are left alone."""
    (mark,) = written(None, opened("1"), 0)
    values: dict[str, Any] = {**mark.values["incidents"][0], "colour": "red"}
    assert read_incidents(mark._replace(values={"incidents": [values]})) == opened("1")


def test_times_do_not_run_backwards() -> None:
    """The mark that follows is later than the one before, whatever the clock says."""
    (mark,) = written(None, opened("1"), 0)
    (after, *_) = written(mark, opened("1", "2"), -60)
    assert after.time - mark.time < timedelta(seconds=1)
    assert after.time > mark.time
