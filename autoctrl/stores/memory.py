"""A store in this process's memory: the executable specification, and what tests use.

``memory:`` is a new store each time; ``memory:NAME`` is shared by all who open it while it is open.
"""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import nullcontext
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from autoctrl.config import StoreAdapter
from autoctrl.model.job import JobKey, JobRecord
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Lease, OpenTask, RunList, RunNumbers
from autoctrl.process import SystemClock
from autoctrl.stores.json_values import decode_mapping, encode
from autoctrl.stores.leases import as_lease, boot_ticks, check, claim, release
from autoctrl.stores.ordering import (
    by_kind,
    conflict,
    in_order,
    mark_key,
    newest_copies,
    spans,
    task_order,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Clock, Heartbeat, Record, Selection
    from autoctrl.stores.leases import Held, Ticks
    from autoctrl.stores.ordering import Sequenced

IDENTITIES: dict[type, Callable[[Any], Hashable]] = {
    TaskRecord: lambda record: record.key,
    JobRecord: lambda record: record.key,
    RunRecord: lambda record: record.number,
    MarkRecord: mark_key,
}


class _Records:
    """Every record, in chains by identity; and the leases and heartbeats."""

    def __init__(self) -> None:
        self.store_id = os.urandom(8).hex()
        self.lock = RLock()
        self.tasks: dict[TaskKey, list[TaskRecord]] = {}
        self.jobs: dict[TaskKey, dict[JobKey, list[JobRecord]]] = defaultdict(dict)
        self.runs: dict[int, list[RunRecord]] = {}
        self.positions: dict[int, int] = {}
        self.arrivals: list[RunRecord] = []
        self.writes = 0
        self.marks: dict[tuple[str, str, str], list[MarkRecord]] = {}
        self.outputs: dict[TaskKey, list[OutputRecord]] = defaultdict(list)
        self.fields: dict[TaskKey, list[FieldsRecord]] = defaultdict(list)
        self.leases: dict[str, Held] = {}
        self.heartbeats: dict[str, Heartbeat] = {}

    def newest(self, record: Sequenced) -> Sequenced | None:
        """Return the newest record of the identity of ``record``."""
        chain: Sequence[Sequenced] | None
        if isinstance(record, TaskRecord):
            chain = self.tasks.get(record.key)
        elif isinstance(record, JobRecord):
            chain = self.jobs.get(record.key.task, {}).get(record.key)
        elif isinstance(record, RunRecord):
            chain = self.runs.get(record.number)
        else:
            chain = self.marks.get(mark_key(record))
        return chain[-1] if chain else None

    def keep(self, record: Record) -> None:
        """Add one record that has been checked."""
        if isinstance(record, TaskRecord):
            self.tasks.setdefault(record.key, []).append(record)
        elif isinstance(record, JobRecord):
            self.jobs[record.key.task].setdefault(record.key, []).append(record)
        elif isinstance(record, RunRecord):
            self.arrivals.append(record)
            self.positions[record.number] = len(self.arrivals)
            self.runs.setdefault(record.number, []).append(record)
        elif isinstance(record, MarkRecord):
            self.marks.setdefault(mark_key(record), []).append(record)
        elif isinstance(record, OutputRecord):
            self.outputs[record.task].append(record)
        else:
            self.fields[record.task].append(record)

    def in_full(self) -> list[Record]:
        """Return every record: runs as they were written, then each kind by identity."""
        jobs = {key: chain for chains in self.jobs.values() for key, chain in chains.items()}
        kinds: tuple[Mapping[Any, Sequence[Record]], ...] = (
            self.marks,
            self.tasks,
            jobs,
            self.outputs,
            self.fields,
        )
        chains = [kind[key] for kind in kinds for key in sorted(kind)]
        return [*self.arrivals, *(record for chain in chains for record in chain)]


_SHARED: WeakValueDictionary[str, _Records] = WeakValueDictionary()


def _open_records(name: str) -> _Records:
    return _SHARED.setdefault(name, _Records()) if name else _Records()


def _copy(record: Record) -> Record:
    # A caller's mapping may change later, and a value that no store can keep is refused here too.
    if isinstance(record, RunRecord):
        return record._replace(attributes=decode_mapping(encode(record.attributes)))
    if isinstance(record, MarkRecord | FieldsRecord):
        return record._replace(values=decode_mapping(encode(record.values)))
    if isinstance(record, JobRecord) and record.fields:
        return record._replace(fields=decode_mapping(encode(record.fields)))
    return record


def _is_selected(key: TaskKey, selection: Selection) -> bool:
    return (
        key.campaign == selection.campaign
        and (selection.workflows is None or key.workflow in selection.workflows)
        and (selection.units is None or key.unit in selection.units)
    )


class MemoryStore:
    """Keeps records in memory; safe for threads, not shared between processes."""

    remarks: Sequence[str] = ()

    def __init__(
        self, name: str = "", *, clock: Clock | None = None, ticks: Callable[[], Ticks] = boot_ticks
    ) -> None:
        """Open the store ``name``, or a new one.

        Leases are judged by ``ticks``; ``clock`` gives the times that people read.
        """
        self._records = _open_records(name)
        self._clock = clock or SystemClock()
        self._ticks = ticks
        self.store_id = self._records.store_id

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        """Write all records or none; see ``Store``."""
        kept = self._records
        copies = [_copy(record) for record in records]
        with kept.lock:
            if lease is not None:
                check(lease, kept.leases.get(lease.name), self._ticks())
            for kind, group in by_kind(copies).items():
                if kind in IDENTITIES:
                    self._check_sequences(group, IDENTITIES[kind])
            for record in copies:
                kept.keep(record)
            kept.writes += len(copies)

    def _check_sequences(self, group: Iterable[Any], identity: Callable[[Any], Hashable]) -> None:
        for span in spans(group, identity).values():
            newest = self._records.newest(span.last)
            if span.first != (newest.sequence if newest else 0) + 1:
                raise conflict(span.first, span.last, newest)

    def open_tasks(self, campaign: str, workflow: str | None = None) -> list[OpenTask]:
        """Return every open task with the newest record of each job; see ``Store``."""
        kept = self._records
        with kept.lock:
            newest = [chain[-1] for key, chain in kept.tasks.items() if key.campaign == campaign]
            chosen = [
                task for task in newest if task.is_open and workflow in {None, task.key.workflow}
            ]
            chosen.sort(key=lambda task: task_order(task.key))
            return [OpenTask(task, self._jobs(task)) for task in chosen]

    def _jobs(self, task: TaskRecord) -> tuple[JobRecord, ...]:
        newest = [chain[-1] for chain in self._records.jobs.get(task.key, {}).values()]
        chosen = [job for job in newest if job.key.version == task.version]
        return tuple(sorted(chosen, key=lambda job: job.key.index))

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        """Return the newest record of every selected task; see ``Store``."""
        with self._records.lock:
            newest = [
                chain[-1]
                for key, chain in self._records.tasks.items()
                if _is_selected(key, selection)
            ]
        wanted = selection.statuses
        chosen = [task for task in newest if wanted is None or task.status in wanted]
        return sorted(chosen, key=lambda task: task_order(task.key))

    def each_task(self, selection: Selection) -> Iterator[TaskRecord]:
        """Yield the newest record of every selected task; see ``Store``."""
        yield from self.tasks(selection)

    def units(self, campaign: str, workflow: str) -> list[str]:
        """Return the names of all units of a workflow; see ``Store``."""
        with self._records.lock:
            return [key.unit for key in self._records.tasks if key[:2] == (campaign, workflow)]

    def history(self, task: TaskKey) -> list[Record]:
        """Return every record of one task; see ``Store``."""
        kept = self._records
        with kept.lock:
            jobs = kept.jobs.get(task, {})
            chains: list[Sequence[Record]] = [
                kept.tasks.get(task, []),
                *(jobs[key] for key in sorted(jobs)),
            ]
            singles: list[Record] = [*kept.outputs.get(task, []), *kept.fields.get(task, [])]
            return in_order([*chains, *([record] for record in singles)])

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs written after a position, and the position now; see ``Store``."""
        kept = self._records
        with kept.lock:
            meant = kept.positions if numbers is None else set(numbers) & kept.positions.keys()
            chosen = sorted(number for number in meant if kept.positions[number] > since)
            newest = [kept.runs[number][-1] for number in chosen]
            return RunList(newest, len(kept.arrivals))

    def run_numbers(self, since: int = 0) -> RunNumbers:
        """Return the numbers of the runs written after a position; see ``Store``."""
        records, position = self.runs(since)
        return RunNumbers([record.number for record in records], position)

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind; see ``Store``."""
        with self._records.lock:
            found = [
                chain[-1] for key, chain in sorted(self._records.marks.items()) if key[0] == kind
            ]
        return [mark for mark in found if campaign in {None, mark.campaign}]

    def each_mark(self, kind: str, campaign: str) -> Iterator[MarkRecord]:
        """Yield the newest mark of every name of this kind; see ``Store``."""
        yield from self.marks(kind, campaign)

    def find_outputs(self, selection: Selection) -> list[OutputRecord]:
        """Return the newest record of every copy of the selected outputs; see ``Store``."""
        with self._records.lock:
            groups = [
                records
                for key, records in self._records.outputs.items()
                if _is_selected(key, selection)
            ]
            return newest_copies(record for records in groups for record in records)

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        """Claim, renew or give up a lease; see ``Store``."""
        kept = self._records
        with kept.lock:
            held, ticks, now = kept.leases.get(name), self._ticks(), self._clock.now()
            kept.writes += 1
            if seconds > 0:
                kept.leases[name] = claimed = claim(
                    name, held, owner=owner, seconds=seconds, ticks=ticks, now=now
                )
                return as_lease(name, claimed)
            released = release(held, owner, ticks, now)
            if released is not None:
                kept.leases[name] = released
            return Lease(name, owner, held.epoch if held else 0, now)

    def leases(self) -> dict[str, Lease]:
        """Return every lease by name; see ``Store``."""
        with self._records.lock:
            return {name: as_lease(name, held) for name, held in self._records.leases.items()}

    def beat(self, heartbeat: Heartbeat) -> None:
        """Remember that a round was made; see ``Store``."""
        with self._records.lock:
            self._records.heartbeats[heartbeat.campaign] = heartbeat
            self._records.writes += 1

    def heartbeats(self) -> dict[str, Heartbeat]:
        """Return every heartbeat by campaign; see ``Store``."""
        with self._records.lock:
            return dict(self._records.heartbeats)

    def records(self) -> Iterator[Record]:
        """Yield every record, as they were when the first was asked for; see ``Store``."""
        with self._records.lock:
            found = self._records.in_full()
        yield from found

    def ping(self) -> str:
        """Return which store this is."""
        return f"store {self.store_id}, in the memory of this process"

    def revision(self) -> int:
        """Return how often anything was written; see ``Store``."""
        return self._records.writes

    def check_writing(self) -> None:
        """Do nothing: memory can be written; see ``Store``."""

    def moment(self) -> nullcontext[None]:
        """Do nothing: reading memory costs nothing, so nothing is read in advance."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing: the records are freed with the last store that has them open."""


def open_memory(url: str, clock: Clock | None) -> MemoryStore:
    """Open a new store, or the one with the name that the URL has."""
    return MemoryStore(url.partition(":")[2], clock=clock)


ADAPTER = StoreAdapter(open_memory, is_lasting=False)
