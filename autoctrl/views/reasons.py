"""Why tasks wait or failed: one line for all that share workflow, status and reason. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.quality import ALARM
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import format_runs, format_units, spell_unit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from autoctrl.views.overview import Cell, RunRow
    from autoctrl.views.spelling import Spelling

# What asks for a person comes first.
URGENCY = (
    TaskStatus.FAILED,
    TaskStatus.NEW,
    TaskStatus.PROCESSING,
    TaskStatus.SKIPPED,
    TaskStatus.DONE,
)


class SharedReason(NamedTuple):
    """One reason and all tasks that share it.

    status    where the tasks stand
    workflow  the workflow
    reason    the reason; where it names the unit itself and several share it, it says ``the run``
              instead
    until     when it passes for the first of them by itself, None if for none
    all_until when it has passed for the last of them, None if for none
    units     the tasks as a selection, which a verb takes: ``4500-4510,fill:8222``
    about     what a reader looks for: the runs that came too late for their group, else ``units``
    size      number of tasks
    log       address of the log of the first that failed, empty if there is none
    quality   ``alarm`` or ``warning`` of done tasks, else empty
    """

    status: TaskStatus
    workflow: str
    reason: str
    until: datetime | None
    all_until: datetime | None
    units: str
    about: str
    size: int
    log: str
    quality: str


class _Held(NamedTuple):
    """One task that has a reason, as one run's row shows it."""

    run: int
    cell: Cell


def without_unit(reason: str, unit: str) -> str:
    """Return a reason that does not name its own unit: ``run 4521 is too young`` of run 4521 is
    ``the run is …``.
    """
    name = spell_unit(unit)
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", f"the {name.partition(' ')[0]}", reason)


def shared_reasons(rows: Iterable[RunRow]) -> list[SharedReason]:
    """Return the reasons of the rows' tasks, the most urgent first; what is simply done needs
    none.
    """
    alike: dict[tuple[TaskStatus, str, str], list[_Held]] = {}
    for row in rows:
        for workflow, cell in row.tasks.items():
            if cell is not None and cell.reason and needs_reason(cell):
                group = (cell.status, workflow, _shared_text(cell))
                alike.setdefault(group, []).append(_Held(row.run, cell))
    found = [_share(workflow, text, held) for (_, workflow, text), held in alike.items()]
    return sorted(found, key=lambda shared: (_urgency(shared), shared.workflow, -shared.size))


def spell_shared(shared: SharedReason, spelling: Spelling) -> str:
    """Return a shared reason with until when it holds and the log that is worth reading."""
    text = shared.reason
    if shared.until and shared.until == shared.all_until:
        text += f" (until {spelling.time(shared.until)})"
    elif shared.until and shared.all_until:
        first, last = spelling.time(shared.until), spelling.time(shared.all_until)
        text += f" (the first until {first}, the last until {last})"
    if shared.log:
        text += f" ({'first log' if shared.size > 1 else 'log'}: {shared.log})"
    return text


def needs_reason(cell: Cell) -> bool:
    """Say whether a reader wants to know why: not of a task that is done, in time and well."""
    return cell.status is not TaskStatus.DONE or cell.is_late or bool(cell.quality)


def _shared_text(cell: Cell) -> str:
    return cell.reason if cell.is_late else without_unit(cell.reason, cell.unit)


def _share(workflow: str, text: str, held: list[_Held]) -> SharedReason:
    first = held[0].cell
    units = list(dict.fromkeys(one.cell.unit for one in held))
    untils = [one.cell.until for one in held if one.cell.until is not None]
    late_runs = format_runs([one.run for one in held]) if first.is_late else ""
    return SharedReason(
        status=first.status,
        workflow=workflow,
        reason=text if len(units) > 1 else first.reason,
        until=min(untils, default=None),
        all_until=max(untils, default=None),
        units=format_units(units),
        about=late_runs or format_units(units),
        size=len(units),
        log=_first_log(held) if first.status is TaskStatus.FAILED else "",
        quality=first.quality,
    )


def _first_log(held: list[_Held]) -> str:
    return next((one.cell.log for one in held if one.cell.log), "")


def _urgency(shared: SharedReason) -> float:
    """Alarms come after what failed and before what waits."""
    return 0.5 if shared.quality == ALARM else URGENCY.index(shared.status)
