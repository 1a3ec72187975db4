"""Which attempt of a task's jobs is meant, and how it ended."""

from __future__ import annotations

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.views import (
    AttemptChoice,
    choose_attempt,
    explain_missing_log,
    newest_attempts,
    spell_ending,
    spell_failure,
)
from tests.unit import given
from tests.unit.scene import scene_of_a_chain

KEY = given.job(JobStatus.RUNNING, 0).key.task


def chosen(choice: AttemptChoice) -> str:
    """Return the attempt that is meant of a task whose second version has three jobs."""
    first = given.job(JobStatus.FAILED, 0)
    second = [
        record._replace(key=record.key._replace(version=2))
        for record in (
            given.job(JobStatus.DONE, 0),
            given.job(JobStatus.FAILED, 1),
            given.job(JobStatus.RUNNING, 2),
        )
    ]
    known = newest_attempts([first, *second])
    return str(choose_attempt(KEY, known, choice))


def test_the_one_that_failed_in_the_newest_version_is_meant() -> None:
    """Unless a job, an attempt or a version is named."""
    assert chosen(AttemptChoice()).endswith("v2 job 1.1")
    assert chosen(AttemptChoice(job="2")).endswith("v2 job 2.1")
    assert chosen(AttemptChoice(version=1)).endswith("v1 job 0.1")
    assert chosen(AttemptChoice(job="0", attempt=1)).endswith("v2 job 0.1")


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (AttemptChoice(job="7"), r"has no such job; there are: 0\.1, 1\.1, 2\.1\."),
        (AttemptChoice(attempt=2), r"has no such job; there are: 0\.1, 1\.1, 2\.1\."),
        (AttemptChoice(1, "merge"), r"has no such job in version 1; there are: 0\.1\."),
        (AttemptChoice(9), "has no such job in version 9; there is: none."),
    ],
)
def test_an_attempt_that_is_not_there_is_refused(choice: AttemptChoice, text: str) -> None:
    """The sentence lists those that are."""
    with pytest.raises(UsageError, match=text):
        chosen(choice)


def test_a_task_without_jobs_has_no_attempt() -> None:
    """Nothing can be chosen of nothing."""
    with pytest.raises(UsageError, match="there is: none"):
        choose_attempt(KEY, [], AttemptChoice())


def test_an_ending_is_a_signal_or_a_code() -> None:
    """A signal says more than the code that the shell makes of it."""
    job = given.job(JobStatus.FAILED, 0, failure=Failure.NODE, reason="the node died")
    assert spell_ending(job._replace(signal=None, exit_code=None)) == ""
    assert spell_ending(job._replace(signal=None, exit_code=1)) == "1"
    assert spell_ending(job._replace(signal=9, exit_code=137)) == "signal 9"
    assert spell_failure(job) == "node: the node died"
    assert spell_failure(job._replace(failure=None)) == "the node died"


def test_a_job_that_no_executor_knows_has_no_log() -> None:
    """While it may still be taken in that is said differently from when it never was."""
    scene = scene_of_a_chain()
    key = scene.task(1, "reco", TaskStatus.PROCESSING)
    job = scene.job(key)
    assert "is not known to have taken it in yet" in explain_missing_log(job)
    lost = job.moved(JobStatus.LOST, scene.clock.now(), reason="it is gone")
    assert "never took it in. it is gone" in explain_missing_log(lost)
