"""One task: where it is kept, how it stands, and why it waits, failed or does not exist."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError
from autoctrl.freshness import changed_files, find_stale
from autoctrl.model.quality import quality_of
from autoctrl.model.staleness import upstream_versions
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.unit import TaskKey, is_group, run_unit, spoken
from autoctrl.ports import Selection
from autoctrl.views.columns import find_column, find_columns
from autoctrl.views.history import job_name, newest_attempts

if TYPE_CHECKING:
    from datetime import datetime

    from autoctrl.model.actor import Actor
    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column


class Place(NamedTuple):
    """Where a run's task in one workflow is, or why there is none.

    key      its key; its campaign may be a parent
    column   the workflow
    run      the run's record, None for a group that was named itself or a run that is not
             registered
    task     its newest record, None if it was never born
    missing  why there is no task, empty if there is one
    """

    key: TaskKey
    column: Column
    run: RunRecord | None
    task: TaskRecord | None
    missing: str = ""


class Why(NamedTuple):
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
    quality         ``alarm`` or ``warning`` if the data of a done task are not well, else empty
    notes           sentences about everything else worth knowing
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


def find_place(store: Store, campaign: str, unit: str, workflow: str) -> Place:
    """Return where a run's (``4521``) or a group's (``fill:8222``) task is.

    Raises ``UsageError`` for an unknown campaign or workflow, naming the nearest, and for a unit
    that is none.
    """
    chain = find_lineage(store, campaign)
    column = find_column(find_columns(store, chain), campaign, workflow)
    run = None if is_group(unit) else _find_run(store, unit)
    if is_group(unit):
        found: str | None = unit
    else:
        found = column.unit_of(run) if run is not None else run_unit(int(unit))
    key = TaskKey(column.campaign, workflow, found or unit)
    task = next(iter(store.tasks(Selection(key.campaign, (workflow,), (key.unit,)))), None)
    missing = "" if task is not None else _absence(store, unit, run, column, chain[0])
    return Place(key, column, run, task, missing)


def task_of(place: Place) -> TaskRecord:
    """Return the place's task. Raises ``UsageError`` saying why there is none."""
    if place.task is None:
        message = f"{spoken(place.key.unit)} has no task in {place.key.workflow}: {place.missing}."
        raise UsageError(message)
    return place.task


def why(store: Store, campaign: str, unit: str, workflow: str) -> Why:
    """Say how a task stands and why. Raises ``UsageError`` as ``find_place`` does."""
    place = find_place(store, campaign, unit, workflow)
    key, task = place.key, place.task
    inherited_from = None if key.campaign == campaign else key.campaign
    if task is None:
        members = () if place.run is None else (place.run.number,)
        nothing = Why(campaign, workflow, key.unit, members, reason=place.missing)
        return nothing._replace(inherited_from=inherited_from)
    return Why(
        campaign=campaign,
        workflow=workflow,
        unit=key.unit,
        runs=task.members,
        status=task.status,
        version=task.version,
        reason=task.reason,
        until=task.until,
        since=task.since,
        actor=task.actor,
        stale=task.key in find_stale(store, [task]),
        quality=quality_of(task.reason) if task.status is TaskStatus.DONE else "",
        notes=tuple(_notes(store, place, task)),
        log=task.log,
        inherited_from=inherited_from,
    )


def _find_run(store: Store, unit: str) -> RunRecord | None:
    if not unit.isdecimal():
        message = f"'{unit}' is neither a run number nor a group of runs."
        raise UsageError(message, hint="Write a run as 4521, a group as fill:8222.")
    return next(iter(store.runs(numbers=[int(unit)]).records), None)


def _absence(
    store: Store, unit: str, run: RunRecord | None, column: Column, campaign: Campaign
) -> str:
    if is_group(unit):
        return "the group is not closed yet, or no run of it is wanted"
    if run is None:
        return f"the run is not registered (autoctrl runs add {unit})"
    wanted = None if campaign.follow else campaign.wanted()
    if wanted is not None and run.number not in wanted:
        return f"the run is not in campaign {campaign.name} (runs {campaign.runs})"
    if not column.has_looked_at(store.runs(numbers=()).position):
        return "the workflow has not looked at the newest runs yet; the next cycle does"
    filtered = (
        "the workflow's filter does not take the run, or an attribute that decides is not known yet"
    )
    return _group_absence(run, column) or filtered


def _group_absence(run: RunRecord, column: Column) -> str:
    if column.group_by is None:
        return ""
    if column.group_by not in run.attributes:
        return f"the workflow groups by {column.group_by}, which the run does not have yet"
    value = str(run.attributes[column.group_by])
    if column.state.is_pending(value, run.number):
        return (
            f"{column.group_by} {value} is not closed yet: neither is its end known nor has a "
            "later one begun"
        )
    return ""


def _notes(store: Store, place: Place, task: TaskRecord) -> list[str]:
    notes = [_pause_note(store, place.key)] if task.is_open else []
    if task.stopping:
        notes.append("a person asked to fail it; its jobs are being removed")
    if task.status is TaskStatus.PROCESSING:
        notes += _job_notes(store, task)
    if place.run is not None and place.column.is_late(
        place.run.number, task.key.unit, task.members
    ):
        notes.append(
            f"{spoken(task.key.unit)} was processed without run {place.run.number}; "
            "reprocess takes it in"
        )
    if place.run is not None and place.column.is_kept(place.run.number):
        notes.append(
            f"the filter does not take run {place.run.number} any more; what has begun is "
            "not withdrawn"
        )
    notes += [
        (
            f"it reads version {version} of {key}, of which version {upstream.version} is "
            f"{upstream.status}"
        )
        for key, version in upstream_versions(task).items()
        for upstream in store.tasks(Selection(key.campaign, (key.workflow,), (key.unit,)))
        if upstream.version > version
    ]
    notes += [
        f"it read {ref.url}, which has changed since" for ref in sorted(changed_files([task]))
    ]
    return [note for note in notes if note]


def _job_notes(store: Store, task: TaskRecord) -> list[str]:
    attempts = newest_attempts(store.history(task.key))
    jobs = list({job.key: job for job in attempts if job.key.version == task.version}.values())
    counts = Counter(job.status for job in jobs)
    stand = ", ".join(f"{counts[status]} {status}" for status in JobStatus if status in counts)
    waiting = [
        job for job in jobs if job.status is JobStatus.SUBMITTING and job.not_before is not None
    ]
    silent = [
        job
        for job in jobs
        if job.status is JobStatus.SUBMITTING and job.not_before is None and job.reason
    ]
    notes = [f"its jobs: {stand}"] if stand else []
    notes += [
        f"job {job_name(job)} is submitted after a pause: {job.reason}" for job in waiting[:1]
    ]
    return notes + [
        f"job {job_name(job)} could not be submitted yet: {job.reason}" for job in silent[:1]
    ]


def _pause_note(store: Store, key: TaskKey) -> str:
    for mark in store.marks("pause", key.campaign):
        if mark.name == key.workflow and mark.values.get("paused"):
            return f"{key.workflow} is paused by {mark.actor.name}" + (
                f": {mark.reason}" if mark.reason else ""
            )
    return ""
