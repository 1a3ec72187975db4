"""Small records that read well in a test, and a clock that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from autoctrl.model.actor import Actor
from autoctrl.model.job import JobKey, JobRecord, JobSpec
from autoctrl.model.output import LocationState, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import JobStatus, Role, TaskStatus
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.model.unit import TaskKey

if TYPE_CHECKING:
    from autoctrl.ports import Store

NOW = datetime(2026, 11, 20, 18, 4, 5, 123456, tzinfo=UTC)
ALICE = Actor("alice", "cli")
SPEC = JobSpec(("true",), {}, {}, {}, 2000, 3600, 1, "local")


class Shifted:
    """A client's clock that is wrong by some seconds."""

    def __init__(self, seconds: float) -> None:
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


def task(
    unit: str = "4521", workflow: str = "reco", campaign: str = "prompt", **changes: Any
) -> TaskRecord:
    """Return the first record of a task."""
    members = (int(unit.rpartition(":")[2]),)
    return new_task(TaskKey(campaign, workflow, unit), members, NOW, **changes)


def job(owner: TaskRecord, index: int = 0, **changes: Any) -> JobRecord:
    """Return the first record of a job of the task's version."""
    key = JobKey(owner.key, owner.version, index)
    return JobRecord(key, Role.PART, 1, JobStatus.SUBMITTING, NOW, SPEC, **changes)


def output(
    owner: TaskRecord, name: str = "output", url: str = "file:/a", **changes: Any
) -> OutputRecord:
    """Return the record of a copy of an output."""
    record = OutputRecord(
        owner.key,
        owner.version,
        name,
        url,
        LocationState.PRESENT,
        7,
        {"sha256": "ab"},
        {"Events": 3},
        (4521,),
        "",
        NOW,
    )
    return record._replace(**changes)


def run(number: int, sequence: int = 1, **attributes: Any) -> RunRecord:
    """Return a record of a run."""
    return RunRecord(number, attributes, False, NOW, ALICE, sequence)  # noqa: FBT003 - a field of the record


def mark(
    name: str = "reco", campaign: str = "prompt", sequence: int = 1, **values: Any
) -> MarkRecord:
    """Return a mark."""
    return MarkRecord("workflow", campaign, name, values, NOW, ALICE, "because", sequence)


def finish(store: Store, record: TaskRecord) -> TaskRecord:
    """Write a task through to done."""
    records = finished(record)
    store.append(records)
    return records[-1]


def finished(record: TaskRecord) -> list[TaskRecord]:
    """Return a task's records from its first one to done."""
    processing = record.moved(TaskStatus.PROCESSING, NOW)
    return [record, processing, processing.moved(TaskStatus.DONE, NOW)]
