"""A file that a version registered, and everything else that a store keeps beside tasks and
jobs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.actor import CYCLE, Actor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from autoctrl.model.job import FileInfo
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey


class LocationState(StrEnum):
    """What is known of one copy of an output."""

    PRESENT = "present"
    MOVED = "moved"
    DELETED = "deleted"
    LOST = "lost"


class OutputRecord(NamedTuple):
    """One copy of one output of one version; the record publishes the file.

    The newest record of (task, version, name, url) says how that copy is.

    task       the task that made it
    version    the task's version that made it
    name       the handler's name for it
    url        where this copy lies
    state      what is known of this copy
    bytes      size
    checksums  hex digest by algorithm
    entries    entries by tree
    members    the runs it is about
    friend_of  name of the input whose trees it is a friend of, empty if none
    time       when the copy was last checked, aware UTC
    """

    task: TaskKey
    version: int
    name: str
    url: str
    state: LocationState
    bytes: int
    checksums: Mapping[str, str]
    entries: Mapping[str, int]
    members: tuple[int, ...]
    friend_of: str
    time: datetime


def publish(task: TaskRecord, file: FileInfo, friend_of: str = "") -> OutputRecord:
    """Return the record that publishes a file which the present version of ``task`` wrote."""
    return OutputRecord(
        task=task.key,
        version=task.version,
        name=file.name,
        url=file.url,
        state=LocationState.PRESENT,
        bytes=file.bytes,
        checksums=dict([file.checksum.split(":", 1)]),
        entries=file.entries,
        members=task.members,
        friend_of=friend_of,
        time=task.time,
    )


class FieldsRecord(NamedTuple):
    """Custom fields that a version reported: numbers and short texts, apart from the machine's own
    records.

    task     the task
    version  its version
    values   number (always float) or text by name
    time     when they were accepted, aware UTC
    """

    task: TaskKey
    version: int
    values: Mapping[str, float | str]
    time: datetime


def newest_fields(records: Iterable[object]) -> FieldsRecord | None:
    """Return all custom fields of the newest version that reported some, None if none did; of
    several of one name the last holds. ``records`` are a task's, oldest first.
    """
    reported = [record for record in records if isinstance(record, FieldsRecord)]
    newest = max((record.version for record in reported), default=0)
    told = [record for record in reported if record.version == newest]
    values = {name: value for record in told for name, value in record.values.items()}
    return told[-1]._replace(values=values) if told else None


class MarkRecord(NamedTuple):
    """A fact about a campaign or a workflow in it; the newest of (kind, campaign, name) holds.

    kind      ``campaign``, ``workflow`` (declaration and cursor), ``pause``, ``seen`` (what the
              sources said last), ``condition``, ``quota``, ``incidents`` and ``incident``,
              ``release`` (the deployed commit that makes cycles)
    campaign  the campaign
    name      the workflow, or empty
    values    the fact
    time      when it was written, aware UTC
    actor     who wrote it
    reason    why
    sequence  previous + 1, from 1
    """

    kind: str
    campaign: str
    name: str
    values: Mapping[str, Any]
    time: datetime
    actor: Actor = CYCLE
    reason: str = ""
    sequence: int = 1
