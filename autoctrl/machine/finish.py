"""The last records of a version: done with its outputs, or failed with the reason. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.machine.situation import Action, ActionKind
from autoctrl.model.job import index_text
from autoctrl.model.output import FieldsRecord, publish
from autoctrl.model.quality import ALARM, quality_of, remark_of
from autoctrl.model.status import Role, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from autoctrl.machine.situation import Situation
    from autoctrl.model.job import JobRecord
    from autoctrl.model.output import OutputRecord
    from autoctrl.model.task import TaskRecord


def finish_task(record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation) -> Action:
    """Publish what the version made, in the same write that moves it to ``done``.

    People are told of an alarm that its data raise.
    """
    merges = [job for job in jobs if job.role is Role.MERGE]
    parts = [job for job in jobs if job.role is Role.PART]
    values = _fields_of([*parts, *merges])
    remark = remark_of(values)
    log = jobs[0].log if jobs else ""
    done = record.moved(TaskStatus.DONE, situation.now, reason=remark, log=log)
    outputs = _publish_files(done, merges or parts, situation)
    fields = (FieldsRecord(record.key, record.version, values, done.time),) if values else ()
    superfluous = _files_of(parts) if merges else ()
    return Action(
        ActionKind.FINISH,
        record.key,
        _count_outputs(outputs),
        records=(done, *outputs, *fields),
        discard=superfluous,
        alert=_alert(record, remark),
    )


def _count_outputs(outputs: Sequence[OutputRecord]) -> str:
    return f"done with {len(outputs)} output{'s' if len(outputs) != 1 else ''}"


def _alert(record: TaskRecord, remark: str) -> str:
    return f"{_version_name(record)}: {remark}" if quality_of(remark) == ALARM else ""


def _fields_of(jobs: Iterable[JobRecord]) -> dict[str, Any]:
    """Return the custom fields of all jobs; a later job's count where names are the same."""
    return {name: value for job in jobs for name, value in job.fields.items()}


def _files_of(jobs: Iterable[JobRecord]) -> tuple[str, ...]:
    return tuple(file.url for job in jobs for file in job.files)


def _publish_files(
    done: TaskRecord, jobs: Iterable[JobRecord], situation: Situation
) -> tuple[OutputRecord, ...]:
    return tuple(
        publish(done, file, situation.friend_of.get(file.name, ""))
        for job in jobs
        for file in job.files
    )


def fail_task(record: TaskRecord, bad: Sequence[JobRecord], situation: Situation) -> Action:
    """Fail the version with the reason and the log's address, and tell people once.

    Nobody is told of a task that a person failed.
    """
    reason, log = _reason(record, bad), _log(record, bad)
    failed = record.moved(
        TaskStatus.FAILED,
        max([situation.now, *(job.time for job in bad)]),
        reason=reason,
        log=log,
        stopping=False,
        is_growing=False,
        actor=record.actor,
    )
    where = f" (log: {log})" if log else ""
    alert = "" if record.stopping else f"{_version_name(record)} failed: {reason}{where}"
    return Action(ActionKind.FAIL, record.key, reason, records=(failed,), alert=alert)


def fail_for(record: TaskRecord, reason: str, now: datetime) -> Action:
    """Fail a version that cannot go on, although no job of it failed, and tell people once."""
    failed = record.moved(TaskStatus.FAILED, now, reason=reason, stopping=False, is_growing=False)
    alert = f"{_version_name(record)} failed: {reason}"
    return Action(ActionKind.FAIL, record.key, reason, records=(failed,), alert=alert)


def _reason(record: TaskRecord, bad: Sequence[JobRecord]) -> str:
    if record.stopping:
        return record.reason
    first = bad[0]
    many = f"{len(bad)} jobs failed, the first: " if len(bad) > 1 else ""
    name = f"job {index_text(first.key.index)}.{first.attempt}"
    return f"{many}{name} {first.status} ({first.failure or first.status}): {first.reason}"


def _log(record: TaskRecord, bad: Sequence[JobRecord]) -> str:
    return bad[0].log if bad else record.log


def _version_name(record: TaskRecord) -> str:
    return f"{record.key} v{record.version}"
