"""The embedded store: one SQLite file in WAL mode, shared by the processes of one machine."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.model.status import TaskStatus
from autoctrl.ports import Heartbeat, Lease, OpenTask, RunList, RunNumbers
from autoctrl.process import SystemClock
from autoctrl.stores import rows
from autoctrl.stores.leases import Held, as_lease, boot_ticks, check, claim, release
from autoctrl.stores.ordering import by_kind, in_order, newest_copies, task_order
from autoctrl.stores.sqlite.batch import write_batch
from autoctrl.stores.sqlite.connection import SharedConnection
from autoctrl.stores.sqlite.file_identity import FileMark, file_mark, is_same_file
from autoctrl.stores.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.job import JobRecord
    from autoctrl.model.output import MarkRecord, OutputRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Clock, Record, Selection
    from autoctrl.stores.leases import Ticks

BUSY_S = 30.0  # SQLite lets nobody take turns: on a busy machine a process can be unlucky for long
HISTORY: Mapping[str, Callable[[rows.Row], Record]] = {
    "every_run": rows.run_record,
    "every_mark": rows.mark_record,
    "every_task": rows.task_record,
    "every_job": rows.job_record,
    "every_output": rows.output_record,
    "every_fields": rows.fields_record,
}


def _held(connection: sqlite3.Connection, name: str) -> Held | None:
    row = connection.execute(SQL["lease"], (name,)).fetchone()
    return _held_of(row) if row else None


def _held_of(row: Sequence[Any]) -> Held:
    return Held._make((*row[:5], rows.moment(row[5])))


def _name_workflows(
    connection: sqlite3.Connection, query: str, campaign: str, names: Iterable[str] | None
) -> str:
    """Return the chosen workflows as JSON, or all that ``query`` finds if None."""
    if names is None:
        names = [name for (name,) in connection.execute(SQL[query], {"campaign": campaign})]
    return json.dumps(list(names))


class SqliteStore:
    """Keeps records in one SQLite file.

    Safe for threads, which take turns; a forked child opens the file anew. Leases are judged by
    ``ticks``; ``clock`` gives the times that people read. ``busy_s`` is how long to wait for
    another process that writes. Raises ``StoreError`` if the file cannot be used.
    """

    remarks: Sequence[str] = ()

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Clock | None = None,
        ticks: Callable[[], Ticks] = boot_ticks,
        busy_s: float = BUSY_S,
    ) -> None:
        self._clock = clock or SystemClock()
        self._ticks = ticks
        self.connection = SharedConnection(Path(path).absolute(), busy_s)
        self.store_id = self._identify()

    def _identify(self) -> str:
        """Return the store's identity, a new one if the file is new or a copy."""
        seen = file_mark(self.connection.path)
        with self.connection.using() as connection:
            if not self.connection.is_writable:
                seen = _recorded_mark(connection) or seen  # a reader takes a copy for what it was
            known = _known_id(connection, seen)
        if known:
            return known
        with self.connection.writing() as connection:
            known = _known_id(connection, seen)
            if not known:
                known = os.urandom(8).hex()
                connection.execute(
                    SQL["write_identity"], (known, *seen, rows.micros(self._clock.now()))
                )
        return known

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        """Write all records or none; see ``Store``."""
        kinds = by_kind(records)
        with self.connection.writing() as connection:
            if lease is not None:
                check(lease, _held(connection, lease.name), self._ticks())
            write_batch(connection, kinds)

    def open_tasks(self, campaign: str, workflow: str | None = None) -> list[OpenTask]:
        """Return every open task with the newest record of each job; see ``Store``."""
        with self.connection.reading() as connection:
            names = None if workflow is None else [workflow]
            workflows = _name_workflows(connection, "workflows", campaign, names)
            chosen = {"campaign": campaign, "workflows": workflows}
            tasks = _sort_tasks(connection.execute(SQL["open_tasks"], chosen))
            found = connection.execute(SQL["open_jobs"], chosen).fetchall() if tasks else []
        jobs: dict[TaskKey, list[JobRecord]] = {}
        for job in map(rows.job_record, found):
            jobs.setdefault(job.key.task, []).append(job)
        for of_task in jobs.values():
            of_task.sort(key=lambda job: job.key.index)
        return [OpenTask(task, tuple(jobs.get(task.key, ()))) for task in tasks]

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        """Return the newest record of every selected task; see ``Store``."""
        statuses = selection.statuses
        with self.connection.reading() as connection:
            found = _select_tasks(connection, selection).fetchall()
        return [task for task in _sort_tasks(found) if statuses is None or task.status in statuses]

    def each_task(self, selection: Selection) -> Iterator[TaskRecord]:
        """Yield the newest record of every selected task; see ``Store`` and ``records``."""
        statuses = selection.statuses
        with self.connection.apart() as connection:
            for task in map(rows.task_record, _select_tasks(connection, selection)):
                if statuses is None or task.status in statuses:
                    yield task

    def units(self, campaign: str, workflow: str) -> list[str]:
        """Return the names of all units of a workflow; see ``Store``."""
        with self.connection.reading() as connection:
            found = connection.execute(SQL["units"], (campaign, workflow))
            return [unit for (unit,) in found]

    def history(self, task: TaskKey) -> list[Record]:
        """Return every record of one task; see ``Store``."""
        with self.connection.reading() as connection:
            tasks = connection.execute(SQL["task_history"], task).fetchall()
            jobs = connection.execute(SQL["job_history"], task).fetchall()
            outputs = connection.execute(SQL["output_history"], task).fetchall()
            fields = connection.execute(SQL["fields_history"], task).fetchall()
        chains: dict[object, list[Record]] = {task: [rows.task_record(row) for row in tasks]}
        for job in map(rows.job_record, jobs):
            chains.setdefault(job.key, []).append(job)
        singles: list[Record] = [
            *map(rows.output_record, outputs),
            *map(rows.fields_record, fields),
        ]
        return in_order([*chains.values(), *([record] for record in singles)])

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs written after a position, and the present position; see ``Store``."""
        with self.connection.reading() as connection:
            position = connection.execute(SQL["position"]).fetchone()[0]
            if numbers is None:
                found = connection.execute(SQL["runs_since"], {"since": since}).fetchall()
            elif numbers:
                chosen = {"since": since, "numbers": json.dumps(list(numbers))}
                found = connection.execute(SQL["runs_numbered"], chosen).fetchall()
            else:
                found = []
        return RunList([rows.run_record(row) for row in found], position)

    def run_numbers(self, since: int = 0) -> RunNumbers:
        """Return the numbers of the runs written after a position; see ``Store``."""
        with self.connection.reading() as connection:
            position = connection.execute(SQL["position"]).fetchone()[0]
            found = connection.execute(SQL["run_numbers"], (since,))
            return RunNumbers([number for (number,) in found], position)

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind; see ``Store``."""
        with self.connection.using() as connection:
            found = connection.execute(SQL["marks"], {"kind": kind}).fetchall()
        return [mark for mark in map(rows.mark_record, found) if campaign in {None, mark.campaign}]

    def each_mark(self, kind: str, campaign: str) -> Iterator[MarkRecord]:
        """Yield the newest mark of every name of this kind; see ``Store`` and ``records``."""
        with self.connection.apart() as connection:
            for mark in map(rows.mark_record, connection.execute(SQL["marks"], {"kind": kind})):
                if mark.campaign == campaign:
                    yield mark

    def find_outputs(self, selection: Selection) -> list[OutputRecord]:
        """Return the newest record of every copy of the selected outputs; see ``Store``."""
        campaign, units = selection.campaign, selection.units
        name = "outputs_of_workflows" if units is None else "outputs_of_units"
        with self.connection.reading() as connection:
            workflows = _name_workflows(
                connection, "workflows_with_outputs", campaign, selection.workflows
            )
            chosen = {"campaign": campaign, "workflows": workflows, "units": json.dumps(units)}
            found = connection.execute(SQL[name], chosen).fetchall()
        return newest_copies(map(rows.output_record, found))

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        """Claim, renew or give up a lease; see ``Store``."""
        with self.connection.writing_for_this_boot() as connection:
            held, ticks, now = _held(connection, name), self._ticks(), self._clock.now()
            after: Held | None
            if seconds > 0:
                after = claim(name, held, owner=owner, seconds=seconds, ticks=ticks, now=now)
            else:
                after = release(held, owner, ticks, now)
            if after is None:
                return Lease(name, owner, held.epoch if held else 0, now)
            row = (name, *after[:5], rows.micros(after.expires))
            connection.execute(SQL["write_lease"], row)
        return as_lease(name, after)

    def leases(self) -> dict[str, Lease]:
        """Return every lease by name; see ``Store``."""
        with self.connection.using() as connection:
            found = connection.execute(SQL["every_lease"]).fetchall()
        return {name: as_lease(name, _held_of(row)) for name, *row in found}

    def beat(self, heartbeat: Heartbeat) -> None:
        """Remember that a round was made; see ``Store``."""
        row = heartbeat.campaign, rows.micros(heartbeat.time), heartbeat.owner
        with self.connection.writing() as connection:
            connection.execute(SQL["write_heartbeat"], row)

    def heartbeats(self) -> dict[str, Heartbeat]:
        """Return every heartbeat by campaign; see ``Store``."""
        with self.connection.using() as connection:
            found = connection.execute(SQL["every_heartbeat"]).fetchall()
        return {
            campaign: Heartbeat(campaign, rows.moment(time), owner)
            for campaign, time, owner in found
        }

    def records(self) -> Iterator[Record]:
        """Yield every record, as they were when the first was asked for; see ``Store``.

        Row by row, over a connection of its own: this store may be read and written meanwhile.
        """
        with self.connection.apart() as connection:
            for name, record in HISTORY.items():
                yield from map(record, connection.execute(SQL[name]))

    def ping(self) -> str:
        """Return which store this is."""
        return f"store {self.store_id} in {self.connection.path}"

    def revision(self) -> Hashable:
        """Return how often others and this process have written; see ``Store``."""
        with self.connection.using() as connection:
            (others,) = connection.execute("PRAGMA data_version").fetchone()
            return int(others), connection.total_changes

    def check_writing(self) -> None:
        """Raise ``StoreError`` if this user may only read the file; see ``Store``."""
        if not self.connection.is_writable:
            with self.connection.writing() as connection:
                connection.execute(SQL["write_nothing"])

    def moment(self) -> nullcontext[None]:
        """Do nothing: reading a local file costs little, so nothing is read in advance."""
        return nullcontext()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def _known_id(connection: sqlite3.Connection, seen: FileMark) -> str:
    row = connection.execute(SQL["identity"]).fetchone()
    return str(row[0]) if row and is_same_file(FileMark(*row[1:]), seen) else ""


def _recorded_mark(connection: sqlite3.Connection) -> FileMark | None:
    row = connection.execute(SQL["identity"]).fetchone()
    return FileMark(*row[1:]) if row else None


def _select_tasks(connection: sqlite3.Connection, selection: Selection) -> sqlite3.Cursor:
    """Ask for the selected tasks; where they may be done, for those of every status."""
    units, statuses = selection.units, selection.statuses
    chosen: dict[str, Any] = {"campaign": selection.campaign}
    if units is not None:
        name, chosen["units"] = "tasks_of_units", json.dumps(units)
    elif statuses is not None and TaskStatus.DONE not in statuses:
        name, chosen["statuses"] = "unfinished_tasks", json.dumps(statuses)
    else:
        name = "tasks_of_workflows"
    chosen["workflows"] = _name_workflows(
        connection, "workflows", selection.campaign, selection.workflows
    )
    return connection.execute(SQL[name], chosen)


def _sort_tasks(found: Iterable[rows.Row]) -> list[TaskRecord]:
    return sorted(map(rows.task_record, found), key=lambda task: task_order(task.key))
