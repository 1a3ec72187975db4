"""What a client remembers of the store: open tasks, their jobs, runs and marks, true as of one
position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.job import JobRecord
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.ports import OpenTask
from autoctrl.stores.ordering import mark_key, task_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.model.job import JobKey
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.stores.ordering import Sequenced

    Place = tuple[str, str]  # campaign, workflow


class Newest:
    """The newest records that are known; ``position`` is up to where the journal was followed.

    Of a task that is over nothing is kept: memory goes with what is open.
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.tasks: dict[Place, dict[TaskKey, TaskRecord]] = {}
        self.jobs: dict[TaskKey, dict[JobKey, JobRecord]] = {}
        self.runs: dict[int, RunRecord] = {}
        self.marks: dict[tuple[str, str, str], MarkRecord] = {}
        # Since where the journal of a place was read, and how many records of it have come since
        # then.
        self.read_since: dict[Place, int] = {}
        self.read_count: dict[Place, int] = {}

    def take(self, record: Record) -> None:
        """Take in a record that was written after all that is known."""
        if isinstance(record, TaskRecord):
            self._count(record.key)
            known = self.tasks.setdefault(record.key[:2], {})
            if record.is_open:
                known[record.key] = record
            else:
                known.pop(record.key, None)
                self.jobs.pop(record.key, None)
        elif isinstance(record, JobRecord):
            key = record.key.task
            self._count(key)
            if key in self.tasks.get(key[:2], {}):
                self.jobs.setdefault(key, {})[record.key] = record
        elif isinstance(record, RunRecord):
            if record.number in self.runs:
                self.runs[record.number] = record
        elif isinstance(record, MarkRecord) and mark_key(record) in self.marks:
            self.marks[mark_key(record)] = record

    def _count(self, key: TaskKey) -> None:
        place = key[:2]
        if place in self.read_count:
            self.read_count[place] += 1

    def known(self, record: Sequenced) -> Sequenced | None:
        """Return the newest record of the identity of ``record``, None if it is not known here."""
        if isinstance(record, TaskRecord):
            return self.tasks.get(record.key[:2], {}).get(record.key)
        if isinstance(record, JobRecord):
            return self.jobs.get(record.key.task, {}).get(record.key)
        if isinstance(record, RunRecord):
            return self.runs.get(record.number)
        return self.marks.get(mark_key(record))

    def has_all_of(self, record: Sequenced) -> bool:
        """Say whether what is not known of this identity is not there either."""
        if isinstance(record, JobRecord):
            key = record.key.task
            task = self.tasks.get(key[:2], {}).get(key)
            return (
                task is not None
                and task.version == record.key.version
                and key[:2] in self.read_since
            )
        return False

    def open_tasks(self, place: Place) -> list[OpenTask]:
        """Return the open tasks of a place with the jobs of their present version."""
        tasks = sorted(self.tasks.get(place, {}).values(), key=lambda task: task_order(task.key))
        return [OpenTask(task, self._jobs(task)) for task in tasks]

    def _jobs(self, task: TaskRecord) -> tuple[JobRecord, ...]:
        chosen = [
            job for job in self.jobs.get(task.key, {}).values() if job.key.version == task.version
        ]
        return tuple(sorted(chosen, key=lambda job: job.key.index))


def newest_of(records: Iterable[Sequenced]) -> dict[object, Sequenced]:
    """Return the newest record of every identity: the one with the highest sequence."""
    found: dict[object, Sequenced] = {}
    for record in records:
        key = identity(record)
        if key not in found or record.sequence > found[key].sequence:
            found[key] = record
    return found


def identity(record: Sequenced) -> object:
    """Return what the sequence of a record counts within."""
    if isinstance(record, RunRecord):
        return record.number
    if isinstance(record, MarkRecord):
        return ("mark", *mark_key(record))
    return record.key
