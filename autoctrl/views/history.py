"""What happened to one task: every record of it, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.job import JobRecord
from autoctrl.model.output import FieldsRecord, OutputRecord
from autoctrl.model.task import TaskRecord
from autoctrl.views.attempts import job_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from autoctrl.model.actor import Actor
    from autoctrl.ports import Record


class HistoryStep(NamedTuple):
    """One record of a task's history.

    time         when it was written
    kind         ``task``, ``job``, ``output`` or ``fields``
    version      version that it is about
    job          ``0.1``: index and attempt; empty unless it is about a job
    status       status then; of an output, of its copy; empty for fields
    reason       why
    actor        who caused it; None for outputs and fields
    sequence     number of the record within the task or job, 0 for outputs and fields
    epoch        epoch of the lease
    environment  the settings' environment
    text         name and address of an output, the values of fields
    """

    time: datetime
    kind: str
    version: int
    job: str
    status: str
    reason: str
    actor: Actor | None
    sequence: int
    epoch: int
    environment: str
    text: str = ""


def list_steps(records: Iterable[Record]) -> list[HistoryStep]:
    """Return the whole history of a task, oldest first."""
    return [
        _step(record)
        for record in records
        if isinstance(record, TaskRecord | JobRecord | OutputRecord | FieldsRecord)
    ]


def _step(record: TaskRecord | JobRecord | OutputRecord | FieldsRecord) -> HistoryStep:
    if isinstance(record, OutputRecord):
        text = f"{record.name}: {record.url}"
        return _publication(record, "output", record.state, text)
    if isinstance(record, FieldsRecord):
        text = ", ".join(f"{name} = {value}" for name, value in record.values.items())
        return _publication(record, "fields", "", text)
    is_job = isinstance(record, JobRecord)
    return HistoryStep(
        time=record.time,
        kind="job" if is_job else "task",
        version=record.key.version if isinstance(record, JobRecord) else record.version,
        job=job_name(record) if isinstance(record, JobRecord) else "",
        status=record.status,
        reason=record.reason,
        actor=record.actor,
        sequence=record.sequence,
        epoch=record.epoch,
        environment=record.environment,
    )


def _publication(
    record: OutputRecord | FieldsRecord, kind: str, status: str, text: str
) -> HistoryStep:
    """Return the step of a record that nobody moved: an output, or custom fields."""
    return HistoryStep(
        time=record.time,
        kind=kind,
        version=record.version,
        job="",
        status=status,
        reason="",
        actor=None,
        sequence=0,
        epoch=0,
        environment="",
        text=text,
    )


def spell_subject(step: HistoryStep) -> str:
    """Return what a step is about: ``task``, ``job 0.1``, ``output``, ``fields``."""
    return f"job {step.job}" if step.job else step.kind
