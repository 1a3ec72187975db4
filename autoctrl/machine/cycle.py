"""One cycle of one workflow: births, then observe → plan → perform until nothing immediate is
left.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import AutoctrlError, LeaseLost
from autoctrl.machine.births import (
    Birth,
    advance,
    is_withdrawn,
    refused_units,
    undeclared,
    withdraw,
)
from autoctrl.machine.observe import Observer, look_around
from autoctrl.machine.perform import Performer, as_open_tasks
from autoctrl.machine.plan import plan
from autoctrl.machine.provenance import deviation
from autoctrl.machine.situation import Action, ActionKind
from autoctrl.model.names import workflow_lease
from autoctrl.model.output import MarkRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.succession import following
from autoctrl.model.task import TaskRecord, born
from autoctrl.model.unit import TaskKey
from autoctrl.model.workflow import UNSEEN, WORKFLOW, Cursor, WorkflowState, read_workflow
from autoctrl.ports import OpenTask, Selection
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.machine.situation import Situation
    from autoctrl.ports import Lease, Record

FIRST_CHUNK = 50
GROW_CHUNK_BELOW_S = 0.25
RENEW_AT = 1 / 3


class Summary(NamedTuple):
    """What one cycle of one workflow did.

    workflow  its name
    after     the workflows it waits for
    counts    number of actions by kind
    moved     number of records written
    open      tasks that are new, and processing, afterwards
    failed    one line per task that failed for good in this cycle
    problems  sentences about what could not be asked
    error     why the cycle could not work at all, empty if it could
    """

    workflow: str
    after: tuple[str, ...] = ()
    counts: Mapping[str, int] = {}
    moved: int = 0
    open: tuple[int, int] = (0, 0)
    failed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    error: str = ""


class Cycle:
    """One cycle of one handler in one campaign."""

    def __init__(
        self, handler: Handler, context: Context, alive: Callable[[], None] = lambda: None
    ) -> None:
        """Work for ``handler``; ``alive`` is called while long work goes on, as a sign of life."""
        self.handler, self.context, self.alive = handler, context, alive
        self.name = workflow_lease(context.campaign, handler.workflow)
        self.lease: Lease | None = None
        self.renewed = 0.0
        self.moved = 0
        self.counts: Counter[str] = Counter()
        self.failed: list[str] = []

    def run(self) -> Summary:
        """Make the cycle; nobody is kept from anything unless there is something to do, which needs
        the lease.

        A lease that somebody else holds is an error in the summary.
        """
        try:
            return self._run()
        except AutoctrlError as error:
            return self._summary((0, 0), (), str(error))
        finally:
            self._give_up()

    def _run(self) -> Summary:
        with self.context.store.moment():
            tasks = self._open_tasks()
            has_births = bool(self.planned_births())
            observer, performer = self._halves()
            situation = None if has_births else observer.observe(tasks, self.paused(), 0)
        if situation is None or any(action.is_effective for action in plan(situation)):
            tasks = self._run_held(tasks, situation, observer, performer)
        new = sum(task.task.status is TaskStatus.NEW for task in tasks)
        remarks = [text for executor in observer.executors.values() for text in executor.remarks]
        told = (*self._undeclared(), *observer.problems, *performer.problems, *remarks)
        problems = (*told, *self.context.store.remarks)
        return self._summary((new, len(tasks) - new), problems)

    def _run_held(
        self,
        seen: list[OpenTask],
        situation: Situation | None,
        observer: Observer,
        performer: Performer,
    ) -> list[OpenTask]:
        """Act under the lease on what was observed, or observe again if it has changed before the
        lease was ours.
        """
        epoch = self.hold().epoch
        with self.context.store.moment():
            tasks = self.births(self._open_tasks())
            if situation is None or tasks != seen:
                situation = observer.observe(tasks, self.paused(), epoch)
        return self._perform(tasks, plan(situation._replace(epoch=epoch)), observer, performer)

    def _open_tasks(self) -> list[OpenTask]:
        return self.context.store.open_tasks(self.context.campaign, self.handler.workflow)

    def look_ahead(self) -> tuple[list[Action], list[str]]:
        """Return what a cycle would do now, and what could not be asked; nothing is written."""
        births = self.planned_births()
        known = self.context.store.open_tasks(self.context.campaign, self.handler.workflow)
        observer, _ = self._halves()
        actions = plan(observer.observe(as_open_tasks(known, births), self.paused(), 0))
        unseen = {record.key for record in _newborn_tasks(births)} - {
            action.task for action in actions
        }
        born_only = [Action(ActionKind.BIRTH, key, "would be born", ()) for key in sorted(unseen)]
        return [*born_only, *actions], [*self._undeclared(), *observer.problems]

    def _undeclared(self) -> list[str]:
        handler = self.handler
        return undeclared(
            handler.workflow, handler.where, handler.group_by, self.context.settings.attributes
        )

    def _halves(self) -> tuple[Observer, Performer]:
        observer = Observer(
            self.handler,
            self.context,
            look_around(self.context, self.context.clock.now(), self.handler.folder),
        )
        function = self.handler.function
        if function is not None:
            calls = self.context.calls(function, observer.view_of, self.tick)
            observer.executors[self.handler.executor_name] = calls
        return observer, Performer(self.context, observer, self.hold)

    def _perform(
        self,
        tasks: list[OpenTask],
        actions: Sequence[Action],
        observer: Observer,
        performer: Performer,
    ) -> list[OpenTask]:
        """Perform the actions; calls of functions in chunks whose results are taken in at once.

        A small first chunk, because a call whose result is not stored yet would be made again;
        larger ones while they are quick.
        """
        if self.handler.function is None:
            return self._write(tasks, actions, performer)
        size, done = FIRST_CHUNK, 0
        while done < len(actions):
            chunk = actions[done : done + size]
            began = time.monotonic()
            tasks = self._write(tasks, chunk, performer)
            called = {action.task for action in chunk if action.submit}
            mine = [task for task in tasks if task.task.key in called]
            if mine:
                tasks = self._write(
                    tasks, plan(observer.observe(mine, "", self.hold().epoch)), performer
                )
            done += len(chunk)
            size = size * 2 if time.monotonic() - began < GROW_CHUNK_BELOW_S else size
        return tasks

    def _write(
        self, tasks: Sequence[OpenTask], actions: Sequence[Action], performer: Performer
    ) -> list[OpenTask]:
        written = performer.perform(actions)
        self.moved += len(written)
        self.counts.update(action.kind for action in actions if action.records)
        self.failed += [
            f"{action.task}: {action.text}" for action in actions if action.kind is ActionKind.FAIL
        ]
        return as_open_tasks(tasks, written) if written else list(tasks)

    def births(self, tasks: Sequence[OpenTask]) -> list[OpenTask]:
        """Bring forth the tasks of runs that changed since the cursor; a changed filter looks at
        all runs once.

        What has not begun is taken back where the filter does not take its run any more.
        """
        records = self.planned_births()
        if not records:
            return list(tasks)
        self.context.store.append(records, self.hold())
        self.moved += len(records)
        fresh = len(_newborn_tasks(records))
        self.counts.update({ActionKind.BIRTH: fresh} if fresh else {})
        return as_open_tasks(tasks, records)

    def planned_births(self) -> list[Record]:
        """Return the records that births would write: new tasks, withdrawn ones, and the mark with
        the cursor.
        """
        store, handler = self.context.store, self.handler
        campaign = find_campaign(store, self.context.campaign)
        marks = store.marks(WORKFLOW, self.context.campaign)
        mark = next((mark for mark in marks if mark.name == handler.workflow), None)
        state = UNSEEN if mark is None else read_workflow(mark.values)
        asked = (
            handler.where.digest,
            handler.group_by or "",
            campaign.runs or "",
            str(campaign.follow),
        )
        digest = "/".join(
            (*asked, store.store_id)
        )  # another store, to which this one was copied, counts otherwise
        cursor = state.cursor
        is_rescan = cursor.digest != digest
        if is_rescan:
            cursor = Cursor(digest=digest)
        changed, position = store.runs(cursor.position)
        if campaign.closed or (position == cursor.position and not is_rescan):
            return self._redeclared(mark, state)
        wanted = None if campaign.follow else campaign.wanted()
        births, cursor = advance(
            cursor, changed, position, where=handler.where, group_by=handler.group_by, wanted=wanted
        )
        newborn, late = self._newborn(births)
        if mark is None:  # then there is nothing that could be taken back
            return [*newborn, self._marked(mark, state, cursor, late, ())]
        refused = refused_units(
            changed, where=handler.where, group_by=handler.group_by, wanted=wanted
        )
        withdrawn, kept = self._withdrawn(refused)
        numbers = {run.number for run in changed}
        # A changed filter may leave any number of tasks behind; who changed it knows. A changed run
        # is to be told.
        told = state.kept.intersection(kept) if is_rescan else (state.kept - numbers).union(kept)
        return [*newborn, *withdrawn, self._marked(mark, state, cursor, late, told)]

    def _withdrawn(self, refused: Mapping[str, set[int]]) -> tuple[list[TaskRecord], list[int]]:
        """Return the last records of tasks that are taken back, and the runs whose tasks have begun
        and stay.
        """
        if not refused:
            return [], []
        known = self.context.store.tasks(
            Selection(self.context.campaign, (self.handler.workflow,), tuple(refused))
        )
        return withdraw(known, refused, self.context.clock.now(), self._stamp())

    def _stamp(self) -> dict[str, Any]:
        return {
            "epoch": self.lease.epoch if self.lease else 0,
            "environment": self.context.environment,
        }

    def _newborn(self, births: Iterable[Birth]) -> tuple[list[Record], dict[str, list[int]]]:
        """Return the first records of units that are new, and the runs that came too late for a
        group.
        """
        now = self.context.clock.now()
        campaign, workflow = self.context.campaign, self.handler.workflow
        keys = {TaskKey(campaign, workflow, birth.unit): birth for birth in births}
        if not keys:
            return [], {}
        chosen = Selection(campaign, (workflow,), tuple(key.unit for key in keys))
        known = {record.key: record for record in self.context.store.tasks(chosen)}
        late = {
            key.unit: sorted(set(keys[key].members).difference(known[key].members)) for key in known
        }
        newborn: list[Record] = [
            born(key, birth.members, now, **self._stamp())
            for key, birth in keys.items()
            if key not in known
        ]
        newborn += [
            task.moved(TaskStatus.NEW, now, **self._stamp())
            for task in known.values()
            if is_withdrawn(task)
        ]
        return newborn, {unit: runs for unit, runs in late.items() if runs}

    def _redeclared(self, mark: MarkRecord | None, state: WorkflowState) -> list[Record]:
        """Write the declaration anew if what the workflow waits for has changed."""
        if mark is None or state.after == self._after():
            return []
        return [self._marked(mark, state, state.cursor, {}, state.kept)]

    def _marked(
        self,
        mark: MarkRecord | None,
        state: WorkflowState,
        cursor: Cursor,
        late: Mapping[str, list[int]],
        kept: Iterable[int],
    ) -> MarkRecord:
        """Return the mark with the cursor, the declaration, the runs that each group was processed
        without.

        It also names the runs whose tasks were ``kept`` although the filter does not take them any
        more.
        """
        units = sorted((state.late or {}).keys() | late.keys())
        gathered = {
            unit: tuple(sorted({*state.late_runs(unit), *late.get(unit, ())})) for unit in units
        }
        after = self._after()
        fresh_state = WorkflowState(cursor, self.handler.group_by, after, gathered, frozenset(kept))
        now = self.context.clock.now()
        values = fresh_state.values()
        fresh = MarkRecord(WORKFLOW, self.context.campaign, self.handler.workflow, values, now)
        return following(mark, fresh)

    def _after(self) -> tuple[str, ...]:
        return tuple(sorted(self.handler.after))

    def paused(self) -> str:
        """Return why nothing may be submitted now: a pause, a closed campaign, or code that it does
        not want.
        """
        for mark in self.context.store.marks("pause", self.context.campaign):
            if mark.name == self.handler.workflow and mark.values.get("paused"):
                return f"paused by {mark.actor.name}: {mark.reason}"
        campaign = find_campaign(self.context.store, self.context.campaign)
        if campaign.closed:
            return f"campaign {campaign.name} is closed"
        found = deviation(self.handler.folder, campaign.code) if campaign.code else ""
        return (
            (
                f"campaign {campaign.name} wants code {str(campaign.code)[:12]}; the workflow "
                f"is at {found}"
            )
            if found
            else ""
        )

    def tick(self) -> None:
        """Keep the lease and give a sign of life."""
        self.hold()
        self.alive()

    def hold(self) -> Lease:
        """Return the lease, claimed first or renewed when a third of its time is over."""
        seconds = self.context.settings.cycle.lease_s
        if self.lease is None or time.monotonic() - self.renewed > seconds * RENEW_AT:
            held = self.context.store.lease(self.name, this_process(), seconds)
            if self.lease is not None and held.epoch != self.lease.epoch:
                message = (
                    f"The lease {self.name} ran out and was claimed anew while this cycle "
                    "worked under it."
                )
                raise LeaseLost(message, hint="The next cycle takes up what is open.")
            self.lease, self.renewed = held, time.monotonic()
        return self.lease

    def _give_up(self) -> None:
        if self.lease is not None:
            self.context.store.lease(self.name, this_process(), 0)

    def _summary(
        self, still_open: tuple[int, int], problems: Sequence[str], error: str = ""
    ) -> Summary:
        return Summary(
            workflow=self.handler.workflow,
            after=self._after(),
            counts=dict(self.counts),
            moved=self.moved,
            open=still_open,
            failed=tuple(self.failed),
            problems=tuple(problems),
            error=error,
        )


def _newborn_tasks(records: Iterable[Record]) -> list[TaskRecord]:
    return [
        record
        for record in records
        if isinstance(record, TaskRecord) and record.status is TaskStatus.NEW
    ]
