"""The acting half of a cycle: write the intent, act, write the outcome."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.errors import ExecutorError, SettingsError, SubmitRefused
from autoctrl.incidents import join_failures, write_with_marks
from autoctrl.machine.output_root import claim_output_root
from autoctrl.model.job import attempt_path, tag
from autoctrl.model.status import JobStatus
from autoctrl.ports import JobOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.machine.context import Context
    from autoctrl.machine.observe import Observer
    from autoctrl.machine.situation import Action
    from autoctrl.machine.writer import LeasedWriter
    from autoctrl.model.job import JobRecord
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Executor, Record

REFUSED_DELAY = timedelta(seconds=30)


class Performer:
    """Performs actions: writes their records, then does what the records say."""

    def __init__(self, context: Context, observer: Observer, writer: LeasedWriter) -> None:
        """Act for ``context`` with the executors that ``observer`` has open."""
        self.context, self.observer, self.writer = context, observer, writer
        self.problems: list[str] = []

    def perform(self, actions: Sequence[Action]) -> list[Record]:
        """Perform all actions, and return what was written.

        All records are written first, in one batch. A crash after that leaves intents that the next
        cycle takes up.
        """
        records = list(chain.from_iterable(each.records for each in actions))
        written = write_with_marks(
            lambda marks: self.writer.write([*records, *marks]), lambda: self._incidents(actions)
        )
        submitted = self._submit(chain.from_iterable(each.submit for each in actions))
        written += self.writer.write(submitted)
        self._remove(chain.from_iterable(each.remove for each in actions))
        self._acknowledge(chain.from_iterable(each.acknowledge for each in actions))
        _discard(chain.from_iterable(each.discard for each in actions))
        return written

    def _incidents(self, actions: Sequence[Action]) -> list[MarkRecord]:
        """Return the marks by which people will be told of what these actions find wrong."""
        failed = [record for each in actions if each.alert for record in each.records]
        context = self.context
        now = context.clock.now()
        return join_failures(context.store, context.campaign, self.writer.workflow, failed, now)

    def _submit(self, jobs: Iterable[JobRecord]) -> list[JobRecord]:
        """Hand the attempts to their executors; return what is known of them after that."""
        outcome: list[JobRecord] = []
        for address, mine in _by_executor(jobs).items():
            try:
                executor = self.observer.executor(address)
            except SettingsError as error:
                self.observer.note_silent(address, error)
            else:
                outcome += self._submit_to(executor, mine)
        return outcome

    def _submit_to(self, executor: Executor, jobs: Sequence[JobRecord]) -> list[JobRecord]:
        store_id, root = self.context.store.store_id, self.context.output_root
        tags = {tag(store_id, job): job for job in jobs}
        try:
            if any(job.spec.outputs for job in jobs):
                claim_output_root(root, store_id)
            handles = executor.submit([_order(name, job, root) for name, job in tags.items()])
        except SubmitRefused as error:
            count = f"{len(jobs)} job{'s' if len(jobs) != 1 else ''}"
            self.problems.append(f"executor {executor.name} refused {count}: {error}")
            return [self._refuse(job, str(error)) for job in jobs]
        except ExecutorError as error:
            self.observer.note_silent(jobs[0].spec.address, error)
            return self._explain(jobs, str(error))
        return [] if executor.is_immediate else self._enter(executor, tags, handles)

    def _enter(
        self, executor: Executor, tags: Mapping[str, JobRecord], handles: Mapping[str, str]
    ) -> list[JobRecord]:
        """Return the records of attempts that the executor has taken, or has left out."""
        now = self.context.clock.now()
        return [
            job.moved(JobStatus.IDLE, now, handle=handles[name])
            if name in handles
            else self._refuse(job, f"executor {executor.name} did not take it")
            for name, job in tags.items()
        ]

    def _refuse(self, job: JobRecord, reason: str) -> JobRecord:
        """Return the record of a refusal: the same attempt is submitted again later, and does not
        count.
        """
        now = self.context.clock.now()
        later = now + REFUSED_DELAY
        return job.moved(JobStatus.SUBMITTING, now, reason=reason, asked=None, not_before=later)

    def _explain(self, jobs: Sequence[JobRecord], reason: str) -> list[JobRecord]:
        """Return records that say why nothing is known of a submission, unless they do already."""
        now = self.context.clock.now()
        untold = [job for job in jobs if job.reason != reason]
        return [job.moved(JobStatus.SUBMITTING, now, reason=reason) for job in untold]

    def _remove(self, jobs: Iterable[JobRecord]) -> None:
        self._ask_executors(jobs, lambda executor, handles: executor.remove(handles))

    def _acknowledge(self, jobs: Iterable[JobRecord]) -> None:
        self._ask_executors(jobs, lambda executor, handles: executor.acknowledge(handles))

    def _ask_executors(
        self, jobs: Iterable[JobRecord], ask: Callable[[Executor, list[str]], None]
    ) -> None:
        """Ask each executor something about its attempts; one that fails is a problem."""
        for address, mine in _by_executor(job for job in jobs if job.handle).items():
            try:
                ask(self.observer.executor(address), [job.handle for job in mine])
            except (ExecutorError, SettingsError) as error:
                self.observer.note_silent(address, error)


def _by_executor(jobs: Iterable[JobRecord]) -> dict[str, list[JobRecord]]:
    by_executor: dict[str, list[JobRecord]] = {}
    for job in jobs:
        by_executor.setdefault(job.spec.address, []).append(job)
    return by_executor


def _order(name: str, job: JobRecord, root: Path) -> JobOrder:
    return JobOrder(name, job.spec, str(root / attempt_path(job)))


def _discard(addresses: Iterable[str]) -> None:
    for address in addresses:
        with contextlib.suppress(OSError):
            Path(address).unlink()
