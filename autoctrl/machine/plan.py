"""The decision of a cycle: a pure function of what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.locks.lock import Wait
from autoctrl.machine.finish import fail_for, fail_task, finish_task
from autoctrl.machine.plan_jobs import plan_job
from autoctrl.machine.situation import Action, ActionKind, Impossible, Startable
from autoctrl.model.job import MERGE_INDEX, JobKey, JobRecord
from autoctrl.model.status import JobStatus, Role, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autoctrl.machine.situation import Situation
    from autoctrl.model.job import JobSpec
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import OpenTask


def plan(situation: Situation) -> list[Action]:
    """Return what to do, task by task, in the order of the tasks."""
    return [action for task in situation.tasks for action in plan_task(task, situation)]


def plan_task(task: OpenTask, situation: Situation) -> Iterator[Action]:
    """Decide about one task."""
    if task.task.status is TaskStatus.NEW:
        return _plan_new(task, situation)
    return _plan_processing(task, situation)


def _plan_new(task: OpenTask, situation: Situation) -> Iterator[Action]:
    answer = situation.readiness.get(task.task.key.unit)
    if situation.paused:
        yield _keep_waiting(task.task, Wait(situation.paused), situation)
    elif isinstance(answer, Startable):
        yield _start(task, answer, situation)
    elif isinstance(answer, Impossible):
        yield _refuse(task.task, answer.reason, situation)
    elif answer is not None:
        yield _keep_waiting(task.task, answer, situation)


def _keep_waiting(record: TaskRecord, wait: Wait, situation: Situation) -> Action:
    """Say why a task waits; that is written down only when the reason has changed."""
    if record.reason == wait.reason:
        return Action(ActionKind.WAIT, record.key, wait.reason)
    after = record.moved(TaskStatus.NEW, situation.now, reason=wait.reason, until=wait.until)
    return Action(ActionKind.WAIT, record.key, wait.reason, records=(after,))


def _refuse(record: TaskRecord, reason: str, situation: Situation) -> Action:
    """Fail a version that can never start, by way of the status in which it would have run."""
    begun = record.moved(TaskStatus.PROCESSING, situation.now, stopping=False)
    action = fail_for(begun, reason, situation.now)
    return action._replace(records=(begun, *action.records))


def _start(task: OpenTask, ready: Startable, situation: Situation) -> Action:
    """Freeze what the version reads, and submit every part that is not done yet."""
    record = task.task.moved(
        TaskStatus.PROCESSING,
        situation.now,
        inputs=ready.inputs,
        provenance=ready.provenance,
        is_growing=ready.is_growing,
        stopping=False,
    )
    done = {job.key.index for job in task.jobs if job.status is JobStatus.DONE}
    jobs = _submit_parts(record, ready, task.jobs, done, situation)
    text = f"start {len(jobs)} jobs" if len(jobs) != 1 else "start 1 job"
    return Action(ActionKind.START, record.key, text, records=(record, *jobs), submit=jobs)


def _submit_parts(
    record: TaskRecord,
    ready: Startable,
    known: Sequence[JobRecord],
    settled: set[int],
    situation: Situation,
) -> tuple[JobRecord, ...]:
    """Return the intents of all parts that are not settled; a part that is known is tried again."""
    earlier = {job.key.index: job for job in known}
    return tuple(
        _submit_again(record, earlier[index], spec, situation)
        if index in earlier
        else _submit_first(record, index, Role.PART, spec, situation)
        for index, spec in enumerate(ready.specs)
        if index not in settled
    )


def _submit_first(
    record: TaskRecord, index: int, role: Role, spec: JobSpec, situation: Situation
) -> JobRecord:
    """Return the intent of the first attempt of a job."""
    return JobRecord(
        key=JobKey(record.key, record.version, index),
        role=role,
        attempt=1,
        status=JobStatus.SUBMITTING,
        time=max(situation.now, record.time),
        spec=spec,
        asked=situation.now,
    )


def _submit_again(
    record: TaskRecord, earlier: JobRecord, spec: JobSpec, situation: Situation
) -> JobRecord:
    """Return the intent of a further attempt within a new budget.

    Memory that an attempt was given because it lacked it is kept when a person tries again.
    """
    granted_mb = min(earlier.spec.memory_mb, situation.policy.max_memory_mb)
    spec = spec._replace(memory_mb=max(spec.memory_mb, granted_mb))
    now = max(situation.now, record.time)
    return earlier.again(now, spec, used=1, asked=situation.now, late=earlier.late)


def _plan_processing(task: OpenTask, situation: Situation) -> Iterator[Action]:
    jobs: list[JobRecord] = []
    for job in task.jobs:
        step = plan_job(task.task, job, situation)
        jobs.append(step.job)
        yield from step.actions
    if all(job.is_final for job in jobs):
        yield from _conclude(task.task, jobs, situation)
    elif not task.task.stopping:
        yield from _grow(task.task, jobs, situation)


def _grow(record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation) -> Iterator[Action]:
    """Submit the parts that have been added since, and learn whether more may follow."""
    ready = situation.readiness.get(record.key.unit)
    if not record.is_growing or not isinstance(ready, Startable) or situation.paused:
        return
    present = {job.key.index for job in _current_jobs(record, jobs) if job.role is Role.PART}
    is_complete = present.issuperset(range(len(ready.specs)))
    if is_complete and ready.is_growing:
        return
    after = record.moved(
        TaskStatus.PROCESSING, situation.now, inputs=ready.inputs, is_growing=ready.is_growing
    )
    fresh = _submit_parts(after, ready, jobs, present, situation)
    text = f"{len(fresh)} more jobs"
    yield Action(ActionKind.GROW, record.key, text, records=(after, *fresh), submit=fresh)


def _conclude(
    record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation
) -> Iterator[Action]:
    """Finish a task none of whose jobs is alive, merge it, let it grow, or fail it."""
    current = _current_jobs(record, jobs)
    bad = [job for job in current if job.status is not JobStatus.DONE]
    if record.stopping or bad:
        yield fail_task(record, bad, situation)
    elif record.is_growing:
        yield from _grow_or_fail(record, jobs, situation)
    elif (spec := _merge_spec(record, current, situation)) is None:
        yield finish_task(record, current, situation)
    elif not situation.paused:
        yield _merge(record, jobs, len(current), spec, situation)


def _grow_or_fail(
    record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation
) -> Iterator[Action]:
    """Submit what was added to a task whose jobs have all ended; fail it if nothing ever can be."""
    answer = situation.readiness.get(record.key.unit)
    if isinstance(answer, Impossible):
        yield fail_for(record, answer.reason, situation.now)
    else:
        yield from _grow(record, jobs, situation)


def _merge_spec(
    record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation
) -> JobSpec | None:
    """Return what the merge of the parts does, None if there is none or it is done."""
    is_merged = any(job.role is Role.MERGE for job in jobs)
    if is_merged or situation.merge is None or len(jobs) <= 1:
        return None
    return situation.merge(record, jobs)


def _merge(
    record: TaskRecord,
    jobs: Sequence[JobRecord],
    parts: int,
    spec: JobSpec,
    situation: Situation,
) -> Action:
    earlier = next((job for job in jobs if job.role is Role.MERGE), None)
    merge = (
        _submit_first(record, MERGE_INDEX, Role.MERGE, spec, situation)
        if earlier is None
        else _submit_again(record, earlier, spec, situation)
    )
    text = f"merge {parts} parts"
    return Action(ActionKind.MERGE, record.key, text, records=(merge,), submit=(merge,))


def _current_jobs(record: TaskRecord, jobs: Sequence[JobRecord]) -> list[JobRecord]:
    """Return the jobs that count now: all but those that an earlier budget left unfinished."""
    since = record.since or record.time
    return [job for job in jobs if job.status is JobStatus.DONE or job.time >= since]
