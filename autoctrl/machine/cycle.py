"""One cycle of one workflow: create tasks, then observe, plan and perform."""

from __future__ import annotations

import time
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import AutoctrlError, LeaseHeld, SettingsError
from autoctrl.machine.birth_planner import BirthPlanner
from autoctrl.machine.births import describe_undeclared
from autoctrl.machine.observe import Observer, look_around
from autoctrl.machine.perform import Performer
from autoctrl.machine.plan import plan
from autoctrl.machine.provenance import deviation
from autoctrl.machine.quotas import find_hold
from autoctrl.machine.situation import Action, ActionKind, apply_records
from autoctrl.machine.summary import QUIET, Move, Summary
from autoctrl.machine.writer import LeasedWriter
from autoctrl.model.condition import ConditionKind
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.pauses import find_pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.machine.situation import Situation
    from autoctrl.ports import OpenTask, Record

FIRST_CHUNK = 50
GROW_CHUNK_BELOW_S = 0.25
SHORT_COMMIT = 12


class Prospect(NamedTuple):
    """What a cycle would do now.

    actions   every task that would move or wait
    problems  sentences about what could not be asked
    """

    actions: list[Action]
    problems: list[str]


class Cycle:
    """One cycle of one handler in one campaign."""

    def __init__(
        self, handler: Handler, context: Context, alive: Callable[[], None] = lambda: None
    ) -> None:
        """Work for ``handler``; ``alive`` is called while long work goes on, as a sign of life."""
        self.handler, self.context, self.alive = handler, context, alive
        self.writer = LeasedWriter(context, handler.workflow)
        self.births = BirthPlanner(handler, context)
        self.counts: Counter[str] = Counter()
        self.failed: list[str] = []
        self.moves: dict[str, Move] = {}

    @cached_property
    def observer(self) -> Observer:
        """The observing half, with the executor of functions open if the workflow calls one."""
        now = self.context.clock.now()
        look = look_around(self.context, now, self.handler.folder)
        observer = Observer(self.handler, self.context, look)
        if self.handler.function is not None:
            calls = self.context.calls(self.handler.function, observer.view_of, self.keep_alive)
            observer.executors[self.handler.executor_name] = calls
        return observer

    @cached_property
    def performer(self) -> Performer:
        """The acting half."""
        return Performer(self.context, self.observer, self.writer)

    def run(self) -> Summary:
        """Make the cycle; the lease is taken only if something has to be written.

        A lease that somebody else holds is an error in the summary.
        """
        began = time.monotonic()
        try:
            summary = self._run()
        except AutoctrlError as error:
            summary = self._summary([], [], str(error))._replace(cause=_cause_of(error))
        finally:
            self.writer.give_up()
        return summary._replace(elapsed_s=round(time.monotonic() - began, 3))

    def _run(self) -> Summary:
        with self.context.store.moment():
            tasks = self._open_tasks()
            has_births = bool(self.births.plan())
            situation = None if has_births else self.observer.observe(tasks, self.pause_reason())
        if situation is None or any(action.is_effective for action in plan(situation)):
            tasks = self._act(tasks, situation)
        return self._summary(tasks, self._problems())

    def _act(self, seen: list[OpenTask], situation: Situation | None) -> list[OpenTask]:
        """Act under the lease on what was observed; observe again if it has changed meanwhile."""
        self.writer.hold()
        with self.context.store.moment():
            tasks = self.create_tasks(self._open_tasks())
            if situation is None or tasks != seen:
                situation = self.observer.observe(tasks, self.pause_reason())
        actions = plan(situation)
        if self.observer.has_immediate_executor:
            return self._perform_in_chunks(tasks, actions)
        return self._perform(tasks, actions)

    def create_tasks(self, tasks: Sequence[OpenTask]) -> list[OpenTask]:
        """Create the tasks of runs that changed since the last look, and return all open ones.

        A task that has not begun is taken back where the filter does not take its run any more.
        """
        written = self.writer.write(self.births.plan())
        created = _new_tasks(written)
        self.counts.update({ActionKind.BIRTH: len(created)} if created else {})
        self.moves.update({one.key.unit: Move(one.key.unit, ActionKind.BIRTH) for one in created})
        return apply_records(tasks, written) if written else list(tasks)

    def _perform_in_chunks(
        self, tasks: list[OpenTask], actions: Sequence[Action]
    ) -> list[OpenTask]:
        """Perform actions whose jobs end at once, in chunks whose results are taken in at once.

        The first chunk is small, because a call whose result is not stored yet would be made again;
        the next ones are larger while they are quick.
        """
        still_open = {task.task.key: task for task in tasks}
        size, done = FIRST_CHUNK, 0
        while done < len(actions):
            chunk = actions[done : done + size]
            began = time.monotonic()
            keys = dict.fromkeys(action.task for action in chunk)
            mine = [still_open.pop(key) for key in keys if key in still_open]
            mine = self._take_results(self._perform(mine, chunk), chunk)
            still_open.update((task.task.key, task) for task in mine)
            done += len(chunk)
            size = size * 2 if time.monotonic() - began < GROW_CHUNK_BELOW_S else size
        return list(still_open.values())

    def _take_results(self, tasks: list[OpenTask], actions: Sequence[Action]) -> list[OpenTask]:
        """Take in the results of the jobs that these actions submitted and that have ended."""
        called = {action.task for action in actions if action.submit}
        ended = [task for task in tasks if task.task.key in called]
        if not ended:
            return tasks
        rest = [task for task in tasks if task.task.key not in called]
        return [*rest, *self._perform(ended, plan(self.observer.observe(ended)))]

    def _perform(self, tasks: Sequence[OpenTask], actions: Sequence[Action]) -> list[OpenTask]:
        written = self.performer.perform(actions)
        self.counts.update(action.kind for action in actions if action.records)
        moves = (_move_of(action) for action in actions if action.records)
        self.moves.update({move.unit: move for move in moves if move.kind not in QUIET})
        self.failed += [
            f"{action.task}: {action.text}" for action in actions if action.kind is ActionKind.FAIL
        ]
        return apply_records(tasks, written) if written else list(tasks)

    def look_ahead(self) -> Prospect:
        """Return what a cycle would do now; nothing is written."""
        births = self.births.plan()
        tasks = apply_records(self._open_tasks(), births)
        actions = plan(self.observer.observe(tasks, self.pause_reason()))
        untold = {task.key for task in _new_tasks(births)} - {action.task for action in actions}
        created = [Action(ActionKind.BIRTH, key, "would be created", ()) for key in sorted(untold)]
        return Prospect([*created, *actions], [*self._undeclared(), *self.observer.problems])

    def pause_reason(self) -> str:
        """Return why nothing may be submitted now, empty if it may.

        The workflow is paused, a quota is full, its campaign is closed, or it wants other code.
        """
        store, workflow = self.context.store, self.handler.workflow
        paused = find_pause(store, self.context.campaign, workflow)
        if paused is not None:
            return f"paused by {paused.actor.name}: {paused.reason}"
        full = find_hold(self.context.settings, store, self.context.campaign, workflow)
        if full:
            return full
        campaign = find_campaign(self.context.store, self.context.campaign)
        if campaign.closed:
            return f"campaign {campaign.name} is closed"
        found = deviation(self.handler.folder, campaign.code) if campaign.code else ""
        if not found:
            return ""
        wanted = str(campaign.code)[:SHORT_COMMIT]
        return f"campaign {campaign.name} wants code {wanted}; the workflow is at {found}"

    def keep_alive(self) -> None:
        """Keep the lease and give a sign of life."""
        self.writer.hold()
        self.alive()

    def _open_tasks(self) -> list[OpenTask]:
        return self.context.store.open_tasks(self.context.campaign, self.handler.workflow)

    def _undeclared(self) -> list[str]:
        handler, declared = self.handler, self.context.settings.attributes
        return describe_undeclared(handler.workflow, handler.where, handler.group_by, declared)

    def _problems(self) -> list[str]:
        executors = self.observer.executors.values()
        remarks = [text for executor in executors for text in executor.remarks]
        seen = [*self._undeclared(), *self.observer.problems, *self.performer.problems]
        return [*seen, *remarks, *self.context.store.remarks]

    def _summary(
        self, tasks: Sequence[OpenTask], problems: Sequence[str], error: str = ""
    ) -> Summary:
        new = sum(task.task.status is TaskStatus.NEW for task in tasks)
        jobs = [job for task in tasks for job in task.jobs]
        hosts = {job.host for job in jobs if job.status is JobStatus.RUNNING}
        return Summary(
            workflow=self.handler.workflow,
            after=tuple(sorted(self.handler.after)),
            counts=dict(self.counts),
            moved=self.writer.written,
            open=(new, len(tasks) - new),
            failed=tuple(self.failed),
            problems=tuple(problems),
            error=error,
            executors=self.observer.answers if "observer" in vars(self) else {},
            moves=tuple(self.moves.values()),
            jobs=dict(Counter(str(job.status) for job in jobs)),
            hosts=tuple(sorted(hosts - {""})),
        )


def _move_of(action: Action) -> Move:
    """Return what an action does to its task; a task that fails names its log."""
    records = action.records if action.kind is ActionKind.FAIL else ()
    logs = [record.log for record in records if isinstance(record, TaskRecord)]
    return Move(action.task.unit, action.kind, action.text, "".join(logs[:1]))


def _cause_of(error: AutoctrlError) -> str:
    """Return the kind of the condition that an error is, empty if it is none of its own."""
    if isinstance(error, LeaseHeld):
        return ConditionKind.LEASE
    return ConditionKind.SETTINGS if isinstance(error, SettingsError) else ""


def _new_tasks(records: Iterable[Record]) -> list[TaskRecord]:
    return [
        record
        for record in records
        if isinstance(record, TaskRecord) and record.status is TaskStatus.NEW
    ]
