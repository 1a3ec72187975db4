"""The acting half of a cycle: write the intent, act, write the outcome."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.errors import ExecutorError, SettingsError, SubmitRefused
from autoctrl.files import write_first
from autoctrl.machine.situation import ActionKind
from autoctrl.model.job import JobRecord, attempt_path, tag
from autoctrl.model.quality import says_the_same
from autoctrl.model.severity import Severity
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.ports import JobOrder, Message, OpenTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from autoctrl.machine.context import Context
    from autoctrl.machine.observe import Observer
    from autoctrl.machine.situation import Action
    from autoctrl.model.job import JobKey
    from autoctrl.ports import Executor, Lease, Record

MOST_ALERTS = 3
OWNER_FILE = ".store"
REFUSED_DELAY = timedelta(seconds=30)


class Performer:
    """Performs actions under one lease and remembers how the tasks stand then."""

    def __init__(self, context: Context, observer: Observer, hold: Callable[[], Lease]) -> None:
        """Act for ``context``; ``hold`` returns the lease, renewed if it needs to be."""
        self.context, self.observer, self.hold = context, observer, hold
        self.problems: list[str] = []

    def perform(self, actions: Sequence[Action]) -> list[Record]:
        """Write all records in one batch, then submit, remove, acknowledge, discard and tell;
        return what was written.

        A crash after the first write leaves intents that the next cycle takes up.
        """
        written = [record for action in actions for record in action.records]
        self._append(written)
        submitted = self._submit([job for action in actions for job in action.submit])
        self._append(submitted)
        self._each_executor((job for action in actions for job in action.remove), "remove")
        self._each_executor(
            (job for action in actions for job in action.acknowledge), "acknowledge"
        )
        for action in actions:
            for address in action.discard:
                with contextlib.suppress(OSError):
                    Path(address).unlink()
        for message in gathered(
            [_alarm(action) for action in actions if action.alert and self._is_news(action)]
        ):
            self.context.notifier.tell(message)
        return [*written, *submitted]

    def _is_news(self, action: Action) -> bool:
        """Say whether an alarm of a done version says anything that the version done before it did
        not.
        """
        if action.kind is not ActionKind.FINISH:
            return True
        records = self.context.store.history(action.task)
        told = [
            r.reason for r in records if isinstance(r, TaskRecord) and r.status is TaskStatus.DONE
        ][-2:]
        return len(told) == 1 or not says_the_same(*told)

    def _append(self, records: Sequence[Record]) -> None:
        if records:
            self.context.store.append(records, self.hold())

    def _submit(self, jobs: Sequence[JobRecord]) -> list[JobRecord]:
        by_executor: dict[str, list[JobRecord]] = {}
        for job in jobs:
            by_executor.setdefault(job.spec.address, []).append(job)
        outcome: list[JobRecord] = []
        for name, mine in by_executor.items():
            try:
                outcome += self._submit_to(self.observer.executor(name), mine)
            except SettingsError as error:
                self.problems.append(f"executor {name}: {error}")
        return outcome

    def _submit_to(self, executor: Executor, jobs: Sequence[JobRecord]) -> list[JobRecord]:
        tags = {tag(self.context.store.store_id, job): job for job in jobs}
        root = self.context.output_root
        orders = [
            JobOrder(name, job.spec, str(root / attempt_path(job))) for name, job in tags.items()
        ]
        try:
            if any(job.spec.outputs for job in jobs):
                own_folder(root, self.context.store.store_id)
            handles = executor.submit(orders)
        except SubmitRefused as error:
            refused = f"{len(jobs)} job{'s' * (len(jobs) != 1)}"
            self.problems.append(f"executor {executor.name} refused {refused}: {error}")
            return [self._refused(job, str(error)) for job in jobs]
        except ExecutorError as error:
            self.problems.append(f"executor {executor.name}: {error}")
            return self._unanswered(jobs, str(error))
        if executor.is_immediate:
            return []
        now = self.context.clock.now()
        return [
            job.moved(JobStatus.IDLE, now, handle=handles[name], epoch=job.epoch)
            if name in handles
            else self._refused(job, f"executor {executor.name} did not take it")
            for name, job in tags.items()
        ]

    def _refused(self, job: JobRecord, reason: str) -> JobRecord:
        """Return the record of a clear no: the same attempt is asked for again later, and does not
        count.
        """
        now = self.context.clock.now()
        return job.moved(
            JobStatus.SUBMITTING,
            now,
            reason=reason,
            asked=None,
            not_before=now + REFUSED_DELAY,
            epoch=job.epoch,
        )

    def _unanswered(self, jobs: Sequence[JobRecord], reason: str) -> list[JobRecord]:
        """Return records that say why nothing is known of a submission, where they do not say so
        already.
        """
        now = self.context.clock.now()
        untold = [job for job in jobs if job.reason != reason]
        return [
            job.moved(JobStatus.SUBMITTING, now, reason=reason, epoch=job.epoch) for job in untold
        ]

    def _each_executor(self, jobs: Iterable[JobRecord], verb: str) -> None:
        by_executor: dict[str, list[str]] = {}
        for job in jobs:
            if job.handle:
                by_executor.setdefault(job.spec.address, []).append(job.handle)
        for name, handles in by_executor.items():
            try:
                getattr(self.observer.executor(name), verb)(handles)
            except (ExecutorError, SettingsError) as error:
                self.problems.append(f"executor {name}: {error}")


def own_folder(root: Path, store_id: str) -> None:
    """Mark the folder of outputs as this store's, once.

    Another store begins its versions at 1 too and would write into the same places. Raises
    ``SubmitRefused`` if the folder is another store's, or cannot be written.
    """
    mark = root / OWNER_FILE
    try:
        if not mark.exists():
            root.mkdir(parents=True, exist_ok=True)
            write_first(mark, store_id.encode("ascii"))
        found = mark.read_text(encoding="ascii")
    except OSError as error:
        message = f"The folder of outputs {root} cannot be written: {error.strerror}."
        raise SubmitRefused(
            message, hint="See to the disk, or set [outputs] root to another folder."
        ) from error
    if found != store_id:
        message = (
            f"The folder of outputs {root} belongs to the store {found}, not to this one "
            f"({store_id})."
        )
        hint = (
            "Move it away, or set [outputs] root to another folder. Only if that store is "
            "gone for good and this one "
            f"was restored from its copy: write {store_id} into {mark}."
        )
        raise SubmitRefused(message, hint=hint)


def gathered(messages: Sequence[Message]) -> list[Message]:
    """Return the alarms of one cycle as few messages: a fault that fails a hundred tasks is told
    once.
    """
    if len(messages) <= MOST_ALERTS:
        return list(messages)
    first, more = messages[0], len(messages) - 1
    title = f"{first.title}; and {more} more tasks of this workflow in the same cycle"
    return [first._replace(title=title)]


def _alarm(action: Action) -> Message:
    task = action.task
    return Message(f"{task.campaign}/{task.workflow}/{task.unit}", Severity.ALARM, action.alert)


def as_open_tasks(tasks: Sequence[OpenTask], written: Sequence[Record]) -> list[OpenTask]:
    """Return the open tasks as they stand after ``written``, without asking the store."""
    records: dict[object, TaskRecord] = {task.task.key: task.task for task in tasks}
    jobs: dict[object, dict[JobKey, JobRecord]] = {
        task.task.key: {j.key: j for j in task.jobs} for task in tasks
    }
    for record in written:
        if isinstance(record, TaskRecord):
            records[record.key] = record
            jobs.setdefault(record.key, {})
        elif isinstance(record, JobRecord):
            jobs[record.key.task][record.key] = record
    return [
        OpenTask(record, tuple(jobs[key].values()))
        for key, record in records.items()
        if record.is_open
    ]
