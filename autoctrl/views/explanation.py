"""How one task stands, and why it waits, failed or does not exist."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.freshness import changed_files, find_stale
from autoctrl.model.condition import ConditionKind
from autoctrl.model.quality import quality_of
from autoctrl.model.staleness import upstream_versions
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.unit import format_runs, spell_unit
from autoctrl.pauses import find_pause
from autoctrl.ports import Selection
from autoctrl.views.attempts import job_name, newest_attempts
from autoctrl.views.conditions import conditions_of, list_conditions, spell_condition
from autoctrl.views.spelling import spell_actor
from autoctrl.views.task import find_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from autoctrl.model.actor import Actor
    from autoctrl.model.condition import Condition
    from autoctrl.model.job import JobRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Store
    from autoctrl.views.spelling import Spelling
    from autoctrl.views.task import SoughtTask

NOTHING_HOLDS_IT = "nothing is known to hold it"


class Explanation(NamedTuple):
    """How a task stands and why.

    campaign        the campaign that was asked for
    workflow        name of the workflow
    unit            the unit, e.g. ``4521`` or ``fill:8222``
    runs            runs of the unit
    status          where it stands, None if there is no task
    version         its version, 0 if there is no task
    reason          why it waits, failed, was moved, or does not exist
    until           when the reason may pass by itself
    since           when the status began
    actor           who caused the newest record
    stale           a newer version of an input is done, or a file that it read has changed
    quality         ``alarm`` or ``warning`` if the data of a done task are not good, else empty
    notes           sentences about everything else worth knowing
    conditions      what keeps the whole workflow from moving, beside a pause
    log             address of the log worth reading
    inherited_from  the parent campaign that keeps it, None if it is the campaign's own
    """

    campaign: str
    workflow: str
    unit: str
    runs: tuple[int, ...]
    status: TaskStatus | None = None
    version: int = 0
    reason: str = ""
    until: datetime | None = None
    since: datetime | None = None
    actor: Actor | None = None
    stale: bool = False
    quality: str = ""
    notes: tuple[str, ...] = ()
    log: str = ""
    inherited_from: str | None = None
    conditions: tuple[Condition, ...] = ()


def explain(
    store: Store,
    campaign: str,
    unit: str,
    workflow: str,
    *,
    silent_before: datetime | None = None,
) -> Explanation:
    """Say how a task stands and why; ``silent_before`` as for ``list_conditions``.

    Raises ``UsageError`` as ``find_task`` does.
    """
    sought = find_task(store, campaign, unit, workflow)
    key, task = sought.key, sought.task
    seen = Explanation(
        campaign=campaign,
        workflow=workflow,
        unit=key.unit,
        runs=() if sought.run is None else (sought.run.number,),
        reason=sought.missing,
        inherited_from=None if key.campaign == campaign else key.campaign,
    )
    if task is not None:
        seen = _describe_task(store, sought, task, seen)
    if task is not None and not task.is_open:
        return seen
    return seen._replace(conditions=_find_conditions(store, key, silent_before))


def _describe_task(
    store: Store, sought: SoughtTask, task: TaskRecord, seen: Explanation
) -> Explanation:
    return seen._replace(
        runs=task.members,
        status=task.status,
        version=task.version,
        reason=task.reason,
        until=task.until,
        since=task.since,
        actor=task.actor,
        stale=task.key in find_stale(store, [task]),
        quality=quality_of(task.reason) if task.status is TaskStatus.DONE else "",
        notes=tuple(_list_notes(store, sought, task)),
        log=task.log,
    )


def _find_conditions(
    store: Store, key: TaskKey, silent_before: datetime | None
) -> tuple[Condition, ...]:
    found = list_conditions(store, key.campaign, silent_before)
    concerned = conditions_of(found, key.workflow)
    return tuple(one for one in concerned if one.kind is not ConditionKind.PAUSE)


def spell_reason(seen: Explanation) -> str:
    """Return the reason, or what there is to say of a task that has none."""
    if seen.reason:
        return seen.reason
    if seen.status is TaskStatus.NEW:
        return f"{NOTHING_HOLDS_IT}; the next cycle takes it"
    if seen.status is TaskStatus.PROCESSING:
        return "its jobs are at work"
    if seen.stale:
        return "what it read has been made again since; reprocess takes the newer version"
    return "nothing is left to do" if seen.status is TaskStatus.DONE else "no reason was given"


def spell_explanation(seen: Explanation, spelling: Spelling) -> list[str]:
    """Return how a task stands and why in lines: a sentence, then a fact or a note in each."""
    notes = [spell_condition(condition, spelling) for condition in seen.conditions]
    notes += [f"note: {note}" for note in seen.notes]
    task = f"{spell_unit(seen.unit)} / {seen.workflow}"
    if seen.status is None or seen.since is None:
        return [f"{task} has no task: {seen.reason}.", *notes]
    marks = [f"version {seen.version}", "stale" if seen.stale else "", seen.quality]
    shown = ", ".join(filter(None, marks))
    headline = f"{task} has been {seen.status} since {spelling.time(seen.since)} ({shown})."
    return [headline, *_list_facts(seen, spelling), *notes]


def _list_facts(seen: Explanation, spelling: Spelling) -> list[str]:
    facts = {
        "why": _spell_hold(seen, spelling),
        "last record": f"written by {spell_actor(seen.actor)}" if seen.actor else "written",
        "runs": format_runs(list(seen.runs)) if len(seen.runs) > 1 else "",
        "kept in": f"campaign {seen.inherited_from}" if seen.inherited_from else "",
        "log": seen.log,
    }
    return [f"{name}: {text}" for name, text in facts.items() if text]


def _spell_hold(seen: Explanation, spelling: Spelling) -> str:
    """Return the reason and until when it holds; empty where the status says it all."""
    is_plain = seen.status in {TaskStatus.DONE, TaskStatus.PROCESSING}
    reason = seen.reason or ("" if is_plain else NOTHING_HOLDS_IT)
    return f"{reason} (until {spelling.time(seen.until)})" if seen.until else reason


def _list_notes(store: Store, sought: SoughtTask, task: TaskRecord) -> Iterator[str]:
    if task.is_open:
        yield from _pause_notes(store, sought.key)
    if task.stopping:
        yield "a person asked to fail it; its jobs are being removed"
    if task.status is TaskStatus.PROCESSING:
        yield from _job_notes(store, task)
    yield from _run_notes(sought, task)
    yield from _input_notes(store, task)


def _pause_notes(store: Store, key: TaskKey) -> Iterator[str]:
    paused = find_pause(store, key.campaign, key.workflow)
    if paused is not None:
        why = f": {paused.reason}" if paused.reason else ""
        yield f"{key.workflow} is paused by {paused.actor.name}{why}"


def _job_notes(store: Store, task: TaskRecord) -> Iterator[str]:
    """Say how many jobs of the version stand where, and what keeps one from being submitted."""
    attempts = newest_attempts(store.history(task.key))
    jobs = {job.key: job for job in attempts if job.key.version == task.version}
    if not jobs:
        return
    counts = Counter(job.status for job in jobs.values())
    stand = [f"{counts[status]} {status}" for status in JobStatus if status in counts]
    yield f"its jobs: {', '.join(stand)}"
    submitting = [job for job in jobs.values() if job.status is JobStatus.SUBMITTING]
    yield from _submission_notes(submitting)


def _submission_notes(submitting: Sequence[JobRecord]) -> Iterator[str]:
    """Say of one job that it pauses, and of one that it could not be submitted."""
    pausing = next((job for job in submitting if job.not_before is not None), None)
    refused = next((job for job in submitting if job.not_before is None and job.reason), None)
    if pausing is not None:
        yield f"job {job_name(pausing)} will be submitted after a pause: {pausing.reason}"
    if refused is not None:
        yield f"job {job_name(refused)} could not be submitted yet: {refused.reason}"


def _run_notes(sought: SoughtTask, task: TaskRecord) -> Iterator[str]:
    """Say what is special about the run that was asked about."""
    if sought.run is None:
        return
    run, column = sought.run.number, sought.column
    if column.is_late(run, task.key.unit, task.members):
        group = spell_unit(task.key.unit)
        yield f"{group} was processed without run {run}; reprocess takes it in"
    if column.is_kept(run):
        yield f"the filter no longer takes run {run}; a task that has begun is not withdrawn"


def _input_notes(store: Store, task: TaskRecord) -> Iterator[str]:
    """Say which of the inputs there is a newer version of, and which files have changed."""
    for key, version in upstream_versions(task).items():
        for upstream in store.tasks(Selection(key.campaign, (key.workflow,), (key.unit,))):
            newer = upstream.version
            if newer > version:
                yield (
                    f"it reads version {version} of {key}, of which version {newer} is "
                    f"{upstream.status}"
                )
    for ref in sorted(changed_files([task])):
        yield f"it read {ref.url}, which has changed since"
