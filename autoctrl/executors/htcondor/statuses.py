"""What HTCondor says of a job → a report: one table, pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import JobReport

if TYPE_CHECKING:
    from collections.abc import Mapping

IDLE, RUNNING, REMOVED, COMPLETED, HELD, TRANSFERRING, SUSPENDED = range(1, 8)
SPOOLING = 16
OUR_MEMORY = 9301  # subcode of the template's own periodic_hold

STATUSES: Mapping[int, JobStatus] = {
    IDLE: JobStatus.IDLE,
    RUNNING: JobStatus.RUNNING,
    REMOVED: JobStatus.REMOVING,
    HELD: JobStatus.HELD,
    TRANSFERRING: JobStatus.RUNNING,
    SUSPENDED: JobStatus.RUNNING,
}
# Why HTCondor holds a job (HoldReasonCode) → class of failure. A code that is not here is HELD.
HOLDS: Mapping[int, Failure] = {
    4: Failure.NODE,  # its credential is corrupt
    6: Failure.NODE,  # the node could not start it
    7: Failure.NODE,  # the node could not open its stdout, stderr, stdin, …
    8: Failure.NODE,
    9: Failure.NODE,
    10: Failure.NODE,
    11: Failure.NODE,  # no acknowledgement of a transfer
    12: Failure.NODE,  # its outputs could not be transferred
    13: Failure.NODE,  # its inputs could not be transferred
    14: Failure.NODE,  # no access to its folder
    17: Failure.NODE,  # no fitting shadow
    18: Failure.NODE,  # a transfer was not allowed to go ahead
    19: Failure.NODE,  # the node's own preparation failed
    22: Failure.NODE,  # its log cannot be written
    23: Failure.NODE,  # no access to its account
    24: Failure.NODE,
    34: Failure.MEMORY,  # out of resources
    45: Failure.NODE,  # the node's test of its container failed
    46: Failure.TIME,  # allowed_job_duration
    47: Failure.TIME,  # allowed_execute_duration
    48: Failure.NODE,
}
# Policies of a pool or a template say in words what was exceeded.
POLICIES = {3, 21, 26}
WORDS: Mapping[Failure, re.Pattern[str]] = {
    Failure.MEMORY: re.compile(r"\b(memory|rss|resident)|out of mem|\boom\b", re.IGNORECASE),
    Failure.TIME: re.compile(
        r"wall.?(time|clock)|run.?time|\bduration|time.?limit|too long|longer than", re.IGNORECASE
    ),
}


class JobSample(NamedTuple):
    """What one question to HTCondor said of one job.

    status   HTCondor's JobStatus, a number
    starts   how often it was started
    host     where it runs or ran last
    code     HoldReasonCode, 0 if it is not held
    subcode  HoldReasonSubCode
    reason   why it is held or was removed
    """

    status: int
    starts: int = 0
    host: str = ""
    code: int = 0
    subcode: int = 0
    reason: str = ""


NOT_STARTED = JobReport(JobStatus.IDLE)


@lru_cache(maxsize=4096)
def report_sample(sample: JobSample) -> JobReport:
    """Return the report of a job in the queue that has not completed; equal samples share one."""
    if sample.status == HELD and sample.code == SPOOLING:
        return NOT_STARTED
    status = STATUSES.get(sample.status, JobStatus.RUNNING)
    failure = (
        classify_hold(sample.code, sample.subcode, sample.reason)
        if status is JobStatus.HELD
        else None
    )
    reason = sample.reason if status in {JobStatus.HELD, JobStatus.REMOVING} else ""
    return JobReport(status, reason, failure, sample.starts, sample.host)


def classify_hold(code: int, subcode: int, reason: str) -> Failure:
    """Return the class of failure that a hold means."""
    if code == 3 and subcode == OUR_MEMORY:  # noqa: PLR2004 - a job's own periodic_hold
        return Failure.MEMORY
    if code in POLICIES:
        return next(
            (failure for failure, words in WORDS.items() if words.search(reason)), Failure.HELD
        )
    return HOLDS.get(code, Failure.HELD)


def report_left(sample: JobSample) -> JobReport | None:
    """Return the report of a job that only the history knows, None if it ended by itself."""
    if sample.status == COMPLETED:
        return None
    reason = sample.reason or "removed from the queue"
    return JobReport(JobStatus.REMOVED, reason, Failure.REMOVED, sample.starts, sample.host)


def report_lost(reason: str) -> JobReport:
    """Return the report of a job that nothing is known of any more."""
    return JobReport(JobStatus.LOST, reason, Failure.NODE)
