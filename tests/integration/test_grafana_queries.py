"""Every query of the dashboards, put to both servers that hold what the machine writes."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey
from autoctrl.operations.grafana.asking import ask_all
from autoctrl.operations.grafana.questions import ALL
from autoctrl.ports import Heartbeat
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.store import InfluxStore
from autoctrl.stores.influx.tables import open_tables
from tests.contract.samples import job, run, task
from tests.contract.stores import bucket_url

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.operations.grafana.asking import Answered
    from autoctrl.ports import Store
    from tests.services import Influx

HEALTH = {
    "tasks_new": 3.0,
    "tasks_processing": 1.0,
    "jobs_idle": 1.0,
    "jobs_running": 1.0,
    "jobs_held": 0.0,
    "nodes": 1.0,
    "round_s": 0.5,
    "free_mb": 12.0,
}
ROWS = {"campaigns": 1, "runs": 3, "quantities": 1, "fields": 1, "latency": 1, "failures": 1}


def fill(store: Store) -> None:
    """Write the life of three runs: one done, one failed, one new, and a group of them."""
    now = datetime.now(UTC)
    ends = now - timedelta(hours=1)
    taken: dict[str, Any] = {
        "start": now - timedelta(hours=2),
        "end": ends,
        "fill": 8222,
        "exposure_s": 1.5,
    }
    store.append([run(number, **taken) for number in (7, 8, 9)])
    tasks = [task(str(number), "reco") for number in (7, 8, 9)]
    both = new_task(TaskKey("prompt", "sums", "fill:8222"), (7, 8, 9), now)
    store.append([*tasks, both])
    going = [one.moved(TaskStatus.PROCESSING, now) for one in tasks[1:]]
    jobs = [job(one) for one in going]
    store.append([*going, *jobs])
    failed = jobs[0].moved(JobStatus.FAILED, now, failure=Failure.NODE, host="n2")
    store.append([jobs[1].moved(JobStatus.DONE, now, wall_s=3.5, host="n1"), failed])
    done = going[1].moved(TaskStatus.DONE, now)
    fields = FieldsRecord(done.key, 1, {"gain": 1.5}, now)
    store.append([done, fields, going[0].moved(TaskStatus.FAILED, now, reason="its node died")])
    store.beat(Heartbeat("prompt", now - timedelta(seconds=1), "host:1", HEALTH))


@pytest.fixture(scope="module", params=["influxdb1", "influxdb2"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    server: Influx = request.getfixturevalue(request.param)
    folder: Path = tmp_path_factory.mktemp("grafana")
    found = bucket_url(server, server.fresh_bucket(), folder)
    with closing(InfluxStore(parse_address(found))) as store:
        fill(store)
    return found


def answers(url: str, language: str) -> dict[str, Answered]:
    with open_tables(url) as tables:
        return {one.question: one for one in ask_all(tables, "prompt", language)}


def test_every_query_in_flux_is_answered(url: str) -> None:
    """With rows, and the table of runs with a column for each attribute and workflow."""
    found = answers(url, "flux")
    assert list(found) == [*ALL]
    assert {one.question: one.problem for one in found.values() if one.problem} == {}
    assert [name for name, one in found.items() if not one.rows] == []
    assert {name: found[name].rows for name in ROWS} == ROWS
    assert set(found["runs"].columns) == {
        "run",
        "status",
        "open",
        "end",
        "attr_fill",
        "attr_exposure_s",
        "reco",
        "sums",
    }
    assert set(found["latency"].columns) >= {"workflow", "locks_s", "running_s", "total_s"}


def test_every_query_in_influxql_is_answered(url: str) -> None:
    """A 2.7 knows a bucket by its name in that language, too."""
    found = answers(url, "influxql")
    assert list(found) == [*ALL]
    assert {one.question: one.problem for one in found.values() if one.problem} == {}
    assert [name for name, one in found.items() if not one.rows] == []
    assert {"run", "status", "reco", "sums", "attr_fill"} <= set(found["runs"].columns)


def test_a_campaign_that_the_board_does_not_know_is_a_problem_in_words(url: str) -> None:
    """It has no runs to look for, and nothing else is the matter."""
    with open_tables(url) as tables:
        found = {one.question: one for one in ask_all(tables, "nobody", "flux")}
    assert [name for name, one in found.items() if one.problem] in (["runs"], [])
