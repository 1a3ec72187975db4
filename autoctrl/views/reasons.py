"""Why tasks wait or failed: one line for all that share workflow, status and reason. Pure."""

from __future__ import annotations

import itertools
import re
import string
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.gist import gist_of
from autoctrl.model.quality import ALARM
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import format_runs, format_units, spell_unit
from autoctrl.views.overview import cell_of
from autoctrl.views.sorting import OF_AN_ALARM, URGENCY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.model.task import TaskRecord
    from autoctrl.views.overview import Cell, RunRow
    from autoctrl.views.spelling import Spelling

LONG = "is taking long"


class SharedReason(NamedTuple):
    """One reason and all tasks that share it.

    status    where the tasks stand
    workflow  the workflow
    reason    the reason; where several share it, it says ``the run`` for the unit itself, and ``…``
              where they differ
    since     since when the first of them stands there, None if unknown
    all_since since when the last of them does
    until     when it passes for the first of them by itself, None if for none
    all_until when it has passed for the last of them, None if for none
    units     the tasks as a selection, which a verb takes: ``4500-4510,fill:8222``
    about     what a reader looks for: the runs that came too late for their group, else ``units``
    size      number of tasks
    log       address of the log of the first that failed, empty if there is none
    example   the first unit, where a reader may begin to look
    quality   ``alarm`` or ``warning`` of done tasks, else empty
    """

    status: TaskStatus
    workflow: str
    reason: str
    since: datetime | None
    all_since: datetime | None
    until: datetime | None
    all_until: datetime | None
    units: str
    about: str
    size: int
    log: str
    example: str
    quality: str


class _Held(NamedTuple):
    """One task that has a reason, as one run's row shows it, or as it stands alone."""

    workflow: str
    runs: tuple[int, ...]
    cell: Cell


def without_unit(reason: str, unit: str) -> str:
    """Return a reason that does not name its own unit: ``run 4521 is too young`` of run 4521 is
    ``the run is …``.
    """
    name = spell_unit(unit)
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", f"the {name.partition(' ')[0]}", reason)


def shared_reasons(
    rows: Iterable[RunRow], others: Iterable[TaskRecord] = (), long_before: datetime | None = None
) -> list[SharedReason]:
    """Return the reasons of the rows' tasks and of others, the most urgent first; what is simply
    done needs none. What has been processing since ``long_before`` has a reason, too.

    Reasons that differ only in figures, runs and paths are one.
    """
    alike: dict[tuple[TaskStatus, str, str], list[_Held]] = {}
    for held in itertools.chain(_held_in(rows), map(_held_alone, others)):
        cell = _with_reason(held.cell, long_before)
        if cell.reason and needs_reason(cell):
            group = (cell.status, held.workflow, gist_of(_shared_text(cell)))
            alike.setdefault(group, []).append(held._replace(cell=cell))
    found = [_share(held) for held in alike.values()]
    return sorted(found, key=lambda shared: (_urgency(shared), shared.workflow, -shared.size))


def _held_in(rows: Iterable[RunRow]) -> Iterator[_Held]:
    for row in rows:
        for workflow, cell in row.tasks.items():
            if cell is not None:
                yield _Held(workflow, (row.run,), cell)


def _held_alone(task: TaskRecord) -> _Held:
    return _Held(task.key.workflow, task.members, cell_of(task))


def _with_reason(cell: Cell, long_before: datetime | None) -> Cell:
    """Return a task with a reason to be shown if it has been processing for very long."""
    is_processing = cell.status is TaskStatus.PROCESSING and not cell.reason
    if not (is_processing and long_before and cell.since and cell.since < long_before):
        return cell
    return cell._replace(reason=LONG)


def is_urgent(shared: SharedReason) -> bool:
    """Say whether a reason asks for a person: of failures, alarms and what takes long."""
    is_long = shared.status is TaskStatus.PROCESSING
    return shared.status is TaskStatus.FAILED or shared.quality == ALARM or is_long


def spell_shared(shared: SharedReason, spelling: Spelling) -> str:
    """Return a shared reason with since when and until when it holds, and the log that is worth
    reading.
    """
    text = shared.reason + _spell_since(shared, spelling)
    if shared.until and shared.until == shared.all_until:
        text += f" (until {spelling.time(shared.until)})"
    elif shared.until and shared.all_until:
        first, last = spelling.time(shared.until), spelling.time(shared.all_until)
        text += f" (the first until {first}, the last until {last})"
    if shared.log:
        text += f" ({'first log' if shared.size > 1 else 'log'}: {shared.log})"
    return text


def _spell_since(shared: SharedReason, spelling: Spelling) -> str:
    """Return since when the first of them stands there; of failures also since when the last does,
    for that tells whether it goes on.
    """
    first, last = shared.since, shared.all_since
    if first is None or last is None:
        return ""
    if shared.status is not TaskStatus.FAILED or first == last:
        return f" (since {spelling.time(first)})"
    return f" (since {spelling.time(first)}, the last {spelling.time(last)})"


def needs_reason(cell: Cell) -> bool:
    """Say whether a reader wants to know why: not of a task that is done, in time and well."""
    return cell.status is not TaskStatus.DONE or cell.is_late or bool(cell.quality)


def _shared_text(cell: Cell) -> str:
    return cell.reason if cell.is_late else without_unit(cell.reason, cell.unit)


def _share(held: list[_Held]) -> SharedReason:
    cells = {one.cell.unit: one.cell for one in reversed(held)}
    first, units = held[0].cell, [*dict.fromkeys(one.cell.unit for one in held)]
    since = _ends(cell.since for cell in cells.values())
    until = _ends(cell.until for cell in cells.values())
    texts = [_shared_text(cell) for cell in cells.values()]
    return SharedReason(
        status=first.status,
        workflow=held[0].workflow,
        reason=common_text(texts) if len(units) > 1 else first.reason,
        since=since[0],
        all_since=since[1],
        until=until[0],
        all_until=until[1],
        units=format_units(units),
        about=_runs_of(held) if first.is_late else format_units(units),
        size=len(units),
        log=_first_log(held) if first.status is TaskStatus.FAILED else "",
        example=first.unit,
        quality=first.quality,
    )


def _runs_of(held: Iterable[_Held]) -> str:
    return format_runs([run for one in held for run in one.runs])


def _ends(moments: Iterable[datetime | None]) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last moment that is known, None where none is."""
    known = sorted(moment for moment in moments if moment is not None)
    return (known[0], known[-1]) if known else (None, None)


def common_text(texts: Sequence[str]) -> str:
    """Return what texts that are alike have in common, ``…`` where they differ; the first if they
    are not built alike.
    """
    unlike = list(dict.fromkeys(texts))
    columns = [text.split() for text in unlike]
    if len({len(words) for words in columns}) > 1:
        return unlike[0]
    return " ".join(_common_word(words) for words in zip(*columns, strict=True))


def _common_word(words: Sequence[str]) -> str:
    """Return ``run….dat`` for ``run7.dat`` and ``run12.dat``."""
    if len(set(words)) == 1:
        return words[0]
    head = _common_start(words).rstrip(string.digits)
    rests = [word[len(head) :][::-1] for word in words]
    return f"{head}…{_common_start(rests)[::-1].lstrip(string.digits)}"


def _common_start(words: Sequence[str]) -> str:
    alike = itertools.takewhile(lambda signs: len({*signs}) == 1, zip(*words, strict=False))
    return "".join(signs[0] for signs in alike)


def _first_log(held: Iterable[_Held]) -> str:
    return next((one.cell.log for one in held if one.cell.log), "")


def _urgency(shared: SharedReason) -> float:
    """Alarms come after what failed and before what waits."""
    return OF_AN_ALARM if shared.quality == ALARM else URGENCY.index(shared.status)
