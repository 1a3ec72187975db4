"""Why tasks wait or failed, one line for all that share workflow, status and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.quality import ALARM, quality_of
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import format_runs, is_group
from autoctrl.views import general

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from autoctrl.views import Cell, Row

ORDER = (
    TaskStatus.FAILED,
    TaskStatus.NEW,
    TaskStatus.PROCESSING,
    TaskStatus.SKIPPED,
    TaskStatus.DONE,
)
LATE = "was processed without it"


class Shared(NamedTuple):
    """One reason and all that share it.

    status    where the tasks stand
    workflow  the workflow
    reason    the reason; where it names the unit itself and several share it, it says ``the run``
              instead
    until     when it passes for the first of them by itself, None if for none
    units     the tasks' units as a selection, which a verb takes: ``4500-4510,fill:8222``
    size      number of tasks
    """

    status: TaskStatus
    workflow: str
    reason: str
    until: datetime | None
    units: str
    size: int


def shared_reasons(rows: Iterable[Row]) -> list[Shared]:
    """Return the reasons of the rows' tasks, failed ones and alarms first; what is simply done
    needs none.
    """
    alike: dict[tuple[TaskStatus, str, str], dict[str, Cell]] = {}
    for row in rows:
        for workflow, cell in row.tasks.items():
            if cell is not None and cell.reason and not _is_well(cell):
                alike.setdefault((cell.status, workflow, general(cell.reason, cell.unit)), {})[
                    cell.unit
                ] = cell
    found = [
        _shared(status, workflow, text, cells) for (status, workflow, text), cells in alike.items()
    ]
    return sorted(found, key=lambda shared: (_urgency(shared), shared.workflow, -shared.size))


def _is_well(cell: Cell) -> bool:
    return cell.status is TaskStatus.DONE and LATE not in cell.reason and not cell.quality


def _urgency(shared: Shared) -> float:
    """Alarms come after what failed and before what waits."""
    is_alarm = shared.status is TaskStatus.DONE and quality_of(shared.reason) == ALARM
    return 0.5 if is_alarm else ORDER.index(shared.status)


def _shared(status: TaskStatus, workflow: str, text: str, cells: Mapping[str, Cell]) -> Shared:
    reason = text if len(cells) > 1 else next(iter(cells.values())).reason
    return Shared(status, workflow, reason, _earliest(cells.values()), _written(cells), len(cells))


def _earliest(cells: Iterable[Cell]) -> datetime | None:
    return min((cell.until for cell in cells if cell.until is not None), default=None)


def _written(units: Iterable[str]) -> str:
    listed = list(units)
    runs = [int(unit) for unit in listed if not is_group(unit)]
    return ",".join(
        [*([format_runs(runs)] if runs else []), *(unit for unit in listed if is_group(unit))]
    )
