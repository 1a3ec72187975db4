"""What a client remembers of the store as of one position: open tasks, their jobs, runs, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.job import JobRecord
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.ports import OpenTask
from autoctrl.stores.influx.journal import workflow_of
from autoctrl.stores.ordering import mark_key, task_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.model.job import JobKey
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.stores.influx.journal import WorkflowKey
    from autoctrl.stores.ordering import Sequenced

FEWEST_CARRIED = 500
PART_OPEN = 4


class Cache:
    """The newest records that are known; the journal has been followed up to ``position``.

    Nothing is kept of tasks that are over, so memory goes with what is open.
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.tasks: dict[WorkflowKey, dict[TaskKey, TaskRecord]] = {}
        self.jobs: dict[TaskKey, dict[JobKey, JobRecord]] = {}
        self.runs: dict[int, RunRecord] = {}
        self.marks: dict[tuple[str, str, str], MarkRecord] = {}
        # From which position a workflow was read, and how many of its records have come since.
        self.read_since: dict[WorkflowKey, int] = {}
        self.read_count: dict[WorkflowKey, int] = {}

    def begin(self, where: WorkflowKey, since: int) -> None:
        """Forget what is known of a workflow, which is about to be read from a position on."""
        self.tasks[where] = {}
        self.read_since[where], self.read_count[where] = since, 0

    def take(self, record: Record) -> None:
        """Take in a record that was written after all that is known."""
        if isinstance(record, TaskRecord):
            self._take_task(record)
        elif isinstance(record, JobRecord):
            self._take_job(record)
        elif isinstance(record, RunRecord):
            if record.number in self.runs:
                self.runs[record.number] = record
        elif isinstance(record, MarkRecord) and mark_key(record) in self.marks:
            self.marks[mark_key(record)] = record

    def _take_task(self, record: TaskRecord) -> None:
        where = workflow_of(record.key)
        self._count(where)
        known = self.tasks.setdefault(where, {})
        if record.is_open:
            known[record.key] = record
        else:
            known.pop(record.key, None)
            self.jobs.pop(record.key, None)

    def _take_job(self, record: JobRecord) -> None:
        key = record.key.task
        where = workflow_of(key)
        self._count(where)
        if key in self.tasks.get(where, {}):
            self.jobs.setdefault(key, {})[record.key] = record

    def _count(self, where: WorkflowKey) -> None:
        if where in self.read_count:
            self.read_count[where] += 1

    def known(self, record: Sequenced) -> Sequenced | None:
        """Return the newest record of the identity of ``record``, None if it is not known here."""
        if isinstance(record, TaskRecord):
            return self.tasks.get(workflow_of(record.key), {}).get(record.key)
        if isinstance(record, JobRecord):
            return self.jobs.get(record.key.task, {}).get(record.key)
        if isinstance(record, RunRecord):
            return self.runs.get(record.number)
        return self.marks.get(mark_key(record))

    def is_complete_for(self, record: Sequenced) -> bool:
        """Whether a record of this identity would be known here if the store had one.

        That is so for the jobs of the present version of open tasks, once their workflow was read.
        """
        if not isinstance(record, JobRecord):
            return False
        where = workflow_of(record.key.task)
        task = self.tasks.get(where, {}).get(record.key.task)
        if task is None or where not in self.read_since:
            return False
        return task.version == record.key.version

    def open_tasks(self, where: WorkflowKey) -> list[OpenTask]:
        """Return the open tasks of a workflow with the jobs of their present version."""
        tasks = sorted(self.tasks.get(where, {}).values(), key=lambda task: task_order(task.key))
        return [OpenTask(task, self._jobs(task)) for task in tasks]

    def _jobs(self, task: TaskRecord) -> tuple[JobRecord, ...]:
        known = self.jobs.get(task.key, {}).values()
        chosen = [job for job in known if job.key.version == task.version]
        return tuple(sorted(chosen, key=lambda job: job.key.index))

    def is_mark_due(self, where: WorkflowKey) -> bool:
        """Whether so much was written since a workflow's low-water mark that it should move."""
        count = self.read_count.get(where, 0)
        if where not in self.read_since or count <= FEWEST_CARRIED:
            return False
        return count > PART_OPEN * sum(1 + len(one.jobs) for one in self.open_tasks(where))


def newest_of(records: Iterable[Sequenced]) -> dict[object, Sequenced]:
    """Return the newest record of every identity: the one with the highest sequence."""
    found: dict[object, Sequenced] = {}
    for record in records:
        key = identity(record)
        if key not in found or record.sequence > found[key].sequence:
            found[key] = record
    return found


def identity(record: Sequenced) -> object:
    """Return that within which the sequence of a record counts."""
    if isinstance(record, RunRecord):
        return record.number
    if isinstance(record, MarkRecord):
        return ("mark", *mark_key(record))
    return record.key
