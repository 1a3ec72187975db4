"""How long runs take, stage by stage, computed from histories that are known to the second."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.errors import UsageError
from autoctrl.model.job import JobRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.views import latency as module
from autoctrl.views.latency import (
    BORN,
    COLLECTED,
    END,
    ENDED,
    MOMENTS,
    RUNNING,
    SUBMITTED,
    WAIT,
    Trace,
    measure,
    quantile,
    read_latency,
    spell_span,
)
from tests.unit.given import NOW, job, later, run, task
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.model.task import TaskRecord


def born(at_s: float, **fields: Any) -> TaskRecord:
    return task(TaskStatus.NEW, time=later(at_s), **fields)


def moments(
    *records: TaskRecord | JobRecord, end_s: float | None = None, **attributes: Any
) -> dict[str, float]:
    """Return the moments of run 4521's task as seconds after ``NOW``."""
    trace = Trace([4521])
    for record in records:
        if isinstance(record, JobRecord):
            trace.take_job(record)
        else:
            trace.take_task(record)
    known = attributes if end_s is None else {"end": later(end_s)}
    found = trace.moments({4521: run(**known)})
    return {name: (time - NOW).total_seconds() for name, time in found.items()}


def sampled(status: JobStatus, at_s: float, index: int = 0, **fields: Any) -> JobRecord:
    return job(status, index, time=later(at_s), **fields)


WHOLE = (
    born(10),
    born(11, reason="waits for the pedestal"),
    born(20, reason="waits for the disk"),
    task(TaskStatus.PROCESSING, time=later(30)),
    sampled(JobStatus.SUBMITTING, 30),
    sampled(JobStatus.IDLE, 31),
    sampled(JobStatus.RUNNING, 45),
    sampled(JobStatus.DONE, 110, wall_s=60.0),
    task(TaskStatus.DONE, time=later(111)),
)


def test_each_moment_is_found() -> None:
    """The end of the run, birth, last wait, submission, start, end and result, in that order."""
    assert moments(*WHOLE, end_s=3) == {
        END: 3,
        BORN: 10,
        WAIT: 20,
        SUBMITTED: 31,
        RUNNING: 45,
        ENDED: 105,
        COLLECTED: 111,
    }


def test_kinds_of_records_may_come_in_any_order() -> None:
    """A store that gives all tasks first, then all jobs, says the same."""
    tasks = [record for record in WHOLE if not isinstance(record, JobRecord)]
    jobs = [record for record in WHOLE if isinstance(record, JobRecord)]
    assert moments(*tasks, *jobs) == moments(*WHOLE)


def test_a_start_that_was_sampled_late_is_put_right() -> None:
    """A job that took longer than it was seen to run began before it was seen."""
    found = moments(sampled(JobStatus.RUNNING, 90), sampled(JobStatus.DONE, 110, wall_s=60.0))
    assert (found[RUNNING], found[ENDED]) == (50, 110)


def test_a_node_says_when_a_job_began() -> None:
    """So queue and collecting are told apart, though a cycle has seen the job only at its end."""
    found = moments(
        sampled(JobStatus.IDLE, 31, asked=later(30)),
        sampled(JobStatus.DONE, 110, wall_s=10.0, asked=later(30), began=later(70)),
    )
    assert (found[SUBMITTED], found[RUNNING], found[ENDED]) == (31, 70, 80)


def test_a_call_is_submitted_when_it_begins() -> None:
    """A function is seen at its end alone; its time says when it began."""
    found = moments(
        born(0), sampled(JobStatus.SUBMITTING, 5), sampled(JobStatus.DONE, 30, wall_s=20)
    )
    assert found == {BORN: 0, WAIT: 0, SUBMITTED: 10, RUNNING: 10, ENDED: 30}


def test_a_job_that_failed_began_all_the_same() -> None:
    """Whether or not it was seen to run; one that was removed before it began did not."""
    failed = sampled(JobStatus.FAILED, 30, wall_s=4.0)
    assert moments(failed) == {SUBMITTED: 26, RUNNING: 26}
    assert moments(sampled(JobStatus.REMOVED, 30)) == {}


def test_a_job_that_does_not_say_how_long_it_took_ended_when_it_was_seen() -> None:
    """Without a wall time the sample counts."""
    assert moments(sampled(JobStatus.DONE, 30))[ENDED] == 30


def test_of_several_jobs_the_first_begins_and_the_last_ends() -> None:
    """Parts and merge are one span; a failed attempt's start counts, its end does not."""
    found = moments(
        sampled(JobStatus.IDLE, 5, 1),
        sampled(JobStatus.RUNNING, 9, 1),
        sampled(JobStatus.IDLE, 3, 0),
        sampled(JobStatus.RUNNING, 7, 0),
        sampled(JobStatus.FAILED, 12, 0, wall_s=4.0),
        sampled(JobStatus.RUNNING, 20, 0, attempt=2),
        sampled(JobStatus.DONE, 40, 1, wall_s=10.0),
        sampled(JobStatus.DONE, 33, 0, attempt=2, wall_s=10.0),
    )
    assert (found[SUBMITTED], found[RUNNING], found[ENDED]) == (3, 7, 30)


def test_what_happened_before_the_end_of_the_run_took_no_time_after_it() -> None:
    """A task of a run that was still open, or a clock that is ahead, makes no stage negative."""
    found = moments(*WHOLE, end_s=40)
    assert [found[name] for name in MOMENTS] == [40, 40, 40, 40, 45, 105, 111]


def test_later_versions_do_not_count() -> None:
    """What a person had done again says nothing of how long a run takes."""
    again = (
        born(1000, version=2, reason="better"),
        job(JobStatus.DONE, time=later(2000), key=job().key._replace(version=2)),
        task(TaskStatus.DONE, time=later(2001), version=2),
    )
    assert moments(*WHOLE, *again) == moments(*WHOLE)


def test_a_reason_after_the_beginning_is_no_wait() -> None:
    """A task that failed and was tried again waited before its first beginning only."""
    again = (task(TaskStatus.FAILED, time=later(50)), born(60, reason="tried again"))
    assert moments(*WHOLE, *again)[WAIT] == 20


@pytest.mark.parametrize("attributes", [{}, {"end": "yesterday"}])
def test_a_run_whose_end_is_not_known_has_none(attributes: dict[str, Any]) -> None:
    """Without the attribute, or with one that is no time, that stage is missing."""
    assert END not in moments(*WHOLE, **attributes)


def test_a_group_ends_with_its_last_run() -> None:
    """The end of a group is known once that of each of its runs is."""
    trace = Trace([1, 2])
    runs = {1: run(1, end=later(5)), 2: run(2, end=later(7))}
    assert trace.moments(runs) == {END: later(7)}
    assert trace.moments({1: runs[1]}) == {}
    assert trace.moments({1: runs[1], 2: run(2)}) == {}


def test_stages_are_measured_over_the_tasks_that_have_both_moments() -> None:
    """Median and 95 % of each; a stage that no task has is empty, and says so."""
    tasks: list[Mapping[str, datetime]] = [
        {END: NOW, BORN: later(number)} for number in range(1, 21)
    ]
    rows = {(row.begin, row.end): row for row in measure("reco", [*tasks, {BORN: NOW}])}
    first = rows[END, BORN]
    assert (first.workflow, first.tasks, first.median_s, first.p95_s) == ("reco", 20, 10.5, 19.0)
    last = rows[ENDED, COLLECTED]
    assert (last.tasks, last.median_s, last.p95_s) == (0, None, None)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_is_not_exceeded_by_its_share(values: list[float], share: float) -> None:
    """It is one of the values, at least that share is not above it, and none smaller will do."""
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert found in ordered
    needed = share * len(ordered)
    assert sum(value <= found for value in ordered) >= needed - 1e-9
    assert sum(value < found for value in ordered) <= max(0.0, needed)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.04, "0.0 s"), (59.94, "59.9 s"), (250.0, "4 min 10 s")]
)
def test_a_time_is_spelled(seconds: float | None, text: str) -> None:
    """Small ones with a tenth of a second, larger ones in their largest units."""
    assert spell_span(seconds) == text


def scene() -> Scene:
    """Return two runs whose tasks in reco are done, a minute apart, and one that waits in dq."""
    made = Scene()
    made.workflow("reco")
    made.workflow("dq", after=["reco"])
    for number in (1, 2):
        made.runs(number, end=made.clock.now())
        made.clock.advance(number)
        key = made.task(number, "reco")
        made.move(key, TaskStatus.PROCESSING)
        made.job(key, JobStatus.RUNNING, JobStatus.DONE, wall_s=0.0)
        made.clock.advance(10)
        made.move(key, TaskStatus.DONE)
        made.clock.advance(60)
    made.task(1, "dq", reason="waits")
    return made


@pytest.mark.parametrize("most", [0, 500])
def test_a_campaign_is_read(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workflows stand in the order of the chain, however many tasks there are."""
    monkeypatch.setattr(module, "MOST_ASKED", most)
    rows = read_latency(scene().store, "prompt")
    assert [row.workflow for row in rows[:: len(module.STAGES)]] == ["reco", "dq"]
    found = {(row.workflow, row.begin, row.end): row[3:] for row in rows}
    assert found["reco", END, BORN] == (2, 1.5, 2.0)
    assert found["reco", ENDED, COLLECTED] == pytest.approx((2, 10.0, 10.0), abs=1e-4)
    assert found["dq", BORN, WAIT] == (1, 0.0, 0.0)
    assert found["dq", WAIT, SUBMITTED] == (0, None, None)


def test_only_what_is_asked_for_is_read() -> None:
    """Some workflows, and tasks that were born since a time, though others moved since."""
    made = scene()
    since = made.clock.now() - timedelta(seconds=72)
    rows = read_latency(made.store, "prompt", ["reco"], since)
    assert {row.workflow for row in rows} == {"reco"}
    assert rows[0][3:] == (1, 2.0, 2.0)
    middle = made.clock.now() - timedelta(seconds=61)
    assert read_latency(made.store, "prompt", ["reco"], middle)[0].tasks == 0
    late = read_latency(made.store, "prompt", ["reco"], made.clock.now() + timedelta(days=1))
    assert [row.tasks for row in late] == [0] * len(module.STAGES)


def test_a_workflow_that_does_not_exist_is_refused() -> None:
    """The nearest is named."""
    with pytest.raises(UsageError, match="Did you mean 'reco'"):
        read_latency(scene().store, "prompt", ["recoo"])
