"""The attempts of a task's jobs, which of them is meant, and how each ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.job import JobRecord, index_text
from autoctrl.model.status import JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from autoctrl.model.job import JobKey
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Hint, Record

BROKEN = frozenset({JobStatus.FAILED, JobStatus.LOST})


class Attempt(NamedTuple):
    """One attempt of one job, as last known; units are in the names.

    began  when it began on its node; when it was written down as to be submitted while, or where,
           no node has said that
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


class AttemptChoice(NamedTuple):
    """Which attempt a person means; what is None is not restricted.

    version  the task's version, by default the newest that has jobs
    job      index of the job, or ``merge``
    attempt  number of the attempt
    """

    version: int | None = None
    job: str | None = None
    attempt: int | None = None


def choose_attempt(key: TaskKey, known: Sequence[JobRecord], choice: AttemptChoice) -> JobRecord:
    """Return the attempt that is meant: the newest of those that failed, else the newest.

    ``known`` are the newest records of all attempts of a task. Raises ``UsageError`` if there is
    no such attempt.
    """
    there = _attempts_of_version(known, choice.version)
    meant = [job for job in there if _is_meant(job, choice)]
    if not meant:
        raise _no_attempt(key, there, choice.version)
    broken = [job for job in meant if job.status in BROKEN]
    return max(broken or meant, key=lambda job: (job.attempt, job.time))


def _attempts_of_version(known: Sequence[JobRecord], version: int | None) -> list[JobRecord]:
    """Return the attempts of a version, by default of the newest that has jobs."""
    newest = max((job.key.version for job in known), default=0)
    wanted = newest if version is None else version
    return [job for job in known if job.key.version == wanted]


def _no_attempt(key: TaskKey, there: Sequence[JobRecord], version: int | None) -> UsageError:
    where = "" if version is None else f" in version {version}"
    names = ", ".join(job_name(job) for job in there) or "none"
    message = f"{key} has no such job{where}; there {'are' if there else 'is'}: {names}."
    return UsageError(message, hint="See: autoctrl jobs RUN WORKFLOW")


def _is_meant(job: JobRecord, choice: AttemptChoice) -> bool:
    is_job = choice.job is None or choice.job == index_text(job.key.index)
    return is_job and choice.attempt in {None, job.attempt}


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


def list_attempts(records: Sequence[Record]) -> list[Attempt]:
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
        began=job.ran.begin if job.ran is not None and job.began is not None else began,
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


def spell_ending(job: Attempt | JobRecord) -> str:
    """Return how an attempt's process ended: ``signal 9``, ``1``, empty while that is not known."""
    if job.signal is not None:
        return f"signal {job.signal}"
    return "" if job.exit_code is None else str(job.exit_code)


def spell_failure(job: Attempt | JobRecord) -> str:
    """Return why an attempt stands where it stands, the kind of its failure first."""
    return f"{job.failure}: {job.reason}" if job.failure else job.reason


def attempt_values(job: JobRecord) -> dict[str, Any]:
    """Return which attempt a log is of, for JSON."""
    return {
        "version": job.key.version,
        "job": index_text(job.key.index),
        "attempt": job.attempt,
        "status": job.status,
        "host": job.host,
        "address": job.log,
    }


def explain_missing_log(job: JobRecord) -> str:
    """Say why there is no log of a job that no executor has answered for."""
    what = "never took it in" if job.is_final else "is not known to have taken it in yet"
    return f"There is no log: executor {job.spec.executor} {what}. {job.reason}".strip()


def spell_hint(hint: Hint) -> str:
    """Return what a job said of itself in one line: its status, its values by name."""
    values = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in hint.values.items()
    ]
    return ", ".join([hint.status, *values] if hint.status else values)
