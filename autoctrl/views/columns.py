"""Which workflows a campaign shows, in which order, and where their tasks are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError, nearest
from autoctrl.model.unit import group_unit, run_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord
    from autoctrl.ports import Store


class Column(NamedTuple):
    """One workflow as a campaign shows it.

    workflow  its name
    campaign  where its tasks are kept: the campaign itself or the nearest parent that has it
    values    what its last cycle declared: grouping, what it waits for, how far it has looked;
              empty before that
    """

    workflow: str
    campaign: str
    values: Mapping[str, Any]

    @property
    def group_by(self) -> str | None:
        """Attribute by which it groups runs, None if it works run by run."""
        return self.values.get("group_by")

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
        return run in self.values.get("kept", ())

    def is_late(self, run: int, unit: str, members: tuple[int, ...]) -> bool:
        """Say whether a run belongs to a group that was frozen without it."""
        if run in members:
            return False
        late = self.values.get("late")
        return late is None or run in late.get(unit, ())


def find_columns(store: Store, chain: list[Campaign]) -> list[Column]:
    """Return the workflows of a campaign and its parents, each after those that it waits for, else
    by name.
    """
    columns: dict[str, Column] = {}
    for position, campaign in enumerate(chain):
        declared = {mark.name: mark.values for mark in store.marks("workflow", campaign.name)}
        named: dict[str, Mapping[str, Any]] = {
            workflow: {} for workflow in campaign.workflows or ()
        }
        for workflow, values in {**named, **declared}.items():
            nearer = any(other.has(workflow) for other in chain[:position])
            if campaign.has(workflow) and not nearer:
                columns[workflow] = Column(workflow, campaign.name, values)
    return in_chain_order(list(columns.values()))


def in_chain_order(columns: list[Column]) -> list[Column]:
    """Return the columns by how many workflows lie before them, then by name; a circle counts
    once.
    """
    left = {column.workflow: column for column in columns}
    ordered: list[Column] = []
    while left:
        ready = [
            name
            for name, column in left.items()
            if not left.keys() & set(column.values.get("after") or ()) - {name}
        ]
        ordered += [left.pop(name) for name in sorted(ready or left)]
    return ordered


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
