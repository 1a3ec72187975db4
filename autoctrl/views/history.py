"""What happened to one task: its steps, its attempts, and what made each version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.job import JobRecord, index_text
from autoctrl.model.output import FieldsRecord, OutputRecord
from autoctrl.model.task import TaskRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.actor import Actor
    from autoctrl.model.job import JobKey
    from autoctrl.model.status import TaskStatus
    from autoctrl.model.task import InputRef
    from autoctrl.ports import Hint, Record


class Step(NamedTuple):
    """One record of a task's history.

    time         when it was written
    kind         ``task``, ``job``, ``output`` or ``fields``
    version      version that it is about
    job          ``0.1``: index and attempt; empty unless it is about a job
    status       status then; of an output, of its copy; empty for fields
    reason       why
    actor        who caused it; None for outputs and fields
    sequence     number of the record within the task or job, 0 for outputs and fields
    epoch        epoch of the lease
    environment  the settings' environment
    text         name and place of an output, the values of fields
    """

    time: datetime
    kind: str
    version: int
    job: str
    status: str
    reason: str
    actor: Actor | None
    sequence: int
    epoch: int
    environment: str
    text: str = ""


def spell_hint(hint: Hint) -> str:
    """Return what a job said of itself in one line: its status, its values by name."""
    values = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in hint.values.items()
    ]
    return ", ".join([hint.status, *values] if hint.status else values)


class Attempt(NamedTuple):
    """One attempt of one job, as last known; units are in the names.

    began  when it was written down as to be submitted
    ended  when it was found final, None while it is not
    """

    version: int
    job: str
    role: str
    attempt: int
    status: str
    reason: str
    failure: str | None
    began: datetime
    ended: datetime | None
    not_before: datetime | None
    executor: str
    handle: str
    starts: int
    host: str
    exit_code: int | None
    signal: int | None
    wall_s: float | None
    cpu_s: float | None
    peak_memory_mb: float | None
    memory_mb: int
    time_limit_s: int
    events: tuple[int, int] | None
    argv: tuple[str, ...]
    log: str


class Made(NamedTuple):
    """What made one version.

    version     the version
    status      where it stands or stood last
    digest      digest of the description, empty if there is none
    inputs      what it reads
    jobs        the command line of each of its jobs, by job
    outputs     what it published
    fields      custom fields that it reported
    description the description: package, code, settings, handler, environment
    """

    version: int
    status: TaskStatus
    digest: str
    inputs: tuple[InputRef, ...]
    jobs: Mapping[str, tuple[str, ...]]
    outputs: tuple[OutputRecord, ...]
    fields: Mapping[str, float | str]
    description: Mapping[str, Any]


def steps(records: Iterable[Record]) -> list[Step]:
    """Return the whole history of a task, oldest first."""
    return [
        _step(record)
        for record in records
        if isinstance(record, TaskRecord | JobRecord | OutputRecord | FieldsRecord)
    ]


def _step(record: TaskRecord | JobRecord | OutputRecord | FieldsRecord) -> Step:
    if isinstance(record, OutputRecord):
        text = f"{record.name}: {record.url}"
        return Step(
            record.time, "output", record.version, "", record.state, "", None, 0, 0, "", text
        )
    if isinstance(record, FieldsRecord):
        text = ", ".join(f"{name} = {value}" for name, value in record.values.items())
        return Step(record.time, "fields", record.version, "", "", "", None, 0, 0, "", text)
    is_job = isinstance(record, JobRecord)
    return Step(
        time=record.time,
        kind="job" if is_job else "task",
        version=record.key.version if isinstance(record, JobRecord) else record.version,
        job=job_name(record) if isinstance(record, JobRecord) else "",
        status=record.status,
        reason=record.reason,
        actor=record.actor,
        sequence=record.sequence,
        epoch=record.epoch,
        environment=record.environment,
    )


def job_name(job: JobRecord) -> str:
    """Return index and attempt: ``0.1``, ``merge.2``."""
    return f"{index_text(job.key.index)}.{job.attempt}"


def newest_attempts(records: Iterable[Record]) -> list[JobRecord]:
    """Return the newest record of every attempt of every version, in order; merges come last."""
    newest: dict[tuple[JobKey, int], JobRecord] = {}
    for record in records:
        if isinstance(record, JobRecord):
            newest[record.key, record.attempt] = record
    return sorted(
        newest.values(),
        key=lambda job: (job.key.version, job.key.index < 0, job.key.index, job.attempt),
    )


def attempts(records: Sequence[Record]) -> list[Attempt]:
    """Return every attempt of every version, as last known."""
    began: dict[tuple[JobKey, int], datetime] = {}
    for record in records:
        if isinstance(record, JobRecord):
            began.setdefault((record.key, record.attempt), record.time)
    return [_attempt(job, began[job.key, job.attempt]) for job in newest_attempts(records)]


def _attempt(job: JobRecord, began: datetime) -> Attempt:
    return Attempt(
        version=job.key.version,
        job=index_text(job.key.index),
        role=job.role,
        attempt=job.attempt,
        status=job.status,
        reason=job.reason,
        failure=job.failure,
        began=began,
        ended=job.time if job.is_final else None,
        not_before=job.not_before,
        executor=job.spec.executor,
        handle=job.handle,
        starts=job.starts,
        host=job.host,
        exit_code=job.exit_code,
        signal=job.signal,
        wall_s=job.wall_s,
        cpu_s=job.cpu_s,
        peak_memory_mb=job.peak_memory_mb,
        memory_mb=job.spec.memory_mb,
        time_limit_s=job.spec.time_limit_s,
        events=job.spec.events,
        argv=job.spec.argv,
        log=job.log,
    )


def made(records: Sequence[Record], describe: Callable[[str], Mapping[str, Any]]) -> list[Made]:
    """Return what made each version that has started, oldest first; ``describe`` returns the body
    behind a digest.
    """
    newest = {record.version: record for record in records if isinstance(record, TaskRecord)}
    jobs: dict[int, dict[str, tuple[str, ...]]] = {}
    for job in newest_attempts(records):
        jobs.setdefault(job.key.version, {})[job_name(job)] = job.spec.argv
    outputs = [record for record in records if isinstance(record, OutputRecord)]
    fields = {
        record.version: record.values for record in records if isinstance(record, FieldsRecord)
    }
    return [
        Made(
            version=version,
            status=task.status,
            digest=task.provenance,
            inputs=task.inputs,
            jobs=jobs.get(version, {}),
            outputs=tuple(output for output in outputs if output.version == version),
            fields=fields.get(version, {}),
            description=describe(task.provenance) if task.provenance else {},
        )
        for version, task in sorted(newest.items())
        if task.provenance
        or version in jobs
        or any(output.version == version for output in outputs)
    ]
