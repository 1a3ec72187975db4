"""The decision of a cycle: a pure function of what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.machine.failures import classify, is_repeated, next_attempt
from autoctrl.machine.finish import fail_task, finish_task
from autoctrl.machine.situation import Action, ActionKind, Ready, Sighting, Situation
from autoctrl.model.job import MERGE_INDEX, JobKey, JobRecord
from autoctrl.model.status import FINAL_JOBS, JobStatus, Role, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autoctrl.locks.lock import Wait
    from autoctrl.machine.situation import Late
    from autoctrl.model.job import JobSpec
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import JobReport, OpenTask


def plan(situation: Situation) -> list[Action]:
    """Return what to do, task by task, in the order of the tasks."""
    return [action for task in situation.tasks for action in plan_task(task, situation)]


def plan_task(task: OpenTask, situation: Situation) -> Iterator[Action]:
    """Decide about one task."""
    if task.task.status is TaskStatus.NEW:
        yield from _plan_new(task, situation)
    else:
        yield from _plan_processing(task, situation)


def _plan_new(task: OpenTask, situation: Situation) -> Iterator[Action]:
    record = task.task
    gate = situation.gates.get(record.key.unit)
    if situation.paused:
        yield from _wait(record, situation.paused, None, situation)
    elif isinstance(gate, Ready):
        yield _start(task, gate, situation)
    elif gate is not None:
        yield from _wait(record, gate.reason, gate, situation)


def _wait(
    record: TaskRecord, reason: str, gate: Wait | None, situation: Situation
) -> Iterator[Action]:
    until = gate.until if gate else None
    changed = record.moved(
        TaskStatus.NEW,
        situation.now,
        reason=reason,
        until=until,
        epoch=situation.epoch,
        environment=situation.environment,
    )
    records = () if record.reason == reason else (changed,)
    yield Action(ActionKind.WAIT, record.key, reason, records=records)


def _start(task: OpenTask, ready: Ready, situation: Situation) -> Action:
    record = task.task.moved(
        TaskStatus.PROCESSING,
        situation.now,
        inputs=ready.inputs,
        provenance=ready.provenance,
        is_growing=ready.is_growing,
        stopping=False,
        epoch=situation.epoch,
        environment=situation.environment,
    )
    known = {job.key.index: job for job in task.jobs}
    jobs = tuple(
        _intent(record, (index, Role.PART), spec, situation, known.get(index))
        for index, spec in enumerate(ready.specs)
        if index not in known or known[index].status is not JobStatus.DONE
    )
    count = f"{len(jobs)} jobs" if len(jobs) != 1 else "1 job"
    return Action(
        ActionKind.START, record.key, f"start {count}", records=(record, *jobs), submit=jobs
    )


def _intent(
    record: TaskRecord,
    key: tuple[int, Role],
    spec: JobSpec,
    situation: Situation,
    earlier: JobRecord | None = None,
) -> JobRecord:
    index, role = key
    if earlier is not None:
        now = max(situation.now, record.time)
        # Memory that an attempt was given because it lacked it is kept when a person tries again.
        memory_mb = max(spec.memory_mb, min(earlier.spec.memory_mb, situation.policy.max_memory_mb))
        spec = spec._replace(memory_mb=memory_mb)
        return earlier.again(
            now, spec, used=1, asked=situation.now, epoch=situation.epoch, late=earlier.late
        )
    return JobRecord(
        key=JobKey(record.key, record.version, index),
        role=role,
        attempt=1,
        status=JobStatus.SUBMITTING,
        time=max(situation.now, record.time),
        spec=spec,
        epoch=situation.epoch,
        environment=situation.environment,
        asked=situation.now,
    )


def _plan_processing(task: OpenTask, situation: Situation) -> Iterator[Action]:
    jobs: list[JobRecord] = []
    for job in task.jobs:
        after, actions = plan_job(task.task, job, situation)
        jobs.append(after)
        yield from actions
    if any(not job.is_final for job in jobs):
        if not task.task.stopping:
            yield from _grow(task.task, jobs, situation)
        return
    yield from _conclude(task.task, jobs, situation)


def _grow(record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation) -> Iterator[Action]:
    gate = situation.gates.get(record.key.unit)
    if not record.is_growing or not isinstance(gate, Ready) or situation.paused:
        return
    parts = {job.key.index for job in _current(record, jobs) if job.role is Role.PART}
    known = {job.key.index: job for job in jobs}
    if parts.issuperset(range(len(gate.specs))) and gate.is_growing:
        return
    grown = record.moved(
        TaskStatus.PROCESSING,
        situation.now,
        inputs=gate.inputs,
        is_growing=gate.is_growing,
        epoch=situation.epoch,
        environment=situation.environment,
    )
    fresh = tuple(
        _intent(grown, (index, Role.PART), spec, situation, known.get(index))
        for index, spec in enumerate(gate.specs)
        if index not in parts
    )
    yield Action(
        ActionKind.GROW,
        record.key,
        f"{len(fresh)} more jobs",
        records=(grown, *fresh),
        submit=fresh,
    )


def _conclude(
    record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation
) -> Iterator[Action]:
    """Finish a task none of whose jobs is alive, merge it, let it grow, or fail it."""
    known, jobs = jobs, _current(record, jobs)
    earlier = next((job for job in known if job.role is Role.MERGE), None)
    bad = [job for job in jobs if job.status is not JobStatus.DONE]
    if record.stopping or bad:
        yield fail_task(record, bad, situation)
    elif record.is_growing:
        yield from _grow(record, known, situation)
    elif any(job.role is Role.MERGE for job in jobs):
        yield finish_task(record, jobs, situation)
    else:
        spec = (
            situation.merge(record, jobs) if situation.merge is not None and len(jobs) > 1 else None
        )
        if spec is None:
            yield finish_task(record, jobs, situation)
        elif not situation.paused:
            merge = _intent(record, (MERGE_INDEX, Role.MERGE), spec, situation, earlier)
            text = f"merge {len(jobs)} parts"
            yield Action(ActionKind.MERGE, record.key, text, records=(merge,), submit=(merge,))


def _current(record: TaskRecord, jobs: Sequence[JobRecord]) -> list[JobRecord]:
    """Return the jobs that count now: what a former budget left unfinished does not."""
    since = record.since or record.time
    return [job for job in jobs if job.status is JobStatus.DONE or job.time >= since]


def plan_job(
    record: TaskRecord, job: JobRecord, situation: Situation
) -> tuple[JobRecord, list[Action]]:
    """Decide about one job; return it as it will stand, and what to do."""
    sighting = situation.sightings.get(job.key)
    if job.is_final:
        return job, []
    if sighting is not None and sighting.late is not None:
        return _record_late(job, sighting.late, situation)
    if job.status is JobStatus.SUBMITTING and (sighting is None or not sighting.handle):
        return _plan_unsubmitted(record, job, sighting, situation)
    if sighting is None or sighting.report is None:
        return job, []
    if sighting.report.status in FINAL_JOBS:
        return _accept(record, job, sighting, sighting.report, situation)
    return _sample(record, job, sighting, sighting.report, situation)


def _record_late(
    job: JobRecord, late: Late, situation: Situation
) -> tuple[JobRecord, list[Action]]:
    """Record, and never accept, a result that arrives after its attempt was given up."""
    text = (
        f"a late result of attempt {late.attempt} (exit code {late.exit_code}) was recorded "
        "and not accepted"
    )
    after = job.moved(
        job.status, situation.now, reason=text, late=late.attempt, epoch=situation.epoch
    )
    return after, [Action(ActionKind.SAMPLE, job.key.task, text, records=(after,))]


def _plan_unsubmitted(
    record: TaskRecord, job: JobRecord, sighting: Sighting | None, situation: Situation
) -> tuple[JobRecord, list[Action]]:
    now = situation.now
    if record.stopping and (job.asked is None or _may_repeat(job, sighting, situation)):
        gone = job.moved(
            JobStatus.REMOVED, now, reason="removed before it was submitted", epoch=situation.epoch
        )
        return gone, [
            Action(ActionKind.REMOVE, record.key, "not submitted any more", records=(gone,))
        ]
    if situation.paused or (job.not_before is not None and now < job.not_before):
        return job, []
    if job.asked is not None and not _may_repeat(job, sighting, situation):
        return job, []
    intent = job.moved(
        JobStatus.SUBMITTING, now, reason=job.reason, asked=now, epoch=situation.epoch
    )
    text = f"submit job {job.key.index} attempt {job.attempt}"
    return intent, [
        Action(ActionKind.SUBMIT, record.key, text, records=(intent,), submit=(intent,))
    ]


def _may_repeat(job: JobRecord, sighting: Sighting | None, situation: Situation) -> bool:
    """Say whether a submission that was asked for may be asked for again: the executor said clearly
    it has none.
    """
    if sighting is None or job.asked is None:
        return False
    if situation.is_resubmit_safe.get(job.spec.address, False):
        return True
    return (situation.now - job.asked).total_seconds() > situation.policy.submit_limit_s


def _sample(
    record: TaskRecord, job: JobRecord, sighting: Sighting, report: JobReport, situation: Situation
) -> tuple[JobRecord, list[Action]]:
    """Write down how a live job stands; a job that is held for good is removed, and its class of
    failure kept.
    """
    status = JobStatus.REMOVING if job.status is JobStatus.REMOVING else report.status
    is_hopeless = report.status is JobStatus.HELD and report.failure is not None
    wants_removal = (record.stopping or is_hopeless) and job.status is not JobStatus.REMOVING
    if wants_removal:
        status = JobStatus.REMOVING
    seen = (status, report.reason, sighting.handle, report.starts, report.host)
    known = (job.status, job.reason, job.handle, job.starts, job.host)
    if seen == known:
        again = (job,) if status is JobStatus.REMOVING else ()
        return job, [
            Action(ActionKind.REMOVE, record.key, "ask again to remove", remove=again)
        ] if again else []
    after = job.moved(
        status,
        situation.now,
        reason=report.reason,
        handle=sighting.handle,
        starts=report.starts,
        host=report.host,
        log=sighting.log,
        failure=report.failure if is_hopeless else job.failure,
        epoch=situation.epoch,
    )
    kind = ActionKind.REMOVE if wants_removal else ActionKind.SAMPLE
    removal = (after,) if wants_removal else ()
    return after, [
        Action(
            kind, record.key, f"job {job.key.index} is {status}", records=(after,), remove=removal
        )
    ]


def _accept(
    record: TaskRecord, job: JobRecord, sighting: Sighting, report: JobReport, situation: Situation
) -> tuple[JobRecord, list[Action]]:
    """Move a job to its final status; the same write starts its next attempt, if there is one."""
    verdict = classify(report, sighting.result, sighting.problem)
    if verdict is None:
        done = _ended(job, JobStatus.DONE, sighting, report, situation)
        return done, [_sampled(done, "done")]
    status = JobStatus.FAILED if report.status is JobStatus.DONE else report.status
    failure, reason = verdict if job.failure is None else (job.failure, job.reason)
    ended = _ended(job, status, sighting, report, situation)._replace(
        failure=failure, reason=reason, files=()
    )
    policy = situation.policy
    if record.stopping or not is_repeated(ended, policy, policy.retry_exit_codes):
        return ended, [_sampled(ended, reason)]
    following = next_attempt(ended, policy, situation.now)
    text = f"attempt {job.attempt} failed ({failure}): {reason}; again"
    action = Action(
        ActionKind.SAMPLE,
        record.key,
        text,
        records=(ended, following),
        acknowledge=_forgettable(ended),
    )
    return following, [action]


def _ended(
    job: JobRecord, status: JobStatus, sighting: Sighting, report: JobReport, situation: Situation
) -> JobRecord:
    result = sighting.result
    ended = job.moved(
        status,
        situation.now,
        handle=sighting.handle or job.handle,
        log=sighting.log or job.log,
        starts=report.starts,
        host=report.host or job.host,
        failure=None,
        epoch=situation.epoch,
    )
    if result is None:
        return ended
    return ended._replace(
        exit_code=result.exit_code,
        signal=result.signal,
        host=result.host,
        starts=result.starts,
        wall_s=result.wall_s,
        cpu_s=result.cpu_s,
        peak_memory_mb=result.peak_memory_mb,
        reason=result.reason,
        files=sighting.files,
        fields=result.fields,
    )


def _sampled(ended: JobRecord, text: str) -> Action:
    return Action(
        ActionKind.SAMPLE, ended.key.task, text, records=(ended,), acknowledge=_forgettable(ended)
    )


def _forgettable(ended: JobRecord) -> tuple[JobRecord, ...]:
    """Return what to acknowledge: never a lost job, whose result may arrive after all and is then
    recorded.
    """
    return () if ended.status is JobStatus.LOST else (ended,)
