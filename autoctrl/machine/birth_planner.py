"""Which records create or take back the tasks of a workflow whose runs have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.machine.births import (
    Choice,
    add_late_runs,
    advance,
    keep_told,
    new_tasks,
    refused_units,
    runs_too_late,
    withdraw,
)
from autoctrl.model.output import MarkRecord
from autoctrl.model.succession import following
from autoctrl.model.workflow import UNSEEN, WORKFLOW, Cursor, WorkflowState, read_workflow
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.model.campaign import Campaign
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Record, RunList


class BirthPlanner:
    """Compares the list of runs with what a workflow wrote down when it last looked at it."""

    def __init__(self, handler: Handler, context: Context) -> None:
        """Plan for ``handler``; nothing is written."""
        self.handler, self.context = handler, context
        self.store, self.workflow = context.store, handler.workflow

    def plan(self) -> list[Record]:
        """Return new tasks, tasks that are taken back, and the mark with how far it has looked.

        Only runs that changed since the last look count; a changed filter looks at all runs once.
        """
        campaign = find_campaign(self.store, self.context.campaign)
        mark = self._last_mark()
        before = UNSEEN if mark is None else read_workflow(mark.values)
        cursor = self._cursor(before, campaign)
        is_rescan = cursor is not before.cursor
        changed = self.store.runs(cursor.position)
        has_news = is_rescan or changed.position != cursor.position
        if campaign.closed or not has_news:
            return self._declare_anew(mark, before)
        choice = self._choice(campaign)
        newborn, state = self._create(before, cursor, changed, choice)
        if mark is None:  # then there is nothing that could be taken back
            return [*newborn, self._mark(mark, state)]
        withdrawn, left = self._withdraw(refused_units(changed.records, choice))
        kept = keep_told(before, left, changed.records, is_rescan=is_rescan)
        return [*newborn, *withdrawn, self._mark(mark, state._replace(kept=kept))]

    def _choice(self, campaign: Campaign) -> Choice:
        listed = None if campaign.follow else campaign.wanted()
        return Choice(self.handler.where, self.handler.group_by, listed)

    def _create(
        self, before: WorkflowState, cursor: Cursor, changed: RunList, choice: Choice
    ) -> tuple[list[TaskRecord], WorkflowState]:
        """Return the tasks that the changed runs create, and what the workflow knows after that."""
        births, cursor = advance(cursor, changed.records, changed.position, choice)
        tasks = self._find_tasks(birth.unit for birth in births)
        now = self.context.clock.now()
        newborn = new_tasks(self.context.campaign, self.workflow, births, tasks, now)
        late = add_late_runs(before, runs_too_late(births, tasks))
        return newborn, self._state(before, cursor)._replace(late=late)

    def _last_mark(self) -> MarkRecord | None:
        marks = self.store.marks(WORKFLOW, self.context.campaign)
        return next((mark for mark in marks if mark.name == self.workflow), None)

    def _cursor(self, before: WorkflowState, campaign: Campaign) -> Cursor:
        """Return where to go on, or a fresh cursor if all runs have to be looked at again.

        That is after a change of what chooses the runs; and another store, to which this one was
        copied, counts its runs otherwise.
        """
        filtered = (self.handler.where.digest, self.handler.group_by or "")
        listed = (campaign.runs or "", str(campaign.follow))
        digest = "/".join((*filtered, *listed, self.store.store_id))
        return before.cursor if before.cursor.digest == digest else Cursor(digest=digest)

    def _find_tasks(self, units: Iterable[str]) -> dict[str, TaskRecord]:
        asked = tuple(dict.fromkeys(units))
        if not asked:
            return {}
        chosen = Selection(self.context.campaign, (self.workflow,), asked)
        return {task.key.unit: task for task in self.store.tasks(chosen)}

    def _withdraw(self, refused: Mapping[str, set[int]]) -> tuple[list[TaskRecord], list[int]]:
        tasks = self._find_tasks(refused).values()
        return withdraw(tasks, refused, self.context.clock.now())

    def _state(self, before: WorkflowState, cursor: Cursor) -> WorkflowState:
        after = tuple(sorted(self.handler.after))
        where = self.handler.where.words
        return before._replace(
            cursor=cursor, group_by=self.handler.group_by, after=after, where=where
        )

    def _declare_anew(self, mark: MarkRecord | None, before: WorkflowState) -> list[Record]:
        """Write the declaration again if what the workflow waits for has changed."""
        state = self._state(before, before.cursor)
        if mark is None or state.after == before.after:
            return []
        return [self._mark(mark, state)]

    def _mark(self, before: MarkRecord | None, state: WorkflowState) -> MarkRecord:
        now, values = self.context.clock.now(), state.values()
        mark = MarkRecord(WORKFLOW, self.context.campaign, self.workflow, values, now)
        return following(before, mark)
