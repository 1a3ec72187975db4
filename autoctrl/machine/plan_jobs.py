"""The decision about one job: a pure function of what its executor said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.machine.failures import classify, is_repeated, next_attempt
from autoctrl.machine.situation import Action, ActionKind
from autoctrl.model.status import FINAL_JOBS, JobStatus

if TYPE_CHECKING:
    from autoctrl.machine.situation import LateResult, ObservedJob, Situation
    from autoctrl.model.job import JobRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import JobReport, JobResult


class JobStep(NamedTuple):
    """What is decided about one job.

    job      the job as it will stand
    actions  what to do, empty for nothing
    """

    job: JobRecord
    actions: tuple[Action, ...] = ()


def plan_job(record: TaskRecord, job: JobRecord, situation: Situation) -> JobStep:
    """Decide about one job of a task that is processing."""
    if job.is_final:
        return JobStep(job)
    seen = situation.observed_jobs.get(job.key)
    if seen is not None and seen.late is not None:
        return _record_late(job, seen.late, situation)
    if job.status is JobStatus.SUBMITTING and (seen is None or not seen.handle):
        return _plan_unsubmitted(record, job, seen, situation)
    if seen is None or seen.report is None:
        return JobStep(job)
    if seen.report.status in FINAL_JOBS:
        return _accept(record, job, seen, seen.report, situation)
    return _sample(record, job, seen, seen.report, situation)


def _record_late(job: JobRecord, late: LateResult, situation: Situation) -> JobStep:
    """Record, and never accept, a result that arrives after its attempt was given up."""
    text = (
        f"a late result of attempt {late.attempt} (exit code {late.exit_code}) was recorded "
        "and not accepted"
    )
    after = job.moved(job.status, situation.now, reason=text, late=late.attempt)
    return JobStep(after, (Action(ActionKind.SAMPLE, job.key.task, text, records=(after,)),))


def _plan_unsubmitted(
    record: TaskRecord, job: JobRecord, seen: ObservedJob | None, situation: Situation
) -> JobStep:
    """Submit a job that its executor does not have, unless it may still be on its way there."""
    now = situation.now
    may_submit = job.asked is None or _may_repeat(job, seen, situation)
    if record.stopping and may_submit:
        gone = job.moved(JobStatus.REMOVED, now, reason="removed before it was submitted")
        text = "not submitted any more"
        return JobStep(gone, (Action(ActionKind.REMOVE, record.key, text, records=(gone,)),))
    is_delayed = job.not_before is not None and now < job.not_before
    if situation.paused or is_delayed or not may_submit:
        return JobStep(job)
    intent = job.moved(JobStatus.SUBMITTING, now, reason=job.reason, asked=now)
    text = f"submit job {job.key.index} attempt {job.attempt}"
    action = Action(ActionKind.SUBMIT, record.key, text, records=(intent,), submit=(intent,))
    return JobStep(intent, (action,))


def _may_repeat(job: JobRecord, seen: ObservedJob | None, situation: Situation) -> bool:
    """Say whether a submission may be repeated, because the executor clearly does not have it."""
    if seen is None or job.asked is None:
        return False
    if situation.is_resubmit_safe.get(job.spec.address, False):
        return True
    return (situation.now - job.asked).total_seconds() > situation.policy.submit_limit_s


def _sample(
    record: TaskRecord, job: JobRecord, seen: ObservedJob, report: JobReport, situation: Situation
) -> JobStep:
    """Write down how a live job stands, and end one that nobody wants or that is held for good."""
    is_hopeless = report.status is JobStatus.HELD and report.failure is not None
    is_removing = job.status is JobStatus.REMOVING
    is_unwanted = record.stopping or is_hopeless
    status = JobStatus.REMOVING if is_unwanted or is_removing else report.status
    if _has_not_changed(job, status, seen, report):
        return JobStep(job, _remove_again(job) if is_removing else ())
    after = job.moved(
        status,
        situation.now,
        reason=report.reason,
        handle=seen.handle,
        starts=report.starts,
        host=report.host,
        log=seen.log,
        failure=report.failure if is_hopeless else job.failure,
    )
    action = Action(
        ActionKind.SAMPLE, record.key, f"job {job.key.index} is {status}", records=(after,)
    )
    if is_unwanted and not is_removing:
        action = action._replace(kind=ActionKind.REMOVE, remove=(after,))
    return JobStep(after, (action,))


def _has_not_changed(
    job: JobRecord, status: JobStatus, seen: ObservedJob, report: JobReport
) -> bool:
    """Say whether a sample only repeats what the job's newest record says."""
    sample = (status, report.reason, seen.handle, report.starts, report.host)
    return sample == (job.status, job.reason, job.handle, job.starts, job.host)


def _remove_again(job: JobRecord) -> tuple[Action, ...]:
    return (Action(ActionKind.REMOVE, job.key.task, "ask again to remove", remove=(job,)),)


def _accept(
    record: TaskRecord, job: JobRecord, seen: ObservedJob, report: JobReport, situation: Situation
) -> JobStep:
    """Move a job to its final status; the same write starts its next attempt, if there is one."""
    verdict = classify(report, seen.result, seen.problem)
    if verdict is None:
        done = _end(job, JobStatus.DONE, seen, report, situation)
        return JobStep(done, (_sample_end(done, "done"),))
    status = JobStatus.FAILED if report.status is JobStatus.DONE else report.status
    # A job that was held for good and removed keeps the failure for which it was held.
    failure, reason = verdict if job.failure is None else (job.failure, job.reason)
    ended = _end(job, status, seen, report, situation)._replace(
        failure=failure, reason=reason, files=()
    )
    return _repeat_or_not(record, ended, situation)


def _repeat_or_not(record: TaskRecord, ended: JobRecord, situation: Situation) -> JobStep:
    """Write down a failed attempt, and the next one with it if the class of failure permits."""
    policy = situation.policy
    if record.stopping or not is_repeated(ended, policy, policy.retry_exit_codes):
        return JobStep(ended, (_sample_end(ended, ended.reason),))
    again = next_attempt(ended, policy, situation.now)
    text = f"attempt {ended.attempt} failed ({ended.failure}): {ended.reason}; trying again"
    return JobStep(again, (_sample_end(ended, text)._replace(records=(ended, again)),))


def _end(
    job: JobRecord, status: JobStatus, seen: ObservedJob, report: JobReport, situation: Situation
) -> JobRecord:
    """Return the last record of an attempt, with what its wrapper wrote if that can be read."""
    ended = job.moved(
        status,
        situation.now,
        handle=seen.handle or job.handle,
        log=seen.log or job.log,
        starts=report.starts,
        host=report.host or job.host,
        failure=None,
    )
    return ended if seen.result is None else _with_result(ended, seen.result, seen)


def _with_result(ended: JobRecord, result: JobResult, seen: ObservedJob) -> JobRecord:
    return ended._replace(
        exit_code=result.exit_code,
        signal=result.signal,
        reason=result.reason,
        host=result.host,
        starts=result.starts,
        wall_s=result.wall_s,
        cpu_s=result.cpu_s,
        peak_memory_mb=result.peak_memory_mb,
        files=seen.files,
        fields=result.fields,
        began=result.began,
    )


def _sample_end(ended: JobRecord, text: str) -> Action:
    """Write down the end of an attempt, and let its executor forget it.

    A lost job is never forgotten: its result may arrive after all and is then recorded.
    """
    forgotten = () if ended.status is JobStatus.LOST else (ended,)
    return Action(ActionKind.SAMPLE, ended.key.task, text, records=(ended,), acknowledge=forgotten)
