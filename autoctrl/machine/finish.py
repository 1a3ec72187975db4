"""The last records of a version: done with its outputs published, or failed with the reason.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.machine.situation import Action, ActionKind
from autoctrl.model.job import index_text
from autoctrl.model.output import FieldsRecord, publish
from autoctrl.model.quality import ALARM, quality_of, remark_of
from autoctrl.model.status import Role, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.machine.situation import Situation
    from autoctrl.model.job import JobRecord
    from autoctrl.model.task import TaskRecord


def finish_task(record: TaskRecord, jobs: Sequence[JobRecord], situation: Situation) -> Action:
    """Publish what the version made, in the same write that moves it to ``done``; an alarm of its
    data is told.
    """
    merges = [job for job in jobs if job.role is Role.MERGE]
    parts = [job for job in jobs if job.role is Role.PART]
    values = {name: value for job in (*parts, *merges) for name, value in job.fields.items()}
    remark = remark_of(values)
    done = record.moved(
        TaskStatus.DONE,
        situation.now,
        reason=remark,
        epoch=situation.epoch,
        environment=situation.environment,
        log=jobs[0].log if jobs else "",
    )
    files = [file for job in merges or parts for file in job.files]
    outputs = tuple(publish(done, file, situation.friend_of.get(file.name, "")) for file in files)
    fields = (FieldsRecord(record.key, record.version, values, done.time),) if values else ()
    discard = tuple(file.url for job in parts for file in job.files) if merges else ()
    text = f"done with {len(outputs)} outputs" if len(outputs) != 1 else "done with 1 output"
    alert = f"{record.key} v{record.version}: {remark}" if quality_of(remark) == ALARM else ""
    return Action(
        ActionKind.FINISH,
        record.key,
        text,
        records=(done, *outputs, *fields),
        discard=discard,
        alert=alert,
    )


def fail_task(record: TaskRecord, bad: Sequence[JobRecord], situation: Situation) -> Action:
    """Fail the version with the reason and the log's address, and tell people once."""
    reason, log = _verdict(record, bad)
    failed = record.moved(
        TaskStatus.FAILED,
        max([situation.now, *(job.time for job in bad)]),
        reason=reason,
        log=log,
        stopping=False,
        is_growing=False,
        epoch=situation.epoch,
        environment=situation.environment,
        actor=record.actor,
    )
    alert = (
        ""
        if record.stopping
        else f"{record.key} v{record.version} failed: {reason}" + (f" (log: {log})" if log else "")
    )
    return Action(ActionKind.FAIL, record.key, reason, records=(failed,), alert=alert)


def _verdict(record: TaskRecord, bad: Sequence[JobRecord]) -> tuple[str, str]:
    if record.stopping:
        return record.reason, bad[0].log if bad else record.log
    first = bad[0]
    many = f"{len(bad)} jobs failed, the first: " if len(bad) > 1 else ""
    name = f"job {index_text(first.key.index)}.{first.attempt}"
    kind = first.failure or first.status
    return f"{many}{name} {first.status} ({kind}): {first.reason}", first.log
