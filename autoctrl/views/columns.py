"""Which workflows a campaign shows, in which order, and where their tasks are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError, nearest
from autoctrl.model.chain import chain_order
from autoctrl.model.unit import group_unit, run_unit
from autoctrl.model.workflow import UNSEEN, WORKFLOW, WorkflowState, read_workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord
    from autoctrl.ports import Store


class Column(NamedTuple):
    """One workflow as a campaign shows it.

    workflow  its name
    campaign  where its tasks are kept: the campaign itself or the nearest parent that has it
    state     what its last cycle wrote down about itself
    """

    workflow: str
    campaign: str
    state: WorkflowState = UNSEEN

    @property
    def group_by(self) -> str | None:
        """Attribute by which it groups runs, None if it works run by run."""
        return self.state.group_by

    def unit_of(self, run: RunRecord) -> str | None:
        """Return the unit in which a run appears, None while the grouping attribute is missing."""
        if self.group_by is None:
            return run_unit(run.number)
        value = run.attributes.get(self.group_by)
        return None if value is None else group_unit(self.group_by, value)

    def is_kept(self, run: int) -> bool:
        """Say whether a run's task had begun when its attributes changed so that the filter does
        not take it now.
        """
        return run in self.state.kept

    def is_late(self, run: int, unit: str, members: tuple[int, ...]) -> bool:
        """Say whether a run belongs to a group that was frozen without it."""
        if run in members:
            return False
        return self.state.late is None or run in self.state.late_runs(unit)

    def has_looked_at(self, position: int) -> bool:
        """Say whether its last cycle knew all runs up to a position in their list."""
        return self.state.cursor.position >= position


def find_columns(store: Store, chain: list[Campaign]) -> list[Column]:
    """Return the workflows of a campaign and its parents, each after those that it waits for, else
    by name.
    """
    columns: dict[str, Column] = {}
    for position, campaign in enumerate(chain):
        declared = {
            mark.name: read_workflow(mark.values) for mark in store.marks(WORKFLOW, campaign.name)
        }
        named = dict.fromkeys(campaign.workflows or (), UNSEEN)
        for workflow, state in {**named, **declared}.items():
            nearer = any(other.has(workflow) for other in chain[:position])
            if campaign.has(workflow) and not nearer:
                columns[workflow] = Column(workflow, campaign.name, state)
    return in_chain_order(list(columns.values()))


def in_chain_order(columns: list[Column]) -> list[Column]:
    """Return the columns by how many workflows lie before them, then by name; a circle counts
    once.
    """
    known = {column.workflow: column for column in columns}
    order = chain_order({name: column.state.after for name, column in known.items()})
    return [known[name] for name in order]


def have_looked(columns: Sequence[Column], campaign: str, position: int) -> bool:
    """Say whether every workflow of the campaign's own has looked at the runs up to a position."""
    own = [column for column in columns if column.campaign == campaign]
    return bool(columns) and all(column.has_looked_at(position) for column in own)


def find_column(columns: list[Column], campaign: str, workflow: str) -> Column:
    """Return one workflow's column. Raises ``UsageError`` naming the nearest if there is none."""
    for column in columns:
        if column.workflow == workflow:
            return column
    message = (
        f"Campaign {campaign} has no workflow '{workflow}'. "
        f"{nearest(workflow, [c.workflow for c in columns])}"
    )
    raise UsageError(message, hint="A workflow is known from its first cycle on: autoctrl cycle")
