"""The transition tables."""

from __future__ import annotations

import pytest

from autoctrl.errors import TransitionRefused
from autoctrl.model.status import (
    FINAL_JOBS,
    TASK_TRANSITIONS,
    JobStatus,
    TaskStatus,
    check_job,
    check_task,
)

PERMITTED = {
    ("new", "processing"),
    ("new", "skipped"),
    ("processing", "done"),
    ("processing", "failed"),
    ("done", "new"),
    ("failed", "new"),
    ("failed", "skipped"),
    ("skipped", "new"),
}


@pytest.mark.parametrize("before", TaskStatus)
@pytest.mark.parametrize("after", TaskStatus)
def test_a_task_makes_exactly_the_transitions_of_the_table(
    before: TaskStatus, after: TaskStatus
) -> None:
    """Eight transitions are permitted, the same status again is none, and everything else is
    refused.
    """
    if before == after or (before, after) in PERMITTED:
        check_task("it", before, after)
    else:
        with pytest.raises(TransitionRefused):
            check_task("it", before, after)


def test_every_status_is_in_the_table() -> None:
    """No task can reach a status that it could never be asked about."""
    assert set(TASK_TRANSITIONS) == set(TaskStatus)


def test_a_refusal_says_what_would_be_permitted() -> None:
    """The sentence names the task, where it stands, where it cannot go, and where it can."""
    with pytest.raises(TransitionRefused) as caught:
        check_task("run 4521 / friends", TaskStatus.NEW, TaskStatus.DONE)
    assert (
        str(caught.value) == "run 4521 / friends is new; it cannot become done: "
        "it has not begun; a cycle begins it, skip takes it out."
    )


@pytest.mark.parametrize("before", JobStatus)
@pytest.mark.parametrize("after", JobStatus)
def test_only_a_final_job_refuses_to_move(before: JobStatus, after: JobStatus) -> None:
    """Jobs are sampled: any status follows any that is not final, and a final one never changes."""
    if before in FINAL_JOBS and before != after:
        with pytest.raises(TransitionRefused, match="which is final"):
            check_job("job", before, after)
    else:
        check_job("job", before, after)


def test_four_ends_of_a_job_are_final() -> None:
    """done, failed, lost and removed are final, and nothing else is."""
    assert {"done", "failed", "lost", "removed"} == FINAL_JOBS
