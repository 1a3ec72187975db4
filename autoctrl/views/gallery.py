"""The plots of one run, each beside the same one of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.quality import quality_of
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.views.columns import find_columns
from autoctrl.views.outputs import group_copies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store
    from autoctrl.views.columns import Column
    from autoctrl.views.measured import Measured, Measurements
    from autoctrl.views.outputs import OutputLine


class Side(NamedTuple):
    """One task's plots, and what it measured.

    unit      the task's unit
    measured  its newest record, and its values
    plots     its current pictures by name
    """

    unit: str
    measured: Measured
    plots: Mapping[str, OutputLine]

    @property
    def task(self) -> TaskRecord:
        """Its newest record."""
        return self.measured.task

    @property
    def quality(self) -> str:
        """``alarm`` or ``warning`` if its data are not good, else empty."""
        return quality_of(self.task.reason) if self.task.status is TaskStatus.DONE else ""


class Wall(NamedTuple):
    """The plots of one workflow: of the run, and of the nearest earlier and later one with plots.

    workflow      its name
    older, newer  None where there is none
    here          None if the run has no task
    """

    workflow: str
    older: Side | None
    here: Side | None
    newer: Side | None

    @property
    def sides(self) -> tuple[Side | None, ...]:
        """The earlier, the run itself, the later."""
        return self.older, self.here, self.newer

    @property
    def names(self) -> list[str]:
        """The names of all plots: of the run first, then what only a neighbour has."""
        ordered = (self.here, self.older, self.newer)
        return list(dict.fromkeys(name for side in ordered if side for name in side.plots))

    @property
    def fields(self) -> list[str]:
        """The names of all numbers, in the order of the alphabet."""
        there = [side.measured.numbers for side in self.sides if side]
        return sorted({name for numbers in there for name in numbers})


def read_gallery(
    store: Store, measurements: Measurements, campaign: str, number: int, runs: Sequence[RunRecord]
) -> list[Wall]:
    """Return the plots of run ``number`` by workflow; ``runs`` are it and its neighbours, in order.

    Workflows without any plot are left out. Raises ``UsageError`` for an unknown campaign.
    """
    columns = find_columns(store, find_lineage(store, campaign))
    reader = _Reader(store, measurements, campaign)
    walls = [reader.wall(column, number, runs) for column in columns]
    return [wall for wall in walls if wall is not None]


class _Reader(NamedTuple):
    """Reads what hangs in a gallery of a campaign."""

    store: Store
    measurements: Measurements
    campaign: str

    def wall(self, column: Column, number: int, runs: Sequence[RunRecord]) -> Wall | None:
        """Return one workflow's plots, None if neither the run nor a neighbour has any."""
        units = _units_of(column, runs)
        plots = self._plots(column, units.values())
        if not plots:
            return None
        chosen = _choose_sides(units, number, plots)
        sides = self._sides(column, chosen, plots)
        return Wall(column.workflow, *map(sides.get, chosen))

    def _plots(self, column: Column, units: Iterable[str]) -> dict[str, dict[str, OutputLine]]:
        """Return the current pictures by unit and name."""
        chosen = tuple(dict.fromkeys(units))
        records = self.store.find_outputs(Selection(column.campaign, (column.workflow,), chosen))
        found: dict[str, dict[str, OutputLine]] = {}
        for line in group_copies(self.campaign, records):
            if line.is_picture and line.state == "current":
                found.setdefault(line.unit, {})[line.name] = line
        return found

    def _sides(
        self,
        column: Column,
        units: Iterable[str | None],
        plots: Mapping[str, Mapping[str, OutputLine]],
    ) -> dict[str | None, Side]:
        chosen = tuple(dict.fromkeys(unit for unit in units if unit is not None))
        tasks = self.store.tasks(Selection(column.campaign, (column.workflow,), chosen))
        return {
            one.task.key.unit: Side(one.task.key.unit, one, plots.get(one.task.key.unit, {}))
            for one in self.measurements.of(tasks)
        }


def _units_of(column: Column, runs: Iterable[RunRecord]) -> dict[int, str]:
    """Return the unit of each run that is in one."""
    units = ((run.number, column.unit_of(run)) for run in runs)
    return {number: unit for number, unit in units if unit is not None}


def _choose_sides(
    units: Mapping[int, str], number: int, plots: Collection[str]
) -> tuple[str | None, ...]:
    """Return the units of which the plots are shown: the nearest earlier one that has any, that of
    the run, the nearest later one.
    """
    here = units.get(number)
    others = {run: unit for run, unit in units.items() if unit in plots and unit != here}
    older = max((run for run in others if run < number), default=None)
    newer = min((run for run in others if run > number), default=None)
    return others.get(older or 0), here, others.get(newer or 0)
