"""The observing half of a cycle: what executors say of jobs, and what locks and inputs answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError, ExecutorError, SettingsError
from autoctrl.handlers.handler import Resources
from autoctrl.handlers.run_line import CannotFill
from autoctrl.locks.lock import Wait
from autoctrl.locks.lookup import Lookup
from autoctrl.machine.acceptance import check_files
from autoctrl.machine.failures import Policy
from autoctrl.machine.provenance import describe, redact, write_body
from autoctrl.machine.situation import (
    Impossible,
    LateResult,
    ObservedJob,
    Situation,
    Startable,
)
from autoctrl.model.job import JobRecord, describe_unfit, tag, unit_folder
from autoctrl.model.run import spell_open
from autoctrl.model.software import read_setup
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.machine.situation import Readiness
    from autoctrl.model.job import JobKey, JobSpec
    from autoctrl.model.task import InputRef, TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Executor, JobReport, OpenTask

SUBMIT_MARGIN = 2.0  # an unanswered one may still take effect until twice its deadline


class Observer:
    """Looks at the world for one handler in one cycle; remembers what went wrong while looking."""

    def __init__(self, handler: Handler, context: Context, look: Lookup) -> None:
        """Observe for ``handler``; ``executors`` holds those that are open."""
        self.handler, self.context, self.look = handler, context, look
        self.executors: dict[str, Executor] = {}
        self.problems: list[str] = []
        self.answers: dict[str, str] = {}
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

    @property
    def has_immediate_executor(self) -> bool:
        """Whether jobs are at their end when their submission returns."""
        return any(executor.is_immediate for executor in self.executors.values())

    def observe(self, tasks: Sequence[OpenTask], paused: str = "") -> Situation:
        """Return all that planning may depend on; ``paused`` says why nothing may be submitted."""
        self.look.now = self.context.clock.now()
        readiness = {} if paused else self.ask_readiness(tasks)
        processing = [task for task in tasks if task.task.status is TaskStatus.PROCESSING]
        if self.has_immediate_executor:
            self._see_again([task.task for task in processing])
        observed_jobs = self.ask_executors(job for task in processing for job in task.jobs)
        return Situation(
            now=self.look.now,
            tasks=tasks,
            readiness=readiness,
            observed_jobs=observed_jobs,
            paused=paused,
            policy=read_policy(self.handler, self.context),
            merge=self.handler.merge,
            is_resubmit_safe={
                name: executor.has_safe_resubmit for name, executor in self.executors.items()
            },
            friend_of=self.handler.friend_of,
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

    def ask_readiness(self, tasks: Sequence[OpenTask]) -> dict[str, Readiness]:
        """Return by unit why each new task waits or what to start, and parts of growing ones."""
        asked = [task for task in tasks if _is_asked(task.task)]
        if not asked:
            return {}
        views = self.views([task.task for task in asked])
        waits = self._ask_lock(views)
        resources = self.resources()
        readiness: dict[str, Readiness] = {}
        for task, view in zip(asked, views, strict=True):
            self._views[unit_folder(view.unit)] = view
            unfit = describe_unfit(task.task.key)
            answer = Impossible(unfit) if unfit else waits.get(view.unit)
            readiness[view.unit] = answer or self.prepare(task, view, resources)
        return readiness

    def _ask_lock(self, views: Sequence[Task]) -> dict[str, Wait]:
        try:
            return self.handler.lock.check(views, self.look)
        except AutoctrlError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a lock of an author raises is a reason to wait
            reason = f"the lock raised {type(error).__name__}: {error}"
            return {view.unit: Wait(reason) for view in views}

    def prepare(self, task: OpenTask, view: Task, resources: Resources) -> Readiness:
        """Resolve the inputs of a task that no lock holds, and list its parts.

        A version of which some parts are done keeps its inputs and its parts, unless the workflow
        has ``while_open``: then only the parts are kept, and more may follow.
        """
        still_open = [run for _, run in sorted(view.runs.items()) if not run.is_closed]
        if still_open and not self.handler.while_open:
            return Wait(spell_open(still_open[0]))
        kept = _kept_parts(task)
        if kept and not self.handler.while_open:
            return Startable(task.task.inputs, kept, task.task.provenance)
        found = self.handler.find_inputs(view, self.look)
        if found.wait is not None:
            return found.wait
        view = view._replace(inputs=_paths_by_name(found.files))
        try:
            specs = self.handler.specs(view, resources, found.files, is_closed=not still_open)
        except CannotFill as error:
            return Impossible(str(error))
        if isinstance(specs, Wait):
            return specs
        parts = (*kept, *specs[len(kept) :])
        return Startable(found.files, parts, self.provenance(), is_growing=bool(still_open))

    def provenance(self) -> str:
        """Return the digest of the description of this workflow as it is now, written once per
        cycle.
        """
        if not self._provenance:
            description = describe(self.handler, self.context.settings.digest)
            executor = self.executor(self.resources().executor)
            templates = executor.describe(self.handler.workflow)
            description |= {"templates": redact(templates)} if templates else {}
            description |= {"setup": setup} if (setup := self.resources().setup) else {}
            self._provenance = write_body(self.context.state_folder, description)
        return self._provenance

    def resources(self) -> Resources:
        """Return what a job asks for: by the settings, else by the handler, else by default."""
        chosen = self.context.settings.workflow(self.handler.workflow, self.handler.resources)
        name = self.handler.executor_name or chosen.executor
        place = self.executor(name).place
        where = f"[workflows.{self.handler.workflow}] setup"
        setup = read_setup(chosen.setup, where)
        if setup and self.handler.function is not None:
            message = f"{where} is set, but its handler calls a function."
            hint = "A set-up is for commands: use a BatchHandler, or take the setting away."
            raise SettingsError(message, hint=hint)
        return Resources(name, chosen.memory_mb, chosen.time_limit_s, chosen.cpus, place, setup)

    def ask_executors(self, jobs: Iterable[JobRecord]) -> dict[JobKey, ObservedJob]:
        """Ask each executor about its live jobs: one question about tags, one about handles."""
        by_executor: dict[str, list[JobRecord]] = {}
        for job in jobs:
            if not job.is_final and (job.asked is not None or job.handle):
                by_executor.setdefault(job.spec.address, []).append(job)
        seen: dict[JobKey, ObservedJob] = {}
        for name, mine in by_executor.items():
            try:
                seen.update(self._ask(self.executor(name), mine))
                self.answers.setdefault(name, "")
            except (ExecutorError, SettingsError) as error:
                self.note_silent(name, error)
        return seen

    def note_silent(self, executor: str, error: AutoctrlError) -> None:
        """Note that an executor could not be asked, and why."""
        self.answers[executor] = str(error)
        self.problems.append(f"executor {executor}: {error}")

    def _ask(self, executor: Executor, jobs: Sequence[JobRecord]) -> dict[JobKey, ObservedJob]:
        tags = {tag(self.context.store.store_id, job): job for job in jobs if not job.handle}
        handles = {job.key: job.handle for job in jobs if job.handle}
        found = executor.find(list(tags)) if tags else {}
        handles.update({job.key: found.get(name, "") for name, job in tags.items()})
        reports = executor.poll([handle for handle in handles.values() if handle])
        seen = {}
        for job in jobs:
            handle = handles[job.key]
            seen[job.key] = self._observe_job(executor, job, handle, reports.get(handle))
        return seen

    def _observe_job(
        self, executor: Executor, job: JobRecord, handle: str, report: JobReport | None
    ) -> ObservedJob:
        late = self._late(executor, job)
        log = self.log_address(report.log) if report is not None else ""
        if report is None or report.status not in {JobStatus.DONE, JobStatus.FAILED}:
            return ObservedJob(handle, report, log=log, late=late)
        result = executor.result(handle)
        files, problem = ((), "") if result is None else (result.files, "")
        if result is not None and result.exit_code == 0 and result.failure is None:
            files, problem = check_files(self.handler, job.spec, result.files)
        return ObservedJob(handle, report, result, files, problem, log, late)

    def _late(self, executor: Executor, job: JobRecord) -> LateResult | None:
        """Return the result that an attempt given up as lost has left after all, if it has."""
        if job.attempt - 1 <= job.late:
            return None
        for record in self._lost(job.key.task).get(job.key, ()):
            result = executor.result(record.handle) if record.attempt > job.late else None
            if result is not None:
                return LateResult(record.attempt, result.exit_code)
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

    def log_address(self, path: str) -> str:
        """Return the address under which people read a log that lies at ``path``."""
        template = self.context.settings.project.log_url
        return template.replace("{path}", path) if template and path else path


def _is_asked(record: TaskRecord) -> bool:
    """Say whether a task may start, or may get more parts."""
    return record.status is TaskStatus.NEW or (record.is_growing and not record.stopping)


def _kept_parts(task: OpenTask) -> tuple[JobSpec, ...]:
    """Return what all parts of a version that is tried again do, if some of them are done."""
    parts = sorted((job for job in task.jobs if job.key.index >= 0), key=lambda job: job.key.index)
    is_tried_again = task.task.status is TaskStatus.NEW
    if is_tried_again and any(job.status is JobStatus.DONE for job in parts):
        return tuple(job.spec for job in parts)
    return ()


def _paths_by_name(files: Iterable[InputRef]) -> dict[str, tuple[str, ...]]:
    by_name: dict[str, tuple[str, ...]] = {}
    for ref in files:
        by_name[ref.name] = (*by_name.get(ref.name, ()), ref.url)
    return by_name


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


def read_policy(handler: Handler, context: Context) -> Policy:
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
