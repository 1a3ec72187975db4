"""The store for several machines: written in turns, read up to what is committed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Lease, OpenTask, RunList, RunNumbers, Selection
from autoctrl.stores.influx.append import Append, Parts
from autoctrl.stores.influx.batch import prepare
from autoctrl.stores.influx.board_keeper import BoardKeeper, span_of_runs
from autoctrl.stores.influx.cache import newest_of
from autoctrl.stores.influx.flux import Positions
from autoctrl.stores.influx.follower import Follower
from autoctrl.stores.influx.heartbeats import (
    ask_heartbeats,
    health_lines,
    heartbeat_line,
    read_heartbeats,
)
from autoctrl.stores.influx.identity import identify
from autoctrl.stores.influx.journal import (
    EVER,
    NEWEST_MARKS,
    NEWEST_RUN,
    Journal,
    WorkflowKey,
    is_selected,
    read_entries,
    read_workflows,
    sort_by_identity,
    workflow_of,
)
from autoctrl.stores.influx.lease_book import LeaseBook
from autoctrl.stores.influx.mutex import Mutex
from autoctrl.stores.influx.overview import all_fields_lines, overview_lines, write_derived
from autoctrl.stores.influx.points import NS_PER_S
from autoctrl.stores.influx.server import Server, of_stream, read_token
from autoctrl.stores.influx.snapshot import Snapshot
from autoctrl.stores.influx.stages import latency_lines
from autoctrl.stores.ordering import in_order, mark_key, newest_copies, task_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from autoctrl.model.output import MarkRecord, OutputRecord
    from autoctrl.model.run import RunRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Heartbeat, Record
    from autoctrl.stores.influx.address import Address
    from autoctrl.stores.influx.board import RunSpan
    from autoctrl.stores.influx.points import Entry
    from autoctrl.stores.influx.server import FluxRow

MOST_APART_S = 1.0
OF_WORKFLOWS = ("task", "job", "output", "fields")


class InfluxStore:
    """Keeps records in one bucket; for one thread at a time, and a forked child connects anew.

    ``turn_s`` is after how long others take over from a writer that is silent, ``wait_s`` how long
    to wait for a turn. Raises ``StoreError`` or ``SettingsError`` if the bucket cannot be used.
    """

    def __init__(
        self, address: Address, *, server: Server | None = None, **patience: float
    ) -> None:
        self.server = server or Server(address, read_token(address))
        self.mutex = Mutex(self.server, **patience)
        self.view = self.mutex.view
        self._journal = Journal(address.bucket)
        self._remarks: list[str] = []
        self._snapshot = Snapshot(self.view, self._journal)
        self.follower = Follower(self.mutex, self._journal, self._snapshot, self._remarks)
        self._board = BoardKeeper(self.server, self.view, self._journal, self.follower.cache)
        self._leases = LeaseBook(self.server, self.mutex, self._journal)
        self.store_id = identify(self.server, self.mutex, self._journal)

    @property
    def remarks(self) -> Sequence[str]:
        """What went wrong without any loss since this was last read; see ``Store``."""
        said = self._remarks.copy()
        self._remarks.clear()
        return said

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        """Write all records or none; see ``Store``."""
        batch = prepare(records)
        if not batch.bodies:
            if lease is not None:
                self._leases.look_and_check(lease)
            return
        parts = Parts(self.server, self.view, self._journal, self._leases, self.follower)
        append = Append(batch, lease, parts)
        end = self.mutex.take_turn(append.needs, append.work)
        self._snapshot.drop()
        self.follower.remember(append.composed, end)
        self._remarks.extend(
            write_derived(self.server, append.composed.entries, end.last, self._board)
        )
        written = (entry.record for entry in append.composed.entries)
        tasks = (record for record in written if isinstance(record, TaskRecord))
        self.follower.move_marks({workflow_of(task.key) for task in tasks})

    def rebuild(self, campaign: str) -> int:
        """Write the overview and the board of a campaign anew; see ``Showing``."""
        since = self.view.look().state.committed.last
        tasks = self.tasks(Selection(campaign))
        runs = {run.number: run for run in self.runs().records}
        self.server.write(overview_lines(tasks))
        self._board.rebuild(campaign, tasks, runs)
        for workflow in sorted({task.key.workflow for task in tasks}):
            self._rebuild_beside(Selection(campaign, (workflow,)), runs)
        # What others have written meanwhile may have been written over by what it was before.
        state, rows = self.view.look(lambda upto: self._journal.tail(since, upto))
        entries = read_entries(of_stream(rows, "tail"), self.view.counts)
        # What is remembered of runs holds up to where the journal has been followed, which differs.
        self.follower.cache.runs.clear()
        upto = state.committed.last
        self._remarks.extend(write_derived(self.server, entries, upto, self._board))
        self.follower.cache.runs.clear()
        return len(tasks)

    def _rebuild_beside(self, selection: Selection, runs: Mapping[int, RunRecord]) -> None:
        """Write anew where the time of a workflow's tasks went, and their custom fields."""

        def span_of(members: Sequence[int]) -> RunSpan:
            return span_of_runs(members, runs)

        entries = self._selected(("task", "job", "fields"), selection)
        self.server.write(
            [
                *latency_lines(entries, lambda members: span_of(members).end),
                *all_fields_lines(entries, span_of),
            ]
        )

    def open_tasks(self, campaign: str, workflow: str | None = None) -> list[OpenTask]:
        """Return every open task with the newest record of each job; see ``Store``."""
        if workflow is not None:
            return self.follower.open_tasks(WorkflowKey(campaign, workflow))
        rows = self.view.read(lambda upto: self._journal.workflows(["task"], upto, campaign)).rows
        return [one for where in read_workflows(rows) for one in self.follower.open_tasks(where)]

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        """Return the newest record of every selected task; see ``Store``."""
        statuses = selection.statuses
        entries = self._selected(("task",), selection)
        newest: Any = newest_of(entry.record for entry in entries).values()
        chosen = [
            task
            for task in newest
            if is_selected(task.key, selection.workflows, selection.units)
            and (statuses is None or task.status in statuses)
        ]
        return sorted(chosen, key=lambda task: task_order(task.key))

    def each_task(self, selection: Selection) -> Iterator[TaskRecord]:
        """Yield the newest record of every selected task; see ``Store``.

        The server answers as a whole, so they are all held meanwhile.
        """
        yield from self.tasks(selection)

    def units(self, campaign: str, workflow: str) -> list[str]:
        """Return the names of all units of a workflow; see ``Store`` and ``each_task``."""
        return [task.key.unit for task in self.each_task(Selection(campaign, (workflow,)))]

    def _selected(self, kinds: Sequence[str], selection: Selection) -> list[Entry]:
        if selection.workflows == () or selection.units == ():
            return []
        found = self.view.read(lambda upto: self._journal.selected("found", kinds, selection, upto))
        return read_entries(found.rows, self.view.counts)

    def history(self, task: TaskKey) -> list[Record]:
        """Return every record of one task; see ``Store``."""
        tasks: list[Record] = []
        jobs: dict[Any, list[Record]] = {}
        singles: dict[str, list[list[Record]]] = {"output": [], "fields": []}
        only = Selection(task.campaign, (task.workflow,), (task.unit,))
        for entry in self._selected(OF_WORKFLOWS, only):
            if entry.kind == "task":
                tasks.append(entry.record)
            elif entry.kind == "job":
                jobs.setdefault(entry.record.key, []).append(entry.record)
            else:
                singles[entry.kind].append([entry.record])
        chains = [tasks, *(jobs[key] for key in sorted(jobs))]
        return in_order([*chains, *singles["output"], *singles["fields"]])

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs written after a position, and the present position; see ``Store``."""
        wanted = None if numbers is None else set(numbers)
        seen = self._snapshot.find(NEWEST_RUN)
        if seen is not None:
            position = _last_position(seen)
            if position <= since or wanted == set():
                return RunList([], position)
        rows = self.view.read(lambda upto: self._ask_runs(since, wanted, upto)).rows
        position = self._position(of_stream(rows, NEWEST_RUN))
        entries = read_entries(of_stream(rows, "runs"), self.view.counts)
        newest: Any = newest_of(entry.record for entry in entries if entry.position > since)
        chosen = newest.keys() if wanted is None else newest.keys() & wanted
        return RunList([newest[number] for number in sorted(chosen)], position)

    def _ask_runs(self, since: int, wanted: set[int] | None, upto: int) -> str:
        asked = self._journal.newest_run(upto)
        if since < upto and wanted != set():
            asked += self._journal.of_runs("runs", Positions(since + 1, upto), wanted)
        return asked

    def _position(self, newest: list[FluxRow]) -> int:
        """Return the position of the newest run record that counts, 0 if there is none."""
        if all(self.view.counts(row.position) for row in newest):
            return _last_position(newest)
        rows = self.view.read(
            lambda upto: self._journal.of_runs("runs", Positions(EVER, upto))
        ).rows
        entries = read_entries(rows, self.view.counts)
        return entries[-1].position if entries else 0

    def run_numbers(self, since: int = 0) -> RunNumbers:
        """Return the numbers of the runs written after a position; see ``Store``."""
        records, position = self.runs(since)
        return RunNumbers([record.number for record in records], position)

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind; see ``Store``."""
        rows = self._snapshot.find(NEWEST_MARKS)
        if rows is None:
            rows = self.view.read(lambda upto: self._journal.newest_marks(kind, upto)).rows
        if not all(self.view.counts(row.position) for row in rows):
            rows = self.view.read(lambda upto: self._journal.marks("marks", kind, None, upto)).rows
        entries = read_entries(rows, self.view.counts)
        newest: Any = newest_of(entry.record for entry in entries).values()
        meant = [mark for mark in newest if mark.kind == kind and campaign in {None, mark.campaign}]
        return sorted(meant, key=mark_key)

    def each_mark(self, kind: str, campaign: str) -> Iterator[MarkRecord]:
        """Yield the newest mark of every name of this kind; see ``each_task``."""
        yield from self.marks(kind, campaign)

    def find_outputs(self, selection: Selection) -> list[OutputRecord]:
        """Return the newest record of every copy of the selected outputs; see ``Store``."""
        found = [entry.record for entry in self._selected(("output",), selection)]
        workflows, units = selection.workflows, selection.units
        return newest_copies(one for one in found if is_selected(one.task, workflows, units))

    def records(self) -> Iterator[Record]:
        """Yield every record, as they were when the first was asked for; see ``Store``."""
        upto = self.view.look().state.committed.last
        for kind in ("run", "mark"):
            yield from self._every(kind, self._journal.every(kind, upto))
        span = Positions(EVER, upto)
        for kind in OF_WORKFLOWS:
            for where in read_workflows(self.server.query(self._journal.workflows([kind], upto))):
                yield from self._every(kind, self._journal.of_workflow(kind, [kind], where, span))

    def _every(self, kind: str, script: str) -> Iterator[Record]:
        entries = read_entries(self.server.query(script), self.view.counts)
        for entry in sort_by_identity(kind, entries):
            yield entry.record

    def revision(self) -> None:
        """Return nothing: to ask costs a request, as reading does; see ``Store``."""

    def check_writing(self) -> None:
        """Do nothing: the server refuses what may not be written; see ``Store``."""

    def moment(self) -> AbstractContextManager[None]:
        """Read everything within the block as of one state; see ``Store``."""
        return self._snapshot.moment()

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        """Claim, renew or give up a lease; see ``Store``. ``expires`` is by the server's clock."""
        if seconds > 0:
            return self._leases.claim(name, owner, seconds)
        return self._leases.release(name, owner)

    def leases(self) -> dict[str, Lease]:
        """Return every lease by name; see ``Store``."""
        return self._leases.find_all()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Remember that a round was made; see ``Store``. Needs no turn: of two, either will do."""
        self.server.write([heartbeat_line(heartbeat), *health_lines(heartbeat)])

    def heartbeats(self) -> dict[str, Heartbeat]:
        """Return every heartbeat by campaign; see ``Store``."""
        return read_heartbeats(self.server.query(ask_heartbeats(self.server.address.bucket)))

    def ping(self) -> str:
        """Return the server's kind, the bucket, the store's id and how far the clocks are apart.

        Raises ``StoreError`` also if the token may not write, or if the clocks are more than
        ``MOST_APART_S`` apart.
        """
        self.server.check_writing()
        skew = self._measure_skew()
        address = self.server.address
        if abs(skew.ahead_s) > MOST_APART_S + skew.uncertainty_s:
            side = "ahead of" if skew.ahead_s > 0 else "behind"
            message = (
                f"This machine's clock is {abs(skew.ahead_s):.1f} s {side} that of the {address}; "
                "the times in records would be wrong by as much."
            )
            hint = "Let NTP set both. Meanwhile nothing is lost or done twice."
            raise StoreError(message, hint=hint)
        where = f"{address.location} ({'InfluxDB 1.8' if address.is_v1 else 'InfluxDB 2'})"
        return f"store {self.store_id} in {where}, clocks {skew.ahead_s:+.1f} s apart"

    def _measure_skew(self) -> Skew:
        before = datetime.now(UTC).timestamp()
        server_s = self.view.look().state.now / NS_PER_S
        after = datetime.now(UTC).timestamp()
        return Skew((before + after) / 2 - server_s, (after - before) / 2)

    def close(self) -> None:
        """Close the connection."""
        self.server.close()


def _last_position(rows: Iterable[FluxRow]) -> int:
    return max((row.position for row in rows), default=0)


class Skew(NamedTuple):
    """How far this machine's clock is ahead of the server's, seconds, and how sure that is."""

    ahead_s: float
    uncertainty_s: float
