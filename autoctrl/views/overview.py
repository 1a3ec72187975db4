"""The overview: a row for each run, a column for each workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.freshness import find_stale
from autoctrl.model.quality import quality_of
from autoctrl.model.status import TaskStatus, combine_statuses
from autoctrl.model.unit import is_group, spell_unit
from autoctrl.ports import Selection
from autoctrl.views.as_json import to_plain
from autoctrl.views.columns import find_columns, have_looked
from autoctrl.views.conditions import list_conditions
from autoctrl.views.runs import choose_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.condition import Condition
    from autoctrl.model.run import RunRecord, Value
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column


class Cell(NamedTuple):
    """One task in one run's row.

    status          where it stands
    reason          why it waits, failed or was moved
    until           when the reason may pass by itself
    since           when the status began
    unit            the task's unit: the run itself or its group
    version         its version
    stale           a newer version of an input is done, or a file that it read has changed
    log             address of the log worth reading
    quality         ``alarm`` or ``warning`` if the data of a done task are not good, else empty
    inherited_from  the parent campaign that keeps it, empty if it is this campaign's own
    is_late         the run came too late for its group, which was processed without it
    """

    status: TaskStatus
    reason: str
    until: datetime | None
    since: datetime | None
    unit: str
    version: int
    stale: bool
    log: str
    quality: str = ""
    inherited_from: str = ""
    is_late: bool = False


class RunRow(NamedTuple):
    """One run.

    run         its number
    attributes  its typed values
    status      of all its tasks together
    tasks       by workflow; None where there is no task
    """

    run: int
    attributes: Mapping[str, Value]
    status: TaskStatus
    tasks: Mapping[str, Cell | None]


class Overview(NamedTuple):
    """A row for each run of one campaign, a column for each workflow.

    campaign    its name
    workflows   names in the order of the chain
    runs        rows, by run number
    total       number of runs of which ``runs`` are the newest
    conditions  what cannot be done now, or may not
    """

    campaign: str
    workflows: tuple[str, ...]
    runs: tuple[RunRow, ...]
    total: int
    conditions: tuple[Condition, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return the overview as plain values for JSON."""
        rows = [row_values(row) for row in self.runs]
        return {
            "schema": 1,
            "campaign": self.campaign,
            "workflows": list(self.workflows),
            "conditions": to_plain(self.conditions),
            "runs": rows,
        }


def row_values(row: RunRow) -> dict[str, Any]:
    """Return one run as plain values for JSON."""
    cells = {name: _cell_values(cell) for name, cell in row.tasks.items()}
    return {**to_plain(row._replace(tasks={})), "tasks": cells}


def read_overview(
    store: Store,
    campaign: str,
    numbers: Sequence[int] | None = None,
    limit: int | None = None,
    *,
    silent_before: datetime | None = None,
) -> Overview:
    """Return the overview of a campaign: of the runs ``numbers``, by default all, and only the
    ``limit`` newest of them if given; ``silent_before`` as for ``list_conditions``.

    Workflows that the campaign does not have are shown from the nearest parent that has them.
    Raises ``UsageError`` for an unknown campaign.
    """
    chain = find_lineage(store, campaign)
    columns = find_columns(store, chain)
    chosen = choose_runs(store, chain[0], numbers, limit)
    tasks = fetch_tasks(
        store,
        columns,
        chosen.records,
        is_whole=numbers is None and len(chosen.records) == chosen.total,
    )
    table = _Table(
        campaign=chain[0].name,
        columns=columns,
        tasks={(key.campaign, key.workflow, key.unit): task for key, task in tasks.items()},
        stale=find_stale(store, tasks.values()),
        has_looked=have_looked(columns, chain[0].name, chosen.position),
    )
    rows = tuple(table.row(run) for run in chosen.records)
    return Overview(
        campaign=campaign,
        workflows=tuple(column.workflow for column in columns),
        runs=rows,
        total=chosen.total,
        conditions=list_conditions(store, chain[0].name, silent_before),
    )


class _Table(NamedTuple):
    """What rows are made from.

    campaign    the campaign that is shown
    columns     its workflows
    tasks       tasks by campaign, workflow and unit
    stale       those of them that are stale
    has_looked  every workflow has looked at the newest runs
    """

    campaign: str
    columns: Sequence[Column]
    tasks: Mapping[tuple[str, str, str], TaskRecord]
    stale: frozenset[TaskKey]
    has_looked: bool

    def row(self, run: RunRecord) -> RunRow:
        """Return the row of one run."""
        cells = {column.workflow: self.cell(run, column) for column in self.columns}
        status = combine(cells.values(), has_looked=self.has_looked)
        return RunRow(run.number, run.attributes, status, cells)

    def cell(self, run: RunRecord, column: Column) -> Cell | None:
        """Return a run's task in one workflow, None if there is none."""
        unit = column.unit_of(run)
        if unit is None:
            return None
        task = self.tasks.get((column.campaign, column.workflow, unit))
        if task is None:
            return None
        is_late = column.group_by is not None and column.is_late(run.number, unit, task.members)
        if not is_late and run.number not in task.members:
            return None
        late = (
            f"{spell_unit(unit)} was processed without it; reprocess takes it in" if is_late else ""
        )
        return cell_of(task)._replace(
            reason=late or task.reason,
            stale=task.key in self.stale,
            inherited_from="" if column.campaign == self.campaign else column.campaign,
            is_late=is_late,
        )


def cell_of(task: TaskRecord) -> Cell:
    """Return a task of which nothing but its own record is known."""
    return Cell(
        status=task.status,
        reason=task.reason,
        until=task.until,
        since=task.since,
        unit=task.key.unit,
        version=task.version,
        stale=False,
        log=task.log,
        quality=quality_of(task.reason) if task.status is TaskStatus.DONE else "",
    )


def combine(cells: Iterable[Cell | None], *, has_looked: bool) -> TaskStatus:
    """Return a run's status: failed if any task is, processing if any is or if done and new mix,
    else new, else done.

    A run without any task is new until every workflow has looked at it.
    """
    statuses = {cell.status for cell in cells if cell is not None}
    if not statuses:
        return TaskStatus.DONE if has_looked else TaskStatus.NEW
    return combine_statuses(statuses)


def fetch_tasks(
    store: Store, columns: Sequence[Column], runs: Sequence[RunRecord], *, is_whole: bool
) -> dict[TaskKey, TaskRecord]:
    """Return the tasks that some runs have in some workflows; if these are all runs, ask so."""
    tasks: dict[TaskKey, TaskRecord] = {}
    wanted: dict[tuple[str, tuple[str, ...] | None], list[str]] = {}
    for column in columns:
        units = _units_of(column, runs)
        if units:
            asked = column.campaign, None if is_whole else units
            wanted.setdefault(asked, []).append(column.workflow)
    for (campaign, some), workflows in wanted.items():
        found = store.tasks(Selection(campaign, tuple(workflows), some))
        tasks.update({task.key: task for task in found})
    return tasks


def _units_of(column: Column, runs: Iterable[RunRecord]) -> tuple[str, ...]:
    """Return the units in which a workflow has these runs, each once."""
    units = (column.unit_of(run) for run in runs)
    return tuple(dict.fromkeys(unit for unit in units if unit is not None))


def _cell_values(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    values: dict[str, Any] = to_plain(cell)
    del values["inherited_from"], values["is_late"]
    return values


def spell_cell(cell: Cell | None) -> str:
    """Return a task in a few words: its status, and what is worth a word beside it."""
    if cell is None:
        return ""
    words = [str(cell.status)]
    if is_group(cell.unit):
        words.append(f"({spell_unit(cell.unit)})")
    if cell.version > 1:
        words.append(f"v{cell.version}")
    if cell.stale:
        words.append("stale")
    if cell.quality:
        words.append(cell.quality)
    return " ".join(words)
