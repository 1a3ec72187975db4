"""Records, reports and situations for the tests of the machine's pure parts; whatever a test does
not say is plain.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from autoctrl.machine.situation import ObservedJob, Situation
from autoctrl.model.actor import Actor
from autoctrl.model.job import MERGE_INDEX, FileInfo, JobKey, JobRecord, JobSpec
from autoctrl.model.run import RunRecord
from autoctrl.model.status import JobStatus, Role, TaskStatus
from autoctrl.model.task import Task, TaskRecord
from autoctrl.model.unit import TaskKey
from autoctrl.ports import JobReport, JobResult, OpenTask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.status import Failure

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = TaskKey("prompt", "reco", "4521")
SOURCE = Actor("files", "source")
SPEC = JobSpec(("true",), {}, {}, {}, memory_mb=2000, time_limit_s=3600, cpus=1, executor="local")


def later(seconds: float) -> datetime:
    """Return the time so many seconds after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def run(
    number: int = 4521, *, is_closed: bool = True, time: datetime = NOW, **attributes: Any
) -> RunRecord:
    """Return what is known of a run."""
    return RunRecord(number, attributes, is_closed, time, SOURCE)


def task(status: TaskStatus = TaskStatus.PROCESSING, **fields: Any) -> TaskRecord:
    """Return a record of the task of run 4521, begun a minute ago."""
    values = {"key": KEY, "time": later(-60), "members": (4521,), "since": later(-60), **fields}
    return TaskRecord(status=status, **values)


def view(
    *members: int,
    workflow: str = "reco",
    unit: str = "",
    runs: Mapping[int, RunRecord] | None = None,
) -> Task:
    """Return a task as authors see it; its runs are closed and plain unless given."""
    numbers = members or (4521,)
    known = {number: run(number) for number in numbers} if runs is None else runs
    return Task(TaskKey("prompt", workflow, unit or str(numbers[0])), 1, tuple(numbers), known)


def job(status: JobStatus = JobStatus.RUNNING, index: int = 0, **fields: Any) -> JobRecord:
    """Return a record of one of that task's jobs, half a minute old, known to the executor unless
    it is submitting.
    """
    values: dict[str, Any] = {
        "key": JobKey(KEY, 1, index),
        "role": Role.MERGE if index == MERGE_INDEX else Role.PART,
        "attempt": 1,
        "time": later(-30),
        "spec": SPEC,
        "asked": later(-30),
        "handle": "" if status is JobStatus.SUBMITTING else f"h{index}",
        **fields,
    }
    return JobRecord(status=status, **values)


def file(name: str = "output", url: str = "/out/reco.txt", **fields: Any) -> FileInfo:
    """Return a file that a job wrote."""
    return FileInfo(**{"name": name, "url": url, "bytes": 7, "checksum": "sha256:ab", **fields})


def result(exit_code: int | None = 0, **fields: Any) -> JobResult:
    """Return what the wrapper wrote at the end."""
    values: dict[str, Any] = {
        "signal": None,
        "failure": None,
        "reason": "",
        "host": "node1",
        "starts": 1,
        "wall_s": 2.0,
        "cpu_s": 1.0,
        "peak_memory_mb": 100.0,
        "files": (),
        "fields": {},
        **fields,
    }
    return JobResult(exit_code=exit_code, **values)


def ended(
    of: JobRecord, end: JobResult | None = None, status: JobStatus = JobStatus.DONE, **fields: Any
) -> ObservedJob:
    """Return the sighting of an attempt that has ended."""
    kept = result() if end is None and status is JobStatus.DONE else end
    report = JobReport(status, starts=1, host="node1", **fields)
    return ObservedJob(of.handle or "h", report, kept, kept.files if kept else ())


def failed(of: JobRecord, failure: Failure, reason: str = "it broke") -> ObservedJob:
    """Return the sighting of an attempt that the executor itself says has failed."""
    return ObservedJob(of.handle or "h", JobReport(JobStatus.FAILED, reason, failure), None)


def situation(record: TaskRecord, *jobs: JobRecord, **fields: Any) -> Situation:
    """Return a situation with one task; ``seen`` is what the executor said of its jobs, by
    index.
    """
    seen: Mapping[int, ObservedJob] = fields.pop("seen", {})
    sightings = {one.key: seen[one.key.index] for one in jobs if one.key.index in seen}
    return Situation(
        **{
            "now": NOW,
            "tasks": [OpenTask(record, jobs)],
            "readiness": {},
            "observed_jobs": sightings,
            **fields,
        }
    )
