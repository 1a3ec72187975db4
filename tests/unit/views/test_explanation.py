"""How a task stands and why, in sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.model.actor import Actor
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.views import Explanation, Spelling, explain, spell_explanation, spell_reason
from tests.unit import given
from tests.unit.scene import Scene

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


def test_a_task_in_processing_says_how_its_jobs_stand() -> None:
    """The newest attempt of each job of the newest version counts, and a pause before the next
    attempt is explained.
    """
    scene = Scene()
    scene.runs(4521)
    scene.workflow("reco")
    scene.task(4521, status=TaskStatus.PROCESSING)
    assert explain(scene.store, "prompt", "4521", "reco").notes == ()
    broken = given.job(JobStatus.FAILED, 2, failure=Failure.NODE, reason="the node died")
    reason = "attempt 1 failed (node): the node died"
    later = broken.time + timedelta(minutes=1)
    again = broken.again(broken.time, broken.spec, 2, not_before=later, reason=reason)
    done, running = given.job(JobStatus.DONE, 0), given.job(JobStatus.RUNNING, 1)
    scene.store.append([done, running, broken, again])
    assert explain(scene.store, "prompt", "4521", "reco").notes == (
        "its jobs: 1 submitting, 1 running, 1 done",
        f"job 2.2 will be submitted after a pause: {reason}",
    )


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SEEN = Explanation("prompt", "reco", "7", (7,), NEW, 1, since=NOON)


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (SEEN._replace(reason="too young"), "too young"),
        (SEEN, "nothing is known to hold it; the next cycle takes it"),
        (SEEN._replace(status=PROCESSING), "its jobs are at work"),
        (SEEN._replace(status=DONE), "nothing is left to do"),
        (
            SEEN._replace(status=DONE, stale=True),
            "what it read has been made again since; reprocess takes the newer version",
        ),
        (SEEN._replace(status=SKIPPED), "no reason was given"),
    ],
)
def test_a_task_without_a_reason_still_has_a_word(seen: Explanation, text: str) -> None:
    """What there is to say follows from where it stands."""
    assert spell_reason(seen) == text


def test_an_explanation_is_a_sentence_and_its_facts() -> None:
    """What is not known takes no line."""
    assert spell_explanation(SEEN, Spelling("UTC")) == [
        "run 7 / reco has been new since 2026-11-20 12:00:00 UTC (version 1).",
        "why: nothing is known to hold it",
        "last record: written",
    ]
    full = Explanation(
        campaign="again",
        workflow="sums",
        unit="fill:7",
        runs=(1, 2, 3),
        status=DONE,
        version=2,
        reason="alarm: dark",
        until=NOON,
        since=NOON,
        actor=Actor("anna", "web"),
        stale=True,
        quality="alarm",
        notes=("it is late",),
        log="/log",
        inherited_from="prompt",
    )
    assert spell_explanation(full, Spelling("UTC")) == [
        "fill 7 / sums has been done since 2026-11-20 12:00:00 UTC (version 2, stale, alarm).",
        "why: alarm: dark (until 2026-11-20 12:00:00 UTC)",
        "last record: written by anna (web)",
        "runs: 1-3",
        "kept in: campaign prompt",
        "log: /log",
        "note: it is late",
    ]


def test_a_task_that_does_not_exist_is_one_sentence() -> None:
    """The reason is in it."""
    seen = Explanation("prompt", "reco", "9", (), reason="the run is not registered")
    assert spell_explanation(seen, Spelling("UTC")) == [
        "run 9 / reco has no task: the run is not registered."
    ]
