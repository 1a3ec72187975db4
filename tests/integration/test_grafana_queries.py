"""Every query of the dashboards, put to both servers that hold what the machine writes, and the
values that it must find there.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.condition import ConditionKind, Verdict, judge
from autoctrl.model.incident import Trouble, join, write_down
from autoctrl.model.output import FieldsRecord, MarkRecord
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey
from autoctrl.operations.grafana.questions import ALL
from autoctrl.ports import Heartbeat
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.store import InfluxStore
from tests.contract.samples import ALICE, job, run, task
from tests.contract.stores import bucket_url
from tests.integration.grafana import LANGUAGES, Asker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.ports import Store
    from tests.services import Influx

HEALTH = {
    "tasks_new": 3.0,
    "tasks_processing": 1.0,
    "jobs_idle": 1.0,
    "jobs_running": 1.0,
    "jobs_held": 0.0,
    "slots": 8.0,
    "nodes": 1.0,
    "round_s": 0.5,
    "free_mb": 12.0,
}
BEGAN = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)


def at(seconds: float) -> datetime:
    """Return a time after the end of data taking."""
    return BEGAN + timedelta(hours=1, seconds=seconds)


def fill(store: Store) -> None:
    """Write the life of three runs, one done, one failed, one new, and of a group of them; a pause,
    a disk that is full, a quota that is nearly so, an incident, and a heartbeat.
    """
    runs = []
    for number, gain_s in ((7, 3600), (8, 1800), (9, 1800)):
        taken: dict[str, Any] = {"start": BEGAN, "end": BEGAN + timedelta(seconds=gain_s)}
        runs.append(run(number, **taken, fill=8222, exposure_s=1.5)._replace(is_closed=True))
    store.append(runs)
    tasks = [task(str(number), "reco") for number in (7, 8, 9)]
    both = new_task(TaskKey("prompt", "sums", "fill:8222"), (7, 8, 9), at(0))
    store.append([*tasks, both])
    going = [one.moved(TaskStatus.PROCESSING, at(30), since=at(30)) for one in tasks[::2]]
    going = [one._replace(time=at(30), since=at(30)) for one in going]
    jobs = [job(one)._replace(asked=at(30)) for one in going]
    store.append([*going, *jobs])
    measured: dict[str, Any] = {"host": "n1", "wall_s": 20.0, "began": at(40), "log": "/jobs/7"}
    ended = jobs[0].moved(JobStatus.DONE, at(65), **measured)._replace(time=at(65))
    failed = jobs[1].moved(JobStatus.FAILED, at(65), failure=Failure.NODE, host="n2")
    store.append([ended, failed])
    done = going[0].moved(TaskStatus.DONE, at(70))._replace(time=at(70), since=at(70))
    store.append([done, going[1].moved(TaskStatus.FAILED, at(70), reason="its node died")])
    for key, gain in ((done.key, 1.0), (going[1].key, 4.0)):
        store.append([FieldsRecord(key, 1, {"gain": gain, "calibration": "A"}, at(70))])
    store.append([*notes(), done.moved(TaskStatus.NEW, at(90), version=2, actor=ALICE)])
    store.lease("prompt/reco", "host:1", 60)
    store.beat(Heartbeat("prompt", datetime.now(UTC) - timedelta(seconds=1), "host:1", HEALTH))


def notes() -> Iterator[MarkRecord]:
    """Yield what is known of the campaign besides its tasks."""
    yield MarkRecord("pause", "prompt", "sums", {"paused": True}, at(80), ALICE, "full disk")
    full = Verdict(ConditionKind.DISK, "outputs", "the disk has 3 MB left")
    yield from judge([], [full], "prompt", at(80))
    usage = {"used_bytes": 85, "limit_bytes": 100, "level": "warn"}
    yield MarkRecord("quota", "prompt", "eos", usage, at(80))
    troubles = [Trouble("failed", "", "9", "its node died")]
    yield from write_down(None, join([], "reco", troubles, at(70)), ("prompt", "reco"), at(70))


@pytest.fixture(scope="module", params=["influxdb1", "influxdb2"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    server: Influx = request.getfixturevalue(request.param)
    folder: Path = tmp_path_factory.mktemp("grafana")
    found = bucket_url(server, server.fresh_bucket(), folder)
    with closing(InfluxStore(parse_address(found))) as store:
        fill(store)
        assert store.remarks == []
    return found


@pytest.fixture(params=LANGUAGES)
def ask(request: pytest.FixtureRequest, url: str) -> Iterator[Asker]:
    with Asker.open(url, request.param) as asker:
        yield asker


def test_every_query_is_answered_with_rows(ask: Asker) -> None:
    """In both languages on both servers."""
    answers = ask.check()
    assert [one.question for one in answers] == [*ALL]
    assert {one.question: one.problem for one in answers if one.problem} == {}
    assert [one.question for one in answers if not one.rows] == []


def test_rows_have_what_a_shifter_reads(ask: Asker) -> None:
    """Number, fill, end, global status, a cell for each workflow, that of a group in each row."""
    rows = {int(row["run"]): row for row in ask("runs")}
    assert set(rows) == {7, 8, 9}
    assert [(rows[n]["reco"], rows[n]["sums"]) for n in (7, 8, 9)] == [
        ("new", "new"),
        ("new", "new"),
        ("failed", "new"),
    ]
    assert (rows[9]["status"], int(rows[9]["attr_fill"])) == ("failed", 8222)
    assert rows[9]["end"] == (BEGAN + timedelta(seconds=1800)).isoformat()
    assert float(rows[9]["attr_exposure_s"]) == 1.5
    (attempt,) = [row for row in ask("attempts", workflow="reco", unit="7") if row.get("log")]
    assert (attempt["job"], int(attempt["attempt"]), attempt["status"]) == ("0", 1, "done")
    (host,) = [row for row in ask("jobs_by_host") if row["host"] == "n1"]
    assert float(host["wall_s"]) == 20.0
    assert int(host.get("jobs", 1)) == 1
    (waiting,) = [row for row in ask("waiting") if row["status"] == "failed"]
    assert (waiting["unit"], waiting["workflow"], waiting["reason"]) == (
        "9",
        "reco",
        "its node died",
    )


def test_latency_is_split(ask: Asker) -> None:
    """Locks, queue, running and collecting, each of its own, and all of it."""
    (row,) = [row for row in ask("latency") if row["workflow"] == "reco"]
    stages = ("locks_s", "queue_s", "running_s", "collecting_s", "total_s")
    # the second run ended half an hour before the first one
    assert [float(row[name]) for name in stages] == [930.0, 10.0, 20.0, 5.0, 70.0]


def test_data_quality_lies_where_the_data_were_taken(ask: Asker) -> None:
    """Each run weighs as much as it is long: an hour of 1 and half an hour of 4 are 2 on average;
    words are no numbers.
    """
    rows = ask("quality_over_time", quantities="taken_reco", field="gain", window="1d")
    means = [float(row["_value" if ask.is_flux else "mean"]) for row in rows]
    assert means == [2.0]
    by_run = ask("quality_by_run", quantities="taken_reco", field="gain")
    assert {(int(row["run"]), float(row["value"])) for row in by_run} == {(7, 1.0), (9, 4.0)}
    names = {row["_value" if ask.is_flux else "fieldKey"] for row in ask("fields", **TAKEN)}
    assert "gain" in names
    assert "calibration" not in names


TAKEN: dict[str, Any] = {"quantities": "taken_reco"}


def test_what_happened_is_marked(ask: Asker) -> None:
    """A campaign's beginning is made by a project, the others are here."""
    found = {row["kind"]: row["text"] for row in ask("occasions")}
    assert found == {
        "pause": "sums paused by alice: full disk",
        "incident": "reco failed: its node died",
        "reprocess": "reco: unit 7 reprocessed by alice",
    }


def test_the_system_says_what_is_wrong_and_how_full_it_is(ask: Asker) -> None:
    """Conditions, quotas, slots, leases."""
    (condition,) = ask("conditions")
    assert (condition["name"], condition["reason"]) == ("disk/outputs", "the disk has 3 MB left")
    (quota,) = ask("quotas")
    assert (quota["name"], float(quota["percent"]), float(quota["limit_bytes"])) == (
        "eos",
        85.0,
        100.0,
    )
    (lease,) = ask("leases")
    assert (lease["lease" if ask.is_flux else "name"], lease["owner"]) == ("prompt/reco", "host:1")
    jobs = ask("jobs_now")
    slots = [row["_value"] for row in jobs if row["_field"] == "slots"] if ask.is_flux else []
    assert float(slots[0] if ask.is_flux else jobs[0]["slots"]) == 8.0


def test_a_campaign_that_the_board_does_not_know_is_a_problem_in_words(url: str) -> None:
    """It has no runs to look for, and nothing else is the matter."""
    with Asker.open(url, "flux", "nobody") as asker:
        found = asker.check()
    assert [one.question for one in found if one.problem] in (["runs"], [])
    assert all(one.shown_by == "Runs: Runs and workflows" for one in found if one.problem)
