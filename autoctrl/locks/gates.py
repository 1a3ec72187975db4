"""The locks that come with autoctrl."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from autoctrl.errors import WorkflowError
from autoctrl.locks.lock import Lock, Wait
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import is_group, spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        """Look up every upstream task in one question per workflow."""
        waits: dict[str, Wait] = {}
        for workflow in self.workflows:
            keys = {
                task.unit: look.upstream_keys(workflow, task)
                for task in tasks
                if task.unit not in waits
            }
            known = look.tasks([key for upstream in keys.values() for key in upstream or ()])
            for task in tasks:
                if task.unit in keys:
                    upstream = keys[task.unit]
                    reason = (
                        _unknown(workflow, task, look)
                        if upstream is None
                        else self._reason(workflow, task, upstream, known)
                    )
                    if reason:
                        waits[task.unit] = Wait(reason)
        return waits

    def _reason(
        self, workflow: str, task: Task, keys: list[TaskKey], known: dict[TaskKey, TaskRecord]
    ) -> str:
        taken: set[int] = set()
        for key in keys:
            record = known.get(key)
            if record is None:
                return f"waits for {workflow}, which has no task for {spoken(key.unit)} yet"
            if record.status not in self.good:
                return f"waits for {workflow} of {spoken(key.unit)} ({record.status})"
            taken.update(record.members)
        if any(is_group(key.unit) for key in keys) and not taken.issuperset(task.members):
            groups = ", ".join(spoken(key.unit) for key in keys)
            return f"{groups} was processed without it by {workflow}; reprocess takes it in"
        return ""


def _unknown(workflow: str, task: Task, look: Lookup) -> str:
    """Say why nobody knows yet for which task of the workflow this one waits."""
    declared, runs = look.declaration(workflow), look.runs(task.members)
    if declared is None:
        return f"waits for {workflow}, of which no cycle is known yet"
    group_by = declared.group_by
    lacking = [
        number
        for number, run in runs.items()
        if group_by is not None and group_by not in run.attributes
    ]
    if lacking:
        return f"waits for {workflow}, which groups by {group_by}; run {min(lacking)} has none yet"
    return f"waits for {workflow}, which has not looked at {spoken(task.unit)} yet"


class Latest(Lock):
    """``Latest("pedestal")``: until the workflow is done for its newest run at or before this
    one.
    """

    def __init__(self, workflow: str) -> None:
        """Wait for the newest task of ``workflow``."""
        self.workflow = workflow
        self.latest = frozenset({workflow})

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Compare with all tasks of the workflow, read once."""
        waits = {task.unit: self._wait(task, look) for task in tasks}
        return {unit: wait for unit, wait in waits.items() if wait is not None}

    def _wait(self, task: Task, look: Lookup) -> Wait | None:
        name, what = self.workflow, spoken(task.unit)
        declared = look.declaration(name)
        if declared is None or (declared.is_live and declared.position < look.position):
            return Wait(f"waits for {name}, which has not looked at all runs yet")
        record = newest_before(self.workflow, task, look)
        if record is None:
            return Wait(f"waits for {name}: there is none at or before {what}")
        if record.status is not TaskStatus.DONE:
            return Wait(f"waits for {name} of {spoken(record.key.unit)} ({record.status})")
        return None


def newest_before(workflow: str, task: Task, look: Lookup) -> TaskRecord | None:
    """Return the workflow's task of the highest run at or before the unit's first run, skipped ones
    passed over.
    """
    first = min(task.members)
    candidates = [
        record
        for record in look.all_tasks(workflow)
        if record.members
        and max(record.members) <= first
        and record.status is not TaskStatus.SKIPPED
    ]
    return max(candidates, key=lambda record: max(record.members), default=None)


class Has(Lock):
    """``Has("luminosity")``: until every run of the unit has these attributes."""

    def __init__(self, *attributes: str) -> None:
        """Wait for ``attributes``."""
        self.attributes = attributes

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Look at the runs' newest records."""
        waits: dict[str, Wait] = {}
        for task in tasks:
            runs = look.runs(task.members)
            for number in task.members:
                known = runs[number].attributes if number in runs else {}
                missing = [name for name in self.attributes if name not in known]
                if missing:
                    waits[task.unit] = Wait(f"run {number} has no {', '.join(missing)} yet")
                    break
        return waits


class Quiet(Lock):
    """``Quiet(minutes=10)``: until nothing new was learned about the unit's runs for that long."""

    def __init__(self, minutes: float) -> None:
        """Wait for ``minutes`` of quiet."""
        self.minutes = minutes

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Compare the time of the runs' newest records with now."""
        waits: dict[str, Wait] = {}
        for task in tasks:
            newest = max(look.runs(task.members).values(), key=lambda run: run.time, default=None)
            if newest is not None:
                until = newest.time + timedelta(minutes=self.minutes)
                if until > look.now:
                    reason = f"run {newest.number} changed less than {self.minutes:g} minutes ago"
                    waits[task.unit] = Wait(reason, until)
        return waits


class RunClosed(Lock):
    """``RunClosed()``: until data taking has ended for every run of the unit."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Look at the runs' newest records."""
        waits: dict[str, Wait] = {}
        for task in tasks:
            still_open = [
                number for number, run in look.runs(task.members).items() if not run.is_closed
            ]
            if still_open:
                waits[task.unit] = Wait(f"run {min(still_open)} is still open")
        return waits


class FileExists(Lock):
    """``FileExists("maps/run{run:05d}.root")``: until a file is there for every run; relative to
    the project folder.
    """

    def __init__(self, pattern: str) -> None:
        """Wait for the file that ``pattern`` names; ``{run}`` stands for the run number."""
        try:
            pattern.format(run=1)
        except (LookupError, ValueError) as error:
            message = f"FileExists('{pattern}') is no pattern: {error}."
            raise WorkflowError(
                message, hint="Only {run} may stand in it, e.g. {run:05d}."
            ) from error
        self.pattern = pattern

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Look at the file system."""
        waits: dict[str, Wait] = {}
        for task in tasks:
            for number in task.members:
                name = self.pattern.format(run=number)
                if not (look.folder / name).exists():
                    waits[task.unit] = Wait(f"waits for file {name}")
                    break
        return waits


class Window(Lock):
    """``Window("22:00", "06:00")``: only between these times of day, in the time zone of the
    settings.
    """

    def __init__(self, start: str, end: str) -> None:
        """Be open from ``start`` to ``end``, which may lie after midnight."""
        try:
            self.start, self.end = time.fromisoformat(start), time.fromisoformat(end)
        except ValueError as error:
            message = f"Window('{start}', '{end}') is no window: {error}."
            raise WorkflowError(
                message, hint='Write times of day as in Window("22:00", "06:00").'
            ) from error

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Compare the local time of day with the window."""
        from zoneinfo import ZoneInfo

        local = look.now.astimezone(ZoneInfo(look.timezone))
        clock = local.time()
        inside = (
            self.start <= clock < self.end
            if self.start <= self.end
            else not self.end <= clock < self.start
        )
        if inside:
            return {}
        opens = datetime.combine(local.date(), self.start, local.tzinfo)
        if opens <= local:
            opens += timedelta(days=1)
        reason = f"runs only between {self.start:%H:%M} and {self.end:%H:%M}"
        wait = Wait(reason, opens.astimezone(look.now.tzinfo))
        return {task.unit: wait for task in tasks}
