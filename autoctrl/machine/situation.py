"""What a cycle sees and what it decides: plain values between observing, planning and
performing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.machine.failures import Policy
from autoctrl.model.job import JobRecord
from autoctrl.model.task import TaskRecord
from autoctrl.ports import OpenTask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.locks.lock import Wait
    from autoctrl.model.job import FileInfo, JobKey, JobSpec
    from autoctrl.model.task import InputRef
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import JobReport, JobResult, Record


class ActionKind(StrEnum):
    """What a cycle can decide to do with a task."""

    BIRTH = "birth"
    WAIT = "wait"
    START = "start"
    SUBMIT = "submit"
    SAMPLE = "sample"
    GROW = "grow"
    MERGE = "merge"
    REMOVE = "remove"
    FINISH = "finish"
    FAIL = "fail"


class Action(NamedTuple):
    """One thing that a cycle decided to do, complete: performing it takes no further decision.

    kind         what it is
    task         the task that it moves
    text         one line for people
    records      written first, in one batch with those of all other actions
    submit       attempts to hand to their executor after that
    remove       attempts to end after that
    acknowledge  attempts that the executor may forget once the records are stored
    discard      addresses of files that the records have made superfluous
    alert        text to tell people, empty if none
    """

    kind: ActionKind
    task: TaskKey
    text: str
    records: tuple[Record, ...] = ()
    submit: tuple[JobRecord, ...] = ()
    remove: tuple[JobRecord, ...] = ()
    acknowledge: tuple[JobRecord, ...] = ()
    discard: tuple[str, ...] = ()
    alert: str = ""

    @property
    def is_effective(self) -> bool:
        """Whether performing it does anything; one that only repeats why a task waits does not."""
        return bool(self.records or self.submit or self.remove or self.acknowledge)


class Startable(NamedTuple):
    """A task that may start: what it reads and which parts it consists of, to be frozen.

    inputs      the files found, with size and events
    specs       one per part
    provenance  digest of the description of what makes this version
    is_growing  the run is still open: more parts may follow
    """

    inputs: tuple[InputRef, ...]
    specs: tuple[JobSpec, ...]
    provenance: str = ""
    is_growing: bool = False


class Impossible(NamedTuple):
    """A task that can never start as its workflow declares it, and why."""

    reason: str


if TYPE_CHECKING:
    Readiness = Wait | Startable | Impossible


class LateResult(NamedTuple):
    """The result of an attempt that had been given up as lost."""

    attempt: int
    exit_code: int | None


class ObservedJob(NamedTuple):
    """What the executor said about one attempt.

    handle   its name for the attempt, empty if it does not know the attempt
    report   how it stands, None if there was no answer
    result   what the wrapper wrote, None if nothing
    files    the result's files with their entries counted
    problem  why the result cannot be accepted, empty if it can
    log      address of the log
    late     the result of an earlier attempt, None if there is none
    """

    handle: str
    report: JobReport | None
    result: JobResult | None = None
    files: tuple[FileInfo, ...] = ()
    problem: str = ""
    log: str = ""
    late: LateResult | None = None


class Situation(NamedTuple):
    """All that planning may depend on.

    now               the time of this cycle
    tasks             the open tasks with their jobs
    readiness         by unit: the reason to wait or to fail, or what to start; for a growing task
                      the parts that it has now
    observed_jobs     what the executor said, by job
    paused            reason why nothing may be submitted, empty if it may
    policy            the workflow's limits
    merge             makes the merge's specification from the parts; None if parts are not merged
    is_resubmit_safe  by executor's address: submitting one tag twice starts it once
    friend_of         by output name: the input whose friend it is
    """

    now: datetime
    tasks: Sequence[OpenTask]
    readiness: Mapping[str, Readiness]
    observed_jobs: Mapping[JobKey, ObservedJob]
    paused: str = ""
    policy: Policy = Policy()
    merge: Callable[[TaskRecord, Sequence[JobRecord]], JobSpec | None] | None = None
    is_resubmit_safe: Mapping[str, bool] = {}
    friend_of: Mapping[str, str] = {}


def apply_records(tasks: Sequence[OpenTask], written: Sequence[Record]) -> list[OpenTask]:
    """Return the open tasks as they stand after ``written``, without asking the store."""
    records: dict[object, TaskRecord] = {task.task.key: task.task for task in tasks}
    jobs: dict[object, dict[JobKey, JobRecord]] = {
        task.task.key: {j.key: j for j in task.jobs} for task in tasks
    }
    for record in written:
        if isinstance(record, TaskRecord):
            records[record.key] = record
            jobs.setdefault(record.key, {})
        elif isinstance(record, JobRecord):
            jobs[record.key.task][record.key] = record
    return [
        OpenTask(record, tuple(jobs[key].values()))
        for key, record in records.items()
        if record.is_open
    ]
