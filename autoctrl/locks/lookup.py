"""What locks and inputs may ask about other tasks and runs, each question asked once per cycle."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey, group_unit, is_group, run_unit
from autoctrl.model.workflow import WORKFLOW, read_workflow
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from autoctrl.model.output import MarkRecord, OutputRecord
    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import Task, TaskRecord
    from autoctrl.ports import Store


class Declaration(NamedTuple):
    """What a workflow's last cycle wrote down about itself.

    campaign  where its tasks are: the asked campaign or the nearest parent that has the workflow
    group_by  attribute by which it groups runs, None if it works run by run
    position  position in the list of runs up to which it has looked
    is_live   its campaign follows the sources, so the position moves on
    """

    campaign: str
    group_by: str | None
    position: int
    is_live: bool


class Answers:
    """What the store has answered in this cycle; None for what it does not have."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.declarations: dict[str, Declaration | None] = {}
        self.tasks: dict[TaskKey, TaskRecord | None] = {}
        self.all_tasks: dict[tuple[str, str], list[TaskRecord]] = {}
        self.in_order: dict[str, list[TaskRecord]] = {}
        self.runs: dict[int, RunRecord] = {}
        self.outputs: dict[TaskKey, list[OutputRecord]] = {}
        self.marks: dict[str, dict[str, MarkRecord]] = {}
        self.position: int | None = None


class Lookup:
    """Bulk questions to one store about one campaign, with a cache that lives for one cycle."""

    def __init__(
        self,
        store: Store,
        campaign: str,
        now: datetime,
        *,
        folder: Path,
        inputs: Path | None = None,
        workflow_folder: Path | None = None,
        limit_s: float = 10.0,
        timezone: str = "UTC",
    ) -> None:
        """Ask ``store`` about ``campaign`` as of ``now``.

        Paths are relative to ``folder``, raw data to ``inputs``, and what belongs to the workflow
        that asks to ``workflow_folder``; both are ``folder`` by default.
        """
        self.store, self.campaign, self.now = store, campaign, now
        self.folder = folder
        self.inputs = inputs or folder
        self.workflow_folder = workflow_folder or folder
        self.limit_s, self.timezone = limit_s, timezone
        self._lineage = find_lineage(store, campaign)
        self._answers = Answers()

    @property
    def position(self) -> int:
        """The store's present position in the list of runs."""
        if self._answers.position is None:
            self._answers.position = self.store.runs(numbers=()).position
        return self._answers.position

    @property
    def settings(self) -> Mapping[str, object]:
        """The campaign's settings; the parent's where the campaign does not say."""
        merged: dict[str, object] = {}
        for campaign in reversed(self._lineage):
            merged.update(campaign.settings)
        return merged

    def declaration(self, workflow: str) -> Declaration | None:
        """Return how the workflow's tasks are kept, None while it has not made a cycle."""
        if workflow not in self._answers.declarations:
            self._answers.declarations[workflow] = self._find_declaration(workflow)
        return self._answers.declarations[workflow]

    def resembling(self, workflow: str) -> str:
        """Return the end of a sentence about a workflow that has made no cycle: which one may be
        meant, empty if none is spelled alike or there is a folder of that name.
        """
        from difflib import get_close_matches

        names = {name for one in self._lineage for name in self._workflow_marks(one.name)}
        alike = get_close_matches(workflow, sorted(names), n=1)
        if not alike or workflow in names or (self.folder / "workflows" / workflow).is_dir():
            return ""
        return f"; there is no folder of that name. Did you mean '{alike[0]}'?"

    def _find_declaration(self, workflow: str) -> Declaration | None:
        for campaign in self._lineage:
            if not campaign.has(workflow):
                continue
            declared = self._workflow_marks(campaign.name).get(workflow)
            if declared is None:
                return None
            state = read_workflow(declared.values)
            is_live = campaign.follow and not campaign.closed
            return Declaration(campaign.name, state.group_by, state.cursor.position, is_live)
        return None

    def _workflow_marks(self, campaign: str) -> dict[str, MarkRecord]:
        if campaign not in self._answers.marks:
            self._answers.marks[campaign] = {
                mark.name: mark for mark in self.store.marks(WORKFLOW, campaign)
            }
        return self._answers.marks[campaign]

    def runs(self, numbers: Iterable[int]) -> dict[int, RunRecord]:
        """Return the newest records of these runs; unknown runs are absent."""
        wanted = list(numbers)
        missing = [number for number in wanted if number not in self._answers.runs]
        if missing:
            found = self.store.runs(numbers=missing).records
            self._answers.runs.update({record.number: record for record in found})
        return {
            number: self._answers.runs[number] for number in wanted if number in self._answers.runs
        }

    def tasks(self, keys: Sequence[TaskKey]) -> dict[TaskKey, TaskRecord]:
        """Return the newest record of each of these tasks; a task that was never born is absent."""
        missing: dict[tuple[str, str], list[str]] = {}
        for key in keys:
            if key not in self._answers.tasks:
                missing.setdefault((key.campaign, key.workflow), []).append(key.unit)
        for (campaign, workflow), units in missing.items():
            self._read_tasks(campaign, workflow, units)
        return {key: record for key in keys if (record := self._answers.tasks[key]) is not None}

    def _read_tasks(self, campaign: str, workflow: str, units: Sequence[str]) -> None:
        keys = [TaskKey(campaign, workflow, unit) for unit in units]
        found = self.store.tasks(Selection(campaign, (workflow,), tuple(units)))
        self._answers.tasks |= dict.fromkeys(keys) | {record.key: record for record in found}

    def all_tasks(self, workflow: str) -> list[TaskRecord]:
        """Return every task of a workflow, wherever the campaign has it."""
        declared = self.declaration(workflow)
        if declared is None:
            return []
        pair = (declared.campaign, workflow)
        if pair not in self._answers.all_tasks:
            self._answers.all_tasks[pair] = self.store.tasks(
                Selection(declared.campaign, (workflow,))
            )
        return self._answers.all_tasks[pair]

    def newest_task(self, workflow: str, run: int) -> TaskRecord | None:
        """Return the workflow's task of the highest run at or before ``run``.

        Tasks that were skipped are passed over. Takes a look at a few tasks only, however many
        there are, once they have been put in order.
        """
        if workflow not in self._answers.in_order:
            candidates = [
                record
                for record in self.all_tasks(workflow)
                if record.members and record.status is not TaskStatus.SKIPPED
            ]
            self._answers.in_order[workflow] = sorted(candidates, key=_highest_run)
        in_order = self._answers.in_order[workflow]
        after = bisect_right(in_order, run, key=_highest_run)
        return in_order[after - 1] if after else None

    def upstream_keys(self, workflow: str, task: Task) -> list[TaskKey] | None:
        """Return the upstream tasks that ``task`` depends on.

        Those are its own unit's, its members', or its run's group's. None while the workflow has
        not made a cycle, or a run does not have the grouping attribute yet.
        """
        declared = self.declaration(workflow)
        if declared is None:
            return None
        units = self._upstream_units(declared.group_by, task)
        if units is None:
            return None
        return [TaskKey(declared.campaign, workflow, unit) for unit in units]

    def _upstream_units(self, group_by: str | None, task: Task) -> list[str] | None:
        if group_by is None:
            return [run_unit(number) for number in task.members]
        if is_group(task.unit) and task.unit.partition(":")[0] == group_by:
            return [task.unit]
        runs = self.runs(task.members).values()
        units = [
            group_unit(group_by, run.attributes[group_by])
            for run in runs
            if group_by in run.attributes
        ]
        return list(dict.fromkeys(units)) if len(units) == len(task.members) else None

    def outputs(self, key: TaskKey) -> list[OutputRecord]:
        """Return the copies of all outputs of all versions of a task."""
        if key not in self._answers.outputs:
            self._answers.outputs[key] = self.store.find_outputs(
                Selection(key.campaign, (key.workflow,), (key.unit,))
            )
        return self._answers.outputs[key]


def _highest_run(record: TaskRecord) -> int:
    return max(record.members)
