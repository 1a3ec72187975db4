"""What HTCondor's words and numbers mean here."""

from __future__ import annotations

import pytest

from autoctrl.executors.htcondor.finding import split_by_age
from autoctrl.executors.htcondor.job_queue import JobId, TaggedJob
from autoctrl.executors.htcondor.statuses import (
    HOLDS,
    OUR_MEMORY,
    JobSample,
    classify_hold,
    report_left,
    report_lost,
    report_sample,
)
from autoctrl.model.status import Failure, JobStatus


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (1, JobStatus.IDLE),
        (2, JobStatus.RUNNING),
        (3, JobStatus.REMOVING),
        (5, JobStatus.HELD),
        (6, JobStatus.RUNNING),
        (7, JobStatus.RUNNING),
        (99, JobStatus.RUNNING),
    ],
)
def test_each_status_has_its_report(status: int, expected: JobStatus) -> None:
    """A job in the queue is idle, running, held or being removed; what is suspended or brought back
    still runs.
    """
    report = report_sample(JobSample(status, 2, "node7", 0, 0, "because"))
    assert (report.status, report.starts, report.host) == (expected, 2, "node7")
    assert report.reason == ("because" if expected in {JobStatus.HELD, JobStatus.REMOVING} else "")


@pytest.mark.parametrize(
    ("code", "subcode", "reason", "failure"),
    [
        (1, 0, "via condor_hold (by user alice)", Failure.HELD),
        (3, OUR_MEMORY, "used 90", Failure.MEMORY),
        (3, 0, "The job attribute PeriodicHold expression evaluated to TRUE", Failure.HELD),
        (26, 0, "memory usage exceeded request_memory", Failure.MEMORY),
        (21, 102, "Resident set size is too large", Failure.MEMORY),
        (26, 0, "wall time exceeded", Failure.TIME),
        (6, 0, "Failed to execute", Failure.NODE),
        (12, 2, "Transfer output files failure", Failure.NODE),
        (13, 2, "Transfer input files failure", Failure.NODE),
        (34, 0, "Error from slot1_1: Docker job has gone over memory limit", Failure.MEMORY),
        (46, 0, "The job exceeded allowed job duration", Failure.TIME),
        (47, 0, "The job exceeded allowed execute duration", Failure.TIME),
        (35, 0, "Invalid docker image", Failure.HELD),
        (4711, 0, "of a later version", Failure.HELD),
    ],
)
def test_each_hold_has_its_class(code: int, subcode: int, reason: str, failure: Failure) -> None:
    """A hold is classed by its code, a policy's by its words; HTCondor's own words are the
    reason.
    """
    assert classify_hold(code, subcode, reason) is failure
    report = report_sample(JobSample(5, 1, "n", code, subcode, reason))
    assert (report.status, report.failure, report.reason) == (JobStatus.HELD, failure, reason)


def test_a_job_whose_files_are_taken_in_is_idle() -> None:
    """HTCondor calls a job held while it takes its files in; it only waits."""
    assert (
        report_sample(JobSample(5, 0, "", 16, 3, "Spooling input data files")).status
        is JobStatus.IDLE
    )
    assert 16 not in HOLDS


def test_equal_jobs_share_one_report() -> None:
    """Reports of equal samples are one object, so many jobs cost little."""
    assert report_sample(JobSample(2, 1, "n1")) is report_sample(JobSample(2, 1, "n1"))


def test_what_left_the_queue_was_removed_or_ended() -> None:
    """A job that only the history knows was removed, with the reason, or ended by itself."""
    report = report_left(JobSample(3, 1, "n", 0, 0, "via condor_rm (by user alice)"))
    assert report is not None
    assert (report.status, report.failure, report.reason) == (
        JobStatus.REMOVED,
        Failure.REMOVED,
        "via condor_rm (by user alice)",
    )
    assert report_left(JobSample(3)) is not None
    assert report_left(JobSample(4)) is None
    assert (report_lost("gone").status, report_lost("gone").failure) == (
        JobStatus.LOST,
        Failure.NODE,
    )


def test_the_older_of_two_jobs_stays() -> None:
    """Of several living jobs of one tag the oldest stays; one that is being removed counts only if
    it is alone.
    """
    first = TaggedJob("t", JobId(12, 0), 1, "b1", -1)
    second = TaggedJob("t", JobId(13, 5), 2, "b2", -1)
    going = TaggedJob("t", JobId(11, 0), 3, "b0", -1)
    alone = TaggedJob("u", JobId(11, 1), 3, "b0", -1)
    assert split_by_age([second, first]) == ({"t": first}, [second.id])
    assert split_by_age([going, second, alone]) == ({"t": second, "u": alone}, [])
