"""The locks that come with autoctrl."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from autoctrl.errors import WorkflowError
from autoctrl.locks.lock import Lock, Wait
from autoctrl.model.run import spell_open
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import is_group, spell_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.locks.lookup import Lookup
    from autoctrl.model.task import Task, TaskRecord
    from autoctrl.model.unit import TaskKey


class After(Lock):
    """``After("a", "b")``: until the same unit is done in these workflows.

    Seen from a group: done for all members. Seen from a run behind a workflow that groups: its
    group is done. ``skipped=True`` takes a skipped task for a done one.
    """

    def __init__(self, *workflows: str, skipped: bool = False) -> None:
        """Wait for ``workflows``."""
        if not workflows:
            message = "After() names no workflow."
            raise WorkflowError(message, hint='Write After("reco").')
        self.workflows = workflows
        self.after = frozenset(workflows)
        self.good = {TaskStatus.DONE, TaskStatus.SKIPPED} if skipped else {TaskStatus.DONE}

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask one question per workflow, about the tasks that those before it let pass."""
        waits: dict[str, Wait] = {}
        for workflow in self.workflows:
            asked = [task for task in tasks if task.unit not in waits]
            reasons = self._explain_all(workflow, asked, look)
            waits |= {unit: Wait(reason) for unit, reason in reasons.items() if reason}
        return waits

    def reason(self, task: Task, look: Lookup) -> Wait | None:
        """Return the reason of the first workflow that the task waits for."""
        return self.check([task], look).get(task.unit)

    def _explain_all(
        self, workflow: str, tasks: Sequence[Task], look: Lookup
    ) -> dict[str, str | None]:
        upstream = {task.unit: look.upstream_keys(workflow, task) for task in tasks}
        known = look.tasks([key for keys in upstream.values() for key in keys or ()])
        reasons: dict[str, str | None] = {}
        for task in tasks:
            keys = upstream[task.unit]
            if keys is None:
                reasons[task.unit] = _explain_unknown(workflow, task, look)
            else:
                reasons[task.unit] = self._explain(workflow, task, keys, known)
        return reasons

    def _explain(
        self,
        workflow: str,
        task: Task,
        keys: Sequence[TaskKey],
        known: Mapping[TaskKey, TaskRecord],
    ) -> str | None:
        for key in keys:
            record = known.get(key)
            if record is None:
                return f"waits for {workflow}, which has no task for {spell_unit(key.unit)} yet"
            if record.status not in self.good:
                return f"waits for {workflow} of {spell_unit(key.unit)} ({record.status})"
        return _explain_late(workflow, task, [known[key] for key in keys])


def _explain_unknown(workflow: str, task: Task, look: Lookup) -> str:
    """Say why it is not known yet for which task of the workflow this one waits."""
    declared, runs = look.declaration(workflow), look.runs(task.members)
    if declared is None:
        return f"waits for {workflow}, of which no cycle is known yet{look.resembling(workflow)}"
    group_by = declared.group_by
    lacking = [number for number, run in runs.items() if group_by not in run.attributes]
    if group_by is not None and lacking:
        return f"waits for {workflow}, which groups by {group_by}; run {min(lacking)} has none yet"
    return f"waits for {workflow}, which has not looked at {spell_unit(task.unit)} yet"


def _explain_late(workflow: str, task: Task, upstream: Sequence[TaskRecord]) -> str | None:
    """Say that groups were processed without a run of this task, None if they were not."""
    if not any(is_group(record.key.unit) for record in upstream):
        return None
    taken = {number for record in upstream for number in record.members}
    if taken.issuperset(task.members):
        return None
    groups = ", ".join(spell_unit(record.key.unit) for record in upstream)
    return f"{groups} was processed without it by {workflow}; reprocess takes it in"


class Newest(Lock):
    """Until a workflow is done for its newest run at or before the task's: what ``Latest`` reads.

    Tasks that were skipped there are passed over.
    """

    def __init__(self, workflow: str) -> None:
        """Wait for the newest task of ``workflow``."""
        self.workflow = workflow
        self.after = frozenset({workflow})

    def reason(self, task: Task, look: Lookup) -> str | None:
        """Compare with all tasks of the workflow, read once per cycle."""
        name = self.workflow
        declared = look.declaration(name)
        if declared is None or (declared.is_live and declared.position < look.position):
            return f"waits for {name}, which has not looked at all runs yet"
        record = look.newest_task(name, min(task.members))
        if record is None:
            return f"waits for {name}: there is none at or before {spell_unit(task.unit)}"
        if record.status is not TaskStatus.DONE:
            return f"waits for {name} of {spell_unit(record.key.unit)} ({record.status})"
        return None


class Has(Lock):
    """``Has("luminosity")``: until every run of the unit has these attributes."""

    def __init__(self, *attributes: str) -> None:
        """Wait for ``attributes``."""
        self.attributes = attributes

    def reason(self, task: Task, look: Lookup) -> str | None:
        """Name the first run that lacks one, and all that it lacks."""
        runs = look.runs(task.members)
        for number in task.members:
            known = runs[number].attributes if number in runs else {}
            missing = [name for name in self.attributes if name not in known]
            if missing:
                return f"run {number} has no {', '.join(missing)} yet"
        return None


class Quiet(Lock):
    """``Quiet(minutes=10)``: until nothing new was learned about the unit's runs for that long."""

    def __init__(self, minutes: float) -> None:
        """Wait for ``minutes`` of quiet."""
        self.minutes = minutes

    def reason(self, task: Task, look: Lookup) -> Wait | None:
        """Compare the time of the runs' newest records with now."""
        newest = max(look.runs(task.members).values(), key=lambda run: run.time, default=None)
        if newest is None:
            return None
        until = newest.time + timedelta(minutes=self.minutes)
        text = f"run {newest.number} changed less than {self.minutes:g} minutes ago"
        return Wait(text, until) if until > look.now else None


class RunClosed(Lock):
    """``RunClosed()``: until data taking has ended for every run of the unit."""

    def reason(self, task: Task, look: Lookup) -> str | None:
        """Name the first run that is still open."""
        runs = look.runs(sorted(task.members))
        return next((spell_open(run) for run in runs.values() if not run.is_closed), None)


class FileExists(Lock):
    """``FileExists("maps/run{run:05d}.root")``: until a file is there for every run of the unit.

    The path is relative to the project's folder.
    """

    def __init__(self, pattern: str) -> None:
        """Wait for the file that ``pattern`` names; ``{run}`` stands for the run number."""
        check_pattern("FileExists", pattern)
        self.pattern = pattern

    def reason(self, task: Task, look: Lookup) -> str | None:
        """Name the first file that is not there."""
        names = (self.pattern.format(run=number) for number in task.members)
        missing = next((name for name in names if not (look.folder / name).exists()), None)
        return f"waits for file {missing}" if missing else None


def check_pattern(what: str, pattern: str) -> None:
    """Raise ``WorkflowError`` if anything but ``{run}`` has to be filled into a file pattern."""
    try:
        pattern.format(run=1)
    except (LookupError, ValueError) as error:
        message = f"{what}('{pattern}') is not a pattern: {error}."
        raise WorkflowError(message, hint="Only {run} may stand in it, e.g. {run:05d}.") from error


class Window(Lock):
    """``Window("22:00", "06:00")``: only between these local times of day.

    The time zone is that of the settings.
    """

    def __init__(self, start: str, end: str) -> None:
        """Be open from ``start`` to ``end``, which may lie after midnight."""
        try:
            self.start, self.end = time.fromisoformat(start), time.fromisoformat(end)
        except ValueError as error:
            message = f"Window('{start}', '{end}') is not a window: {error}."
            raise WorkflowError(
                message, hint='Write times of day as in Window("22:00", "06:00").'
            ) from error

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Give all tasks the same answer."""
        wait = self._wait(look)
        return {} if wait is None else {task.unit: wait for task in tasks}

    def _wait(self, look: Lookup) -> Wait | None:
        from zoneinfo import ZoneInfo

        local = look.now.astimezone(ZoneInfo(look.timezone))
        if self._contains(local.time()):
            return None
        opens = datetime.combine(local.date(), self.start, local.tzinfo)
        if opens <= local:
            opens += timedelta(days=1)
        reason = f"runs only between {self.start:%H:%M} and {self.end:%H:%M}"
        return Wait(reason, opens.astimezone(look.now.tzinfo))

    def _contains(self, clock: time) -> bool:
        if self.start <= self.end:
            return self.start <= clock < self.end
        return not self.end <= clock < self.start
