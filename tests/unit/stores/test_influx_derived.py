"""What an InfluxDB store writes for Grafana beside records: stages, occasions, readable marks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.incident import Trouble, close, join, write_down
from autoctrl.model.output import FieldsRecord, MarkRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.stores.influx.board import RunSpan
from autoctrl.stores.influx.occasions import find_occasions, occasion_lines
from autoctrl.stores.influx.overview import all_fields_lines, taken_line
from autoctrl.stores.influx.points import Entry, encode_body, lines
from autoctrl.stores.influx.stages import latency_lines
from autoctrl.stores.json_values import Encoder
from autoctrl.stores.rows import micros
from tests.contract.samples import ALICE, NOW, finished, job, task

if TYPE_CHECKING:
    from datetime import datetime

    from autoctrl.ports import Record


KEY = TaskKey("prompt", "camera-dq", "7")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def entries(*records: Record) -> list[Entry]:
    return [Entry(position, "", record) for position, record in enumerate(records, start=1)]


def stages(*records: Record, end_s: float | None = 0) -> list[str]:
    """Return what the points of records say besides the unit."""
    end = None if end_s is None else at(end_s)
    found = latency_lines(entries(*records), lambda _: end)
    return [text.partition('unit="4521",')[2].rpartition(" ")[0] for text in found]


BORN = task()
BEGUN = BORN.moved(TaskStatus.PROCESSING, at(30))
DONE = BEGUN.moved(TaskStatus.DONE, at(100))
ENDED = job(BEGUN)._replace(
    status=JobStatus.DONE, time=at(90), asked=at(31), began=at(50), wall_s=20.0
)


def test_each_stage_is_written_where_it_ends() -> None:
    """Locks from the end of the run, queue, running and collecting by the job, and all of it."""
    assert stages(BORN, BEGUN, ENDED, DONE) == [
        "locks_s=30.0",
        "running_s=20.0,collecting_s=20.0,queue_s=19.0",
        "total_s=100.0",
    ]


def test_what_nobody_knows_is_no_stage() -> None:
    """No end of the run, a call without a queue, a job that failed, a later version, a status that
    goes on, a run that ended after all.
    """
    assert stages(BEGUN, DONE, end_s=None) == []
    assert stages(ENDED._replace(began=None)) == ["running_s=20.0"]
    assert stages(ENDED._replace(asked=None)) == ["running_s=20.0,collecting_s=20.0"]
    assert stages(ENDED._replace(status=JobStatus.FAILED)) == []
    assert stages(ENDED._replace(key=ENDED.key._replace(version=2))) == []
    assert stages(DONE._replace(version=2), BEGUN.moved(TaskStatus.PROCESSING, at(40))) == []
    assert stages(BEGUN, end_s=60) == ["locks_s=0.0"]
    assert stages(mark("pause"), FieldsRecord(BORN.key, 1, {"gain": 1.0}, NOW)) == []


def said(*records: Record) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in find_occasions(entries(*records))]


def mark(kind: str, name: str = "reco", **changes: Any) -> MarkRecord:
    values = changes.pop("values", {})
    return MarkRecord(kind, "prompt", name, values, NOW, ALICE, "because")._replace(**changes)


def test_what_everybody_should_see_is_said_once() -> None:
    """A campaign that begins, a pause, a release; not what is declared of it later."""
    assert said(
        mark("campaign", "again"),
        mark("campaign", "again", sequence=2),
        mark("pause", values={"paused": True}),
        mark("pause", "", values={"paused": False}, reason=""),
        mark("release", "", values={"commit": "0123456789ab"}),
        mark("workflow"),
    ) == [
        ("campaign", "campaign again begins"),
        ("pause", "reco paused by alice: because"),
        ("pause", "everything resumed by alice"),
        ("deployment", "release 0123456789ab makes cycles"),
    ]


def test_many_that_are_reprocessed_are_one_occasion() -> None:
    """By who said so; a retry, and a wait that goes on, are none."""
    done = [finished(task(unit))[-1] for unit in ("7", "8", "fill:9")]
    again = [
        one.moved(TaskStatus.NEW, at(2), actor=ALICE, reason="new gain", version=2) for one in done
    ]
    assert said(*again) == [("reprocess", "reco: 3 tasks reprocessed by alice: new gain")]
    assert said(again[2]) == [("reprocess", "reco: unit fill:9 reprocessed by alice: new gain")]
    begun = again[0].moved(TaskStatus.PROCESSING, at(3))
    retried = begun.moved(TaskStatus.FAILED, at(4)).moved(TaskStatus.NEW, at(5), renewals=1)
    assert said(retried, again[1].moved(TaskStatus.NEW, at(5)), task("9")) == []


def test_an_incident_keeps_its_place_until_it_is_over() -> None:
    """What is said of it later replaces what was said, and tells when it was over."""
    trouble = Trouble("failed", "", "7", "it broke")
    (incident,) = join([], "reco", [trouble], NOW)
    (opened,) = write_down(None, [incident], ("prompt", "reco"), NOW)
    over, _ = write_down(opened, [close(incident, at(9))], ("prompt", "reco"), at(9))
    (first,) = occasion_lines(entries(opened))
    (last,) = occasion_lines(entries(over))
    assert first.startswith('occasion,campaign=prompt,kind=incident text="reco failed: it broke" ')
    assert first.rpartition(" ")[2] == last.rpartition(" ")[2]
    assert f"ended_ms={int(at(9).timestamp() * 1000)}i" in last
    disk = join([], "", [Trouble("disk", "outputs", "", "it is full")], NOW)
    assert said(*write_down(None, disk, ("prompt", ""), NOW)) == [("incident", "disk: it is full")]


def test_an_incident_of_a_newer_version_is_passed_over() -> None:
    """Its record is kept all the same."""
    assert said(mark("incidents", values={"incidents": [{"severity": "odd"}]})) == []


def test_numbers_lie_where_the_data_were_taken() -> None:
    """In the middle of the run, with its length; where they were recorded if nobody knows it."""
    record = FieldsRecord(KEY, 2, {"gain": 2, "word": "x", "taken_s": 3}, NOW)
    whole = taken_line(record, 7, RunSpan([7], at(0), at(60)))
    assert whole.startswith("taken_camera_dq,campaign=prompt,unit=7 version=2i,gain=2.0,taken_s_=3")
    assert whole.endswith(f",run_number=7i,taken_s=60.0 {micros(at(30)) * 1000}")
    assert taken_line(record, 7).endswith(",taken_s=1.0 7")
    only_end = taken_line(record, 7, RunSpan([7, 8], None, at(60)))
    assert only_end.endswith(f"taken_s_=3.0,taken_s=1.0 {micros(at(60)) * 1000}")


def test_custom_fields_are_made_anew_with_the_members_of_their_task() -> None:
    """Of a group from its record, of a run from its name; none of a record without values."""
    group = task("fill:9", "camera-dq")._replace(members=(7, 8))
    of_group, of_run = (FieldsRecord(key, 1, {"gain": 1}, NOW) for key in (group.key, KEY))
    asked: list[tuple[int, ...]] = []

    def span_of(members: Any) -> RunSpan:
        asked.append(tuple(members))
        return RunSpan(members, None, None)

    nothing = of_run._replace(values={})
    found = [*all_fields_lines(entries(group, of_group, of_run, nothing, job(group)), span_of)]
    assert asked == [(7, 8), (7,)]
    assert [text.partition(",")[0] for text in found] == ["fields_camera_dq", "taken_camera_dq"] * 2


def readable(record: MarkRecord) -> str:
    _, point = lines(encode_body(record, Encoder()), 1)
    return point.partition(" ")[2].partition(",body=")[0]


def test_a_condition_and_a_quota_can_be_read_without_their_body() -> None:
    """What is wrong since when, and how much is used."""
    values = {"kind": "disk", "about": "outputs", "since": "2026", "is_open": True}
    open_one = readable(mark("condition", "disk/outputs", values=values))
    assert 'about="outputs",since="2026",workflow="",standing="open"' in open_one
    assert 'standing="over"' in readable(mark("condition"))
    usage = {"used_bytes": 5, "limit_bytes": 10, "used_files": None, "level": "free"}
    numbers = readable(mark("quota", "eos", values=usage))
    assert "percent=50.0,used_bytes=5.0,limit_bytes=10.0" in numbers
    assert "percent" not in readable(mark("quota", "eos", values={"level": "free"}))


@pytest.mark.parametrize("odd", [2**70, "7", None])
def test_a_quota_of_odd_numbers_is_kept_without_them(odd: object) -> None:
    """Whatever stands in it, the record is written."""
    assert "bytes" not in readable(mark("quota", values={"used_bytes": odd, "limit_bytes": "x"}))
