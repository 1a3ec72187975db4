"""How each task of a run stood over time: bars on a common line. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.task import TaskRecord
from autoctrl.views.spelling import spell_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.status import TaskStatus
    from autoctrl.ports import Record

SHORTEST = timedelta(seconds=1)
TICKS = 5
STEPS_S = (1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400)


class Bar(NamedTuple):
    """A task in one status.

    status        the status
    version       the task's version then
    begin, until  when it began and ended; ``until`` is now while it lasts
    is_lasting    it still stands there
    left, width   where the bar lies on the line, from 0 to 1
    """

    status: TaskStatus
    version: int
    begin: datetime
    until: datetime
    is_lasting: bool
    left: float
    width: float

    @property
    def text(self) -> str:
        """How long it stood there, in words."""
        how = "so far" if self.is_lasting else ""
        words = [str(self.status), "for", spell_duration(self.until - self.begin), how]
        return " ".join(filter(None, words))


class Line(NamedTuple):
    """The bars of one task, the first of them first."""

    workflow: str
    unit: str
    bars: tuple[Bar, ...]


class Mark(NamedTuple):
    """A time of the axis, and where it is, from 0 to 1."""

    time: datetime
    at: float


class Timeline(NamedTuple):
    """What became of several tasks, side by side.

    begin, end  the times between which all of it lies
    lines       a line per task
    marks       round times between them
    """

    begin: datetime
    end: datetime
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]


def timeline(
    histories: Mapping[tuple[str, str], Sequence[Record]], now: datetime
) -> Timeline | None:
    """Return the timeline of tasks, given as what the store has of each by workflow and unit; None
    if there is nothing of any.

    It ends when the last of them came to rest, or now if one is open.
    """
    stays = {name: _stays(records) for name, records in histories.items()}
    known = {name: found for name, found in stays.items() if found}
    if not known:
        return None
    begin = min(found[0].time for found in known.values())
    end = _end_of([found[-1] for found in known.values()], begin, now)
    lines = tuple(Line(*name, _bars(found, begin, end)) for name, found in known.items())
    return Timeline(begin, end, lines, _marks(begin, end))


def _end_of(last: Sequence[TaskRecord], begin: datetime, now: datetime) -> datetime:
    """Return where a line ends on which these are the last statuses."""
    latest = max(task.time for task in last)
    if any(task.is_open for task in last):
        return max(now, latest, begin + SHORTEST)
    end = max(latest, begin + SHORTEST)
    return end + (end - begin) / 20  # room in which the last status is seen


def _stays(records: Iterable[Record]) -> list[TaskRecord]:
    """Return the record by which each status of a task began."""
    found: list[TaskRecord] = []
    for record in records:
        if isinstance(record, TaskRecord):
            now = record.status, record.version
            if not found or (found[-1].status, found[-1].version) != now:
                found.append(record)
    return found


def _bars(stays: Sequence[TaskRecord], begin: datetime, end: datetime) -> tuple[Bar, ...]:
    ends = [task.time for task in stays[1:]]
    last = stays[-1]
    bars = []
    for task, until in zip(stays, [*ends, end], strict=True):
        left = _share(task.time, begin, end)
        width = round(_share(until, begin, end) - left, 4)
        bar = Bar(task.status, task.version, task.time, until, task is last, left, width)
        bars.append(bar)
    return tuple(bars)


def _share(time: datetime, begin: datetime, end: datetime) -> float:
    return round((time - begin) / (end - begin), 4)


def _marks(begin: datetime, end: datetime) -> tuple[Mark, ...]:
    """Return at most five round times (of UTC) between two."""
    length_s = (end - begin).total_seconds()
    fitting = (step for step in STEPS_S if length_s / step <= TICKS)
    step_s = next(fitting, length_s / TICKS)
    first = int(begin.timestamp() // step_s) + 1
    last = int(end.timestamp() // step_s)
    offset = begin.timestamp()
    times = [begin + timedelta(seconds=n * step_s - offset) for n in range(first, last + 1)]
    return tuple(Mark(time, _share(time, begin, end)) for time in times)
