"""The observing half of a cycle: open tasks, what executors say of their jobs, what locks and
inputs answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError, ExecutorError, SettingsError
from autoctrl.handlers.handler import Resources
from autoctrl.locks.lock import Wait
from autoctrl.locks.lookup import Lookup
from autoctrl.machine.acceptance import check_files
from autoctrl.machine.failures import Policy
from autoctrl.machine.provenance import describe, redacted, write_body
from autoctrl.machine.situation import Late, Ready, Sighting, Situation
from autoctrl.model.job import JobRecord, tag, unit_folder
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.model.job import JobKey
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Executor, JobReport, OpenTask

SUBMIT_MARGIN = 2.0  # a silent submission may still take effect for as long as it may be silent


class Observer:
    """Looks at the world for one handler in one cycle; remembers what went wrong while looking."""

    def __init__(self, handler: Handler, context: Context, look: Lookup) -> None:
        """Look for ``handler``; ``executors`` holds those that are open."""
        self.handler, self.context, self.look = handler, context, look
        self.executors: dict[str, Executor] = {}
        self.problems: list[str] = []
        self._provenance = ""
        self._views: dict[str, Task] = {}
        self._losses: dict[TaskKey, dict[JobKey, list[JobRecord]]] = {}

    def view_of(self, folder: str) -> Task:
        """Return the task, as authors see it, whose unit's folder has this name."""
        return self._views[folder]

    def executor(self, name: str) -> Executor:
        """Return the executor of this name, opened once."""
        if name not in self.executors:
            self.executors[name] = self.context.executor(name)
        return self.executors[name]

    def observe(self, tasks: Sequence[OpenTask], paused: str, epoch: int) -> Situation:
        """Return all that planning may depend on."""
        self.look.now = self.context.clock.now()
        gates = (
            {}
            if paused
            else self.gates([task.task for task in tasks], {t.task.key.unit: t.jobs for t in tasks})
        )
        if any(executor.is_immediate for executor in self.executors.values()):
            self._see_again(
                [task.task for task in tasks if task.task.status is TaskStatus.PROCESSING]
            )
        sightings = self.sightings(
            job for task in tasks if task.task.status is TaskStatus.PROCESSING for job in task.jobs
        )
        return Situation(
            now=self.look.now,
            tasks=tasks,
            gates=gates,
            sightings=sightings,
            paused=paused,
            policy=policy(self.handler, self.context),
            merge=self.handler.merge,
            is_resubmit_safe={
                name: executor.has_safe_resubmit for name, executor in self.executors.items()
            },
            friend_of=self.handler.friend_of,
            epoch=epoch,
            environment=self.context.environment,
        )

    def _see_again(self, tasks: Sequence[TaskRecord]) -> None:
        """Keep the views of tasks that were started by an earlier cycle, for calls that are made
        again.
        """
        unseen = [task for task in tasks if unit_folder(task.key.unit) not in self._views]
        if unseen:
            self._views.update((unit_folder(view.unit), view) for view in self.views(unseen))

    def views(self, tasks: Sequence[TaskRecord]) -> list[Task]:
        """Return the tasks as authors see them, their runs fetched in one question."""
        numbers = dict.fromkeys(number for task in tasks for number in task.members)
        runs = self.look.runs(numbers)
        settings = self.look.settings
        return [
            Task(
                task.key,
                task.version,
                task.members,
                {n: runs[n] for n in task.members if n in runs},
                settings,
            )
            for task in tasks
        ]

    def gates(
        self, tasks: Sequence[TaskRecord], jobs: Mapping[str, Sequence[JobRecord]]
    ) -> dict[str, Wait | Ready]:
        """Return for every new task why it waits or what to start, for every growing one what it
        consists of.
        """
        asked = [
            task
            for task in tasks
            if task.status is TaskStatus.NEW or (task.is_growing and not task.stopping)
        ]
        if not asked:
            return {}
        views = self.views(asked)
        waits = self._waits(views)
        resources = self.resources()
        gates: dict[str, Wait | Ready] = {}
        for record, view in zip(asked, views, strict=True):
            self._views[unit_folder(view.unit)] = view
            gates[view.unit] = waits.get(view.unit) or self.prepare(
                record, view, resources, jobs.get(view.unit, ())
            )
        return gates

    def _waits(self, views: Sequence[Task]) -> dict[str, Wait]:
        try:
            return self.handler.lock.check(views, self.look)
        except AutoctrlError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a lock of an author raises is a reason to wait
            reason = f"the lock raised {type(error).__name__}: {error}"
            return {view.unit: Wait(reason) for view in views}

    def prepare(
        self, record: TaskRecord, view: Task, resources: Resources, jobs: Sequence[JobRecord]
    ) -> Wait | Ready:
        """Resolve the inputs of a task that no lock holds, and list its parts.

        A version some of whose parts are done keeps its inputs and its parts; only where it began
        while its run was open, parts may follow them.
        """
        is_closed = all(run.is_closed for run in view.runs.values())
        if not is_closed and not self.handler.while_open:
            return Wait(
                f"run {min(n for n, run in view.runs.items() if not run.is_closed)} is still open"
            )
        parts = sorted((job for job in jobs if job.key.index >= 0), key=lambda job: job.key.index)
        is_kept = record.status is TaskStatus.NEW and any(
            job.status is JobStatus.DONE for job in parts
        )
        kept = tuple(job.spec for job in parts) if is_kept else ()
        if kept and not self.handler.while_open:
            return Ready(record.inputs, kept, record.provenance)
        found = self.handler.find_inputs(view, self.look)
        if found.wait is not None:
            return found.wait
        by_name: dict[str, tuple[str, ...]] = {}
        for ref in found.files:
            by_name[ref.name] = (*by_name.get(ref.name, ()), ref.url)
        specs = self.handler.specs(
            view._replace(inputs=by_name), resources, found.files, is_closed=is_closed
        )
        if isinstance(specs, Wait):
            return specs
        return Ready(
            found.files, (*kept, *specs[len(kept) :]), self.provenance(), is_growing=not is_closed
        )

    def provenance(self) -> str:
        """Return the digest of the description of this workflow as it is now, written once per
        cycle.
        """
        if not self._provenance:
            description = describe(self.handler, self.context.settings.digest)
            executor = self.executor(self.resources().executor)
            templates = executor.describe(self.handler.workflow)
            description |= {"templates": redacted(templates)} if templates else {}
            self._provenance = write_body(self.context.state_folder, description)
        return self._provenance

    def resources(self) -> Resources:
        """Return what a job asks for: the settings of the workflow, else the handler's word, else
        the defaults.
        """
        chosen = self.context.settings.workflow(self.handler.workflow, self.handler.resources)
        name = self.handler.executor_name or chosen.executor
        place = self.executor(name).place
        return Resources(name, chosen.memory_mb, chosen.time_limit_s, chosen.cpus, place)

    def sightings(self, jobs: Iterable[JobRecord]) -> dict[JobKey, Sighting]:
        """Ask each executor about its live jobs: one question about tags, one about handles."""
        by_executor: dict[str, list[JobRecord]] = {}
        for job in jobs:
            if not job.is_final and (job.asked is not None or job.handle):
                by_executor.setdefault(job.spec.address, []).append(job)
        seen: dict[JobKey, Sighting] = {}
        for name, mine in by_executor.items():
            try:
                seen.update(self._ask(self.executor(name), mine))
            except (ExecutorError, SettingsError) as error:
                self.problems.append(f"executor {name}: {error}")
        return seen

    def _ask(self, executor: Executor, jobs: Sequence[JobRecord]) -> dict[JobKey, Sighting]:
        tags = {tag(self.context.store.store_id, job): job for job in jobs if not job.handle}
        handles = {job.key: job.handle for job in jobs if job.handle}
        found = executor.find(list(tags)) if tags else {}
        handles.update({job.key: found.get(name, "") for name, job in tags.items()})
        reports = executor.poll([handle for handle in handles.values() if handle])
        seen = {}
        for job in jobs:
            handle = handles[job.key]
            seen[job.key] = self._sighting(executor, job, handle, reports.get(handle))
        return seen

    def _sighting(
        self, executor: Executor, job: JobRecord, handle: str, report: JobReport | None
    ) -> Sighting:
        late = self._late(executor, job)
        log = self.log_address(report.log) if report is not None else ""
        if report is None or report.status not in {JobStatus.DONE, JobStatus.FAILED}:
            return Sighting(handle, report, log=log, late=late)
        result = executor.result(handle)
        files, problem = ((), "") if result is None else (result.files, "")
        if result is not None and result.exit_code == 0 and result.failure is None:
            files, problem = check_files(self.handler, job.spec, result.files)
        return Sighting(handle, report, result, files, problem, log, late)

    def _late(self, executor: Executor, job: JobRecord) -> Late | None:
        """Look whether an attempt that was given up as lost has left a result after all."""
        if job.attempt - 1 <= job.late:
            return None
        for record in self._lost(job.key.task).get(job.key, ()):
            result = executor.result(record.handle) if record.attempt > job.late else None
            if result is not None:
                return Late(record.attempt, result.exit_code)
        return None

    def _lost(self, task: TaskKey) -> dict[JobKey, list[JobRecord]]:
        """Return the lost attempts of a task by job, newest first; its history is read once,
        however many jobs ask.
        """
        if task not in self._losses:
            found = self._losses[task] = {}
            for record in reversed(self.context.store.history(task)):
                if (
                    isinstance(record, JobRecord)
                    and record.status is JobStatus.LOST
                    and record.handle
                ):
                    found.setdefault(record.key, []).append(record)
        return self._losses[task]

    def log_address(self, place: str) -> str:
        """Return the address under which people read a log that lies at ``place``."""
        template = self.context.settings.project.log_url
        return template.replace("{path}", place) if template and place else place


def look_around(context: Context, now: datetime, workflow_folder: Path) -> Lookup:
    """Return a fresh look at the store for one cycle of a workflow in the context's campaign."""
    settings = context.settings
    return Lookup(
        context.store,
        context.campaign,
        now,
        folder=context.folder,
        inputs=settings.path(settings.inputs.root),
        workflow_folder=workflow_folder,
        limit_s=settings.cycle.lock_limit_s,
        timezone=settings.project.timezone,
    )


def policy(handler: Handler, context: Context) -> Policy:
    """Return the workflow's limits from the settings."""
    settings = context.settings
    chosen = settings.workflow(handler.workflow, handler.resources)
    longest_s = max(executor.submit_deadline_s for executor in settings.executors.values())
    return Policy(
        attempts=chosen.attempts,
        back_off_s=chosen.back_off_s,
        max_back_off_s=chosen.max_back_off_s,
        max_memory_mb=chosen.max_memory_mb,
        retry_exit_codes=handler.retry_exit_codes,
        submit_limit_s=longest_s * SUBMIT_MARGIN,
    )
