"""How long runs take from their end to a result, stage by stage, as the history tells it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import chain
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.model.job import JobRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Selection
from autoctrl.views.columns import find_column, find_columns
from autoctrl.views.spelling import spell_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.run import RunRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record, Store

ALWAYS = datetime.min.replace(tzinfo=UTC)
END_ATTRIBUTE = "end"
FIRST_VERSION = 1
TAKEN = frozenset({JobStatus.IDLE, JobStatus.RUNNING, JobStatus.HELD})
# So many tasks are asked for one by one; for more, everything is read once.
MOST_ASKED = 500
SMALL_S = 60.0
HIGH = 0.95

END, BORN, WAIT, SUBMITTED = "end of run", "born", "last wait", "submitted"
RUNNING, ENDED, COLLECTED = "running", "ended", "collected"
MOMENTS = (END, BORN, WAIT, SUBMITTED, RUNNING, ENDED, COLLECTED)
STAGES = (
    (END, BORN),
    (BORN, WAIT),
    (WAIT, SUBMITTED),
    (SUBMITTED, RUNNING),
    (RUNNING, ENDED),
    (ENDED, COLLECTED),
    (END, SUBMITTED),
    (END, COLLECTED),
)


class Latency(NamedTuple):
    """How long one stage of a workflow's tasks takes.

    workflow  its name
    begin     the moment at which the stage begins, one of ``MOMENTS``
    end       the moment at which it ends
    tasks     number of tasks of which both are known
    median_s  the median of their times, seconds; None if there are none
    p95_s     95 % of them took no longer, seconds; None if there are none
    """

    workflow: str
    begin: str
    end: str
    tasks: int
    median_s: float | None
    p95_s: float | None


def read_latency(
    store: Store,
    campaign: str,
    workflows: Sequence[str] | None = None,
    since: datetime = ALWAYS,
) -> list[Latency]:
    """Return every stage of the campaign's workflows, in the order of the chain.

    Only first versions count, and with ``since`` only tasks that were born then or later. Raises
    ``UsageError`` for an unknown campaign or workflow.
    """
    names = _choose(store, campaign, workflows)
    tasks = store.tasks(Selection(campaign, names))
    # One that was born since has moved since.
    traces = _trace(store, {task.key: task.members for task in tasks if task.time >= since})
    runs = {run.number: run for run in store.runs().records} if traces else {}
    moments: dict[str, list[Mapping[str, datetime]]] = {name: [] for name in names}
    for key, trace in traces.items():
        if trace.is_born_since(since):
            moments[key.workflow].append(trace.moments(runs))
    return [row for name in names for row in measure(name, moments[name])]


def measure_tasks(
    store: Store,
    workflow: str,
    tasks: Sequence[TaskRecord],
    histories: Iterable[Iterable[Record]],
) -> list[Latency]:
    """Return every stage of these tasks of one workflow, whose histories are given.

    Only first versions count.
    """
    traces = {task.key: Trace(task.members) for task in tasks}
    for record in chain.from_iterable(histories):
        _take(traces, record)
    numbers = sorted({number for task in tasks for number in task.members})
    runs = {run.number: run for run in store.runs(numbers=numbers).records}
    return measure(workflow, [trace.moments(runs) for trace in traces.values()])


def _choose(store: Store, campaign: str, workflows: Sequence[str] | None) -> tuple[str, ...]:
    """Return the workflows whose tasks the campaign itself keeps, of those that are asked for."""
    columns = find_columns(store, find_lineage(store, campaign))
    if workflows:
        columns = [find_column(columns, campaign, name) for name in workflows]
    return tuple(column.workflow for column in columns if column.campaign == campaign)


def _trace(store: Store, tasks: Mapping[TaskKey, Sequence[int]]) -> dict[TaskKey, Trace]:
    """Gather the moments of these tasks, given with the runs of their units."""
    traces = {key: Trace(members) for key, members in tasks.items()}
    for record in _records(store, traces):
        _take(traces, record)
    return traces


def _take(traces: Mapping[TaskKey, Trace], record: Record) -> None:
    """Give a record to the trace of its task, if it is traced."""
    if isinstance(record, TaskRecord) and record.key in traces:
        traces[record.key].take_task(record)
    elif isinstance(record, JobRecord) and record.key.task in traces:
        traces[record.key.task].take_job(record)


def _records(store: Store, tasks: Mapping[TaskKey, object]) -> Iterator[Record]:
    """Yield what the store has of these tasks, and perhaps more."""
    if len(tasks) <= MOST_ASKED:
        return chain.from_iterable(map(store.history, tasks))
    return store.records()


class Trace:
    """The moments of one task, gathered record by record in the order of the history."""

    def __init__(self, members: Iterable[int]) -> None:
        """Gather the moments of a task whose unit has these runs."""
        self._members = tuple(members)
        self._has_begun = False
        self._found: dict[str, datetime] = {}
        self._running: dict[tuple[int, int], datetime] = {}

    def take_task(self, record: TaskRecord) -> None:
        """Take the next record of the task; only those of its first version count."""
        if record.version != FIRST_VERSION:
            return
        self._found.setdefault(BORN, record.time)
        self._has_begun = self._has_begun or record.status is not TaskStatus.NEW
        if record.reason and not self._has_begun:
            self._found[WAIT] = record.time
        if record.status is TaskStatus.DONE:
            self._found[COLLECTED] = record.time

    def take_job(self, record: JobRecord) -> None:
        """Take the next record of one of its jobs.

        What a cycle has sampled late is put right by when the job began, as its node says, or else
        by the time that it took.
        """
        if record.key.version != FIRST_VERSION:
            return
        attempt = (record.key.index, record.attempt)
        if record.status in TAKEN:
            self._note_first(SUBMITTED, record.time)
        if record.status is JobStatus.RUNNING:
            self._running.setdefault(attempt, record.time)
            self._note_first(RUNNING, record.time)
        if record.status is JobStatus.DONE or (record.is_final and record.wall_s is not None):
            wall = timedelta(seconds=record.wall_s or 0.0)
            begun = self._begin_of(record, wall)
            self._note_first(SUBMITTED, begun)  # a call is never seen before its end
            self._note_first(RUNNING, begun)
            if record.status is JobStatus.DONE:
                ended = begun + wall
                self._found[ENDED] = max(ended, self._found.get(ENDED, ended))

    def _begin_of(self, record: JobRecord, wall: timedelta) -> datetime:
        """Return when an attempt that is over began: as its node says, or as cycles saw it."""
        if record.began is not None and record.ran is not None:
            return record.ran.begin
        seen = self._running.get((record.key.index, record.attempt), record.time)
        return min(record.time - wall, seen)

    def _note_first(self, name: str, time: datetime) -> None:
        self._found[name] = min(time, self._found.get(name, time))

    def is_born_since(self, since: datetime) -> bool:
        """Say whether the task was born then or later."""
        return self._found.get(BORN, since) >= since

    def moments(self, runs: Mapping[int, RunRecord]) -> dict[str, datetime]:
        """Return the moments that are known, none earlier than the one before it."""
        found = dict(self._found)
        if (end := _end_of([runs.get(number) for number in self._members])) is not None:
            found[END] = end
        if BORN in found:
            found.setdefault(WAIT, found[BORN])
        ordered: dict[str, datetime] = {}
        latest: datetime | None = None
        for name in MOMENTS:
            if name in found:
                latest = found[name] if latest is None else max(latest, found[name])
                ordered[name] = latest
        return ordered


def _end_of(runs: Sequence[RunRecord | None]) -> datetime | None:
    """Return when the last of the runs ended, None unless that is known of each."""
    ends = [run.attributes.get(END_ATTRIBUTE) for run in runs if run is not None]
    times = [end for end in ends if isinstance(end, datetime)]
    return max(times) if times and len(times) == len(runs) else None


def measure(workflow: str, tasks: Sequence[Mapping[str, datetime]]) -> list[Latency]:
    """Return how long each stage took in a workflow whose tasks had these moments."""
    rows = []
    for begin, end in STAGES:
        spans = [task[end] - task[begin] for task in tasks if begin in task and end in task]
        times_s = sorted(span.total_seconds() for span in spans)
        middle, high = (median(times_s), quantile(times_s, HIGH)) if times_s else (None, None)
        rows.append(Latency(workflow, begin, end, len(times_s), middle, high))
    return rows


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the ordered values that this share of them does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spell_span(seconds: float | None) -> str:
    """Return ``0.3 s``, ``4 min 10 s``, empty if it is not known."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < SMALL_S else spell_duration(timedelta(seconds=seconds))
