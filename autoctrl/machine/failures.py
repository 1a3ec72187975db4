"""Why a job failed and what follows: the classes of failure, as one table."""

from __future__ import annotations

import zlib
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.status import Failure, JobStatus

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime

    from autoctrl.model.job import JobRecord, JobSpec
    from autoctrl.ports import JobReport, JobResult

GROWTH = 1.5
MEMORY_STEP_MB = 128
MOST_DOUBLINGS = 60
MOST_AVOIDED = 3


class Consequence(NamedTuple):
    """What follows a failure of one class.

    is_repeated  it is tried again by itself
    is_once      but only once within a budget
    counts       the attempt counts against the budget
    grows        what the next attempt asks for: more ``memory``, more ``time``, another ``host``,
                 or nothing
    """

    is_repeated: bool
    is_once: bool
    counts: bool
    grows: str


RULES: Mapping[Failure, Consequence] = {
    Failure.MEMORY: Consequence(is_repeated=True, is_once=False, counts=True, grows="memory"),
    Failure.TIME: Consequence(is_repeated=True, is_once=True, counts=True, grows="time"),
    Failure.NODE: Consequence(is_repeated=True, is_once=False, counts=True, grows="host"),
    Failure.HELD: Consequence(is_repeated=True, is_once=True, counts=True, grows=""),
    Failure.SERVICE: Consequence(is_repeated=True, is_once=False, counts=False, grows=""),
    Failure.REMOVED: Consequence(is_repeated=False, is_once=False, counts=False, grows=""),
    Failure.USER: Consequence(is_repeated=False, is_once=False, counts=True, grows=""),
    Failure.OUTPUT: Consequence(is_repeated=False, is_once=False, counts=True, grows=""),
}


class Policy(NamedTuple):
    """A workflow's limits.

    attempts          attempts that may count within one budget
    back_off_s        delay before the second attempt; doubled for each further one
    max_back_off_s    longest delay
    max_memory_mb     cap on grown memory
    retry_exit_codes  exit codes of user code that are tried again
    submit_limit_s    time after which an unanswered submission may be repeated
    """

    attempts: int = 3
    back_off_s: float = 30.0
    max_back_off_s: float = 3600.0
    max_memory_mb: int = 16000
    retry_exit_codes: frozenset[int] = frozenset()
    submit_limit_s: float = 60.0


class Diagnosis(NamedTuple):
    """Why a finished attempt counts as failed.

    failure  the class
    reason   a sentence, or a few words
    """

    failure: Failure
    reason: str


def classify(report: JobReport, result: JobResult | None, problem: str) -> Diagnosis | None:
    """Return class and reason of a finished attempt's failure, None if it succeeded.

    An exit code alone is never trusted: without a result, or with an output that ``problem``
    complains of, the attempt failed.
    """
    if report.status is JobStatus.LOST:
        return _believe(report, Failure.NODE, "the job vanished without a result")
    if report.status is JobStatus.REMOVED:
        return _believe(report, Failure.REMOVED, "the job was removed")
    if report.failure is not None:
        return _believe(report, report.failure, str(report.failure))
    if result is None:
        return _believe(report, Failure.NODE, "the job ended without a result")
    return _judge(result, problem)


def _believe(report: JobReport, failure: Failure, reason: str) -> Diagnosis:
    """Return what the executor says of a failure; where it says nothing, what is given."""
    return Diagnosis(report.failure or failure, report.reason or reason)


def _judge(result: JobResult, problem: str) -> Diagnosis | None:
    if result.failure is not None:
        return Diagnosis(result.failure, result.reason)
    if result.exit_code != 0:
        how = (
            f"signal {result.signal}"
            if result.signal is not None
            else f"exit code {result.exit_code}"
        )
        return Diagnosis(Failure.USER, result.reason or how)
    return Diagnosis(Failure.OUTPUT, problem) if problem else None


def is_repeated(job: JobRecord, policy: Policy, exit_codes: Container[int]) -> bool:
    """Say whether a failed attempt is followed by another without anybody asking."""
    if job.failure is None:
        return False
    rule = RULES[job.failure]
    wanted = rule.is_repeated or (job.failure is Failure.USER and job.exit_code in exit_codes)
    if not wanted or (rule.is_once and job.failure in job.spent):
        return False
    return not rule.counts or job.used < policy.attempts


def next_attempt(job: JobRecord, policy: Policy, now: datetime) -> JobRecord:
    """Return the intent of the attempt that follows a failed one: later, with more of what was
    lacking.

    A failure that is tried again only once is noted in ``spent``.
    """
    rule = RULES[job.failure] if job.failure is not None else RULES[Failure.NODE]
    spent = (*job.spent, job.failure) if rule.is_once and job.failure is not None else job.spent
    return job.again(
        now,
        grow_spec(job, rule, policy),
        used=job.used + rule.counts,
        not_before=now + delay(job, policy),
        reason=f"attempt {job.attempt} failed ({job.failure}): {job.reason}",
        spent=spent,
        late=job.late,
    )


def grow_spec(job: JobRecord, rule: Consequence, policy: Policy) -> JobSpec:
    """Return the job's specification with more memory or time or another host, where the failure
    asks for it.

    Memory grows to 1.5 times the larger of asked and measured, rounded up to 128 MB and capped;
    time by half. The last few hosts on which it was lost are avoided.
    """
    spec = job.spec
    if rule.grows == "memory":
        wanted = GROWTH * max(spec.memory_mb, job.peak_memory_mb or 0)
        rounded = ceil(wanted / MEMORY_STEP_MB) * MEMORY_STEP_MB
        return spec._replace(memory_mb=max(spec.memory_mb, min(rounded, policy.max_memory_mb)))
    if rule.grows == "time":
        return spec._replace(time_limit_s=ceil(GROWTH * spec.time_limit_s))
    if rule.grows == "host" and job.host:
        return spec._replace(avoid=tuple(dict.fromkeys((*spec.avoid, job.host)))[-MOST_AVOIDED:])
    return spec


def delay(job: JobRecord, policy: Policy) -> timedelta:
    """Return how long to wait before the next attempt: doubled each time, ± 25 % by a hash of the
    attempt's name.
    """
    base = min(policy.back_off_s * 2.0 ** min(job.used - 1, MOST_DOUBLINGS), policy.max_back_off_s)
    jitter = 0.75 + 0.5 * (zlib.crc32(str(job).encode()) / 2**32)
    return timedelta(seconds=base * jitter)
