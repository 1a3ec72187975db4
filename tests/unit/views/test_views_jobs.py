"""What ``why`` says of the jobs of a task that is processing."""

from __future__ import annotations

from datetime import timedelta

from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.views import why
from tests.unit import given
from tests.unit.scene import Scene


def test_a_task_in_processing_says_how_its_jobs_stand() -> None:
    """The newest attempt of each job of the newest version counts, and a pause before the next
    attempt is explained.
    """
    scene = Scene()
    scene.runs(4521)
    scene.workflow("reco")
    scene.task(4521, status=TaskStatus.PROCESSING)
    assert why(scene.store, "prompt", "4521", "reco").notes == ()
    broken = given.job(JobStatus.FAILED, 2, failure=Failure.NODE, reason="the node died")
    reason = "attempt 1 failed (node): the node died"
    later = broken.time + timedelta(minutes=1)
    again = broken.again(broken.time, broken.spec, 2, not_before=later, reason=reason)
    done, running = given.job(JobStatus.DONE, 0), given.job(JobStatus.RUNNING, 1)
    scene.store.append([done, running, broken, again])
    assert why(scene.store, "prompt", "4521", "reco").notes == (
        "its jobs: 1 submitting, 1 running, 1 done",
        f"job 2.2 is submitted after a pause: {reason}",
    )
