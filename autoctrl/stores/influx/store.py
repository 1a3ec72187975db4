"""The store for several machines: records in InfluxDB, written in turns, read up to what is
committed.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from autoctrl.errors import StoreError
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Lease, OpenTask, RunList, Selection
from autoctrl.stores.influx.batch import Content, carry, check, compose, is_due, prepare, streams
from autoctrl.stores.influx.cache import Newest, newest_of
from autoctrl.stores.influx.identity import identify
from autoctrl.stores.influx.journal import (
    EVER,
    NS_PER_US,
    WITH_CARRIED,
    Journal,
    in_their_order,
    is_meant,
    placed,
    places,
)
from autoctrl.stores.influx.lease_points import change_line, held_in, judged_at, released_line
from autoctrl.stores.influx.mutex import Batch, Mutex
from autoctrl.stores.influx.overview import derived
from autoctrl.stores.influx.points import tag_value
from autoctrl.stores.influx.server import Server, read_token
from autoctrl.stores.leases import as_lease, claim, release
from autoctrl.stores.leases import check as check_lease
from autoctrl.stores.ordering import in_order, mark_key, newest_copies, task_order
from autoctrl.stores.rows import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from autoctrl.model.output import MarkRecord, OutputRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.stores.influx.address import Address
    from autoctrl.stores.influx.cache import Place
    from autoctrl.stores.influx.points import Placed
    from autoctrl.stores.influx.server import Row
    from autoctrl.stores.influx.turns import End, State
    from autoctrl.stores.leases import Held

MOST_APART_S = 1.0


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
        self._journal = Journal(address.bucket)
        self._newest = Newest()
        self._water: dict[Place, int] = {}
        self._remarks: list[str] = []
        self._at_hand: list[Row] | None = None  # within a moment: what every cycle asks for
        # Leases that were claimed here, each with the time of its point.
        self._mine: dict[tuple[str, str], tuple[Held, int]] = {}
        self._lease_time = 0
        self.store_id = identify(self.server, self.mutex, self._journal)

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences about what went wrong since they were last read, without anything being
        lost.
        """
        said, self._remarks = self._remarks, []
        return said

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        """Write all records or none; see ``Store``."""
        batch = prepare(records)
        if not batch.bodies:
            self._check_lease(lease)
            return
        content, asked = Content([], 0, [], []), ""

        def needs(upto: int) -> str:
            nonlocal asked
            asked = streams(self._journal, batch, self._newest, upto)
            of_lease = self._lease_stream(lease.name, upto) if lease is not None else ""
            return of_lease + self._tail(upto) + asked

        def work(state: State, rows: list[Row], first: int) -> Batch:
            nonlocal content
            if lease is not None:
                check_lease(lease, self._held(lease.name, rows), judged_at(state.now))
            self._follow(rows, state.committed.last)
            # What others have closed meanwhile is not remembered any more, so it is looked up after
            # all.
            missing = streams(self._journal, batch, self._newest, state.committed.last)
            if missing and missing != asked:
                rows = self.server.query(missing)
            looked_up = [row for row in rows if row.result.startswith(("units", "marks", "runs"))]
            found = check(batch, self._newest, placed(looked_up, self.mutex.counts))
            content = compose(batch, first, self._newest, found)
            return Batch(content.lines, content.size)

        end = self.mutex.turn(needs, work)
        self._at_hand = None
        self._remember(content, end)
        self._derive(content.placed)
        self._move_marks(
            {record.key[:2] for _, record in content.placed if isinstance(record, TaskRecord)}
        )

    def _check_lease(self, lease: Lease | None) -> None:
        if lease is not None:
            state, rows = self.mutex.look(lambda upto: self._lease_stream(lease.name, upto))
            check_lease(lease, self._held(lease.name, rows), judged_at(state.now))

    def _remember(self, content: Content, end: End) -> None:
        for record in content.taken:
            self._newest.take(record)
        self._newest.position = end.last

    def _tail(self, upto: int) -> str:
        known = self._newest.position
        return self._journal.tail(known, upto) if 0 < known < upto else ""

    def _follow(self, rows: list[Row], upto: int) -> None:
        for one in placed((row for row in rows if row.result == "tail"), self.mutex.counts):
            if one.position > self._newest.position:
                self._newest.take(one.record)
        self._newest.position = max(upto, self._newest.position)

    def _derive(self, written: list[tuple[int, Record]]) -> None:
        """Write what is for people; if that fails it is said, and nothing is lost."""
        overview, custom = derived(written)
        try:
            if overview:
                self.server.write(overview)
        except StoreError as error:
            self._remarks.append(f"The overview for Grafana is behind: {error}")
        for record, point in custom:
            try:
                self.server.write([point])
            except StoreError as error:
                self._remarks.append(
                    f"Custom fields of {record.task} are kept, but not shown in Grafana: {error}"
                )

    def rebuild_overview(self, campaign: str) -> int:
        """Write the overview of a campaign anew from its records; return the number of its
        tasks.
        """
        tasks = self.tasks(Selection(campaign))
        self.server.write(derived((0, task) for task in tasks)[0])
        return len(tasks)

    def _move_marks(self, places: Iterable[Place]) -> None:
        """Repeat what is open, where much has been written since it was last repeated, so that
        reading begins later.
        """
        for place in places:
            if place not in self._newest.read_since or not is_due(self._newest, place):
                continue

            def work(state: State, rows: list[Row], first: int, place: Place = place) -> Batch:
                self._follow(rows, state.committed.last)
                return Batch(*carry(self._newest, place, first))

            try:
                end = self.mutex.turn(self._tail, work)
            except StoreError as error:
                self._remarks.append(f"Reading {'/'.join(place)} stays slow: {error}")
                return
            self._newest.position = end.last
            self._water[place] = self._newest.read_since[place] = end.first
            self._newest.read_count[place] = 0

    def open_tasks(self, campaign: str, workflow: str | None = None) -> list[OpenTask]:
        """Return every open task with the newest record of each job of its version; see ``Store``."""
        if workflow is not None:
            return self._open_tasks((campaign, workflow))
        _, rows = self.mutex.read(lambda upto: self._journal.places(["task"], upto, campaign))
        return [one for place in places(rows) for one in self._open_tasks(place)]

    def _open_tasks(self, place: Place) -> list[OpenTask]:
        newest = self._newest
        if place in newest.read_since:
            state, rows = self.mutex.read(self._tail)
            self._follow(rows, state.committed.last)
            return newest.open_tasks(place)
        since = self._water_mark(place)

        def needs(upto: int) -> str:
            return self._tail(upto) + self._journal.of_place(
                "open", WITH_CARRIED, place, (since, upto)
            )

        state, rows = self.mutex.read(needs)
        self._follow(rows, state.committed.last)
        newest.tasks[place] = {}
        newest.read_since[place], newest.read_count[place] = since, 0
        for one in placed((row for row in rows if row.result == "open"), self.mutex.counts):
            newest.take(one.record)
        self._move_marks([place])
        return newest.open_tasks(place)

    def _water_mark(self, place: Place) -> int:
        """Return the newest position from which all open tasks of a place can be found."""
        if place in self._water:
            return self._water[place]
        rows = [
            row for row in self._at_hand or () if row.result == "water" and places([row]) == [place]
        ]
        if self._at_hand is None or not all(
            self.mutex.counts(row.time // NS_PER_US) for row in rows
        ):
            tags = {"campaign": place[0], "workflow": place[1]}
            _, rows = self.mutex.read(lambda upto: self._journal.words("water", tags, upto))
        marks = [int(row.value) for row in rows if self.mutex.counts(row.time // NS_PER_US)]
        self._water[place] = since = max(marks, default=EVER)
        return since

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        """Return the newest record of every selected task; see ``Store``."""
        _, workflows, units, statuses = selection
        found: Any = newest_of(one.record for one in self._selected(("task",), selection)).values()
        chosen = [task for task in found if statuses is None or task.status in statuses]
        meant = [task for task in chosen if is_meant(task.key, workflows, units)]
        return sorted(meant, key=lambda task: task_order(task.key))

    def _selected(self, kinds: Sequence[str], selection: Selection) -> list[Placed]:
        if selection.workflows == () or selection.units == ():
            return []
        _, rows = self.mutex.read(
            lambda upto: self._journal.selected("found", kinds, selection, upto)
        )
        return placed(rows, self.mutex.counts)

    def history(self, task: TaskKey) -> list[Record]:
        """Return all that was ever written of one task; see ``Store``."""
        chosen = Selection(task.campaign, (task.workflow,), (task.unit,))
        tasks: list[Record] = []
        jobs: dict[Any, list[Record]] = {}
        singles: dict[str, list[list[Record]]] = {"output": [], "fields": []}
        for one in self._selected(("task", "job", "output", "fields"), chosen):
            if one.kind == "task":
                tasks.append(one.record)
            elif one.kind == "job":
                jobs.setdefault(one.record.key, []).append(one.record)
            else:
                singles[one.kind].append([one.record])
        return in_order(
            [tasks, *(jobs[key] for key in sorted(jobs)), *singles["output"], *singles["fields"]]
        )

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs written after a position, and the present position; see ``Store``."""

        def needs(upto: int) -> str:
            asked = self._journal.newest_run(upto)
            if since < upto and (numbers is None or numbers):
                asked += self._journal.of_runs("runs", (since + 1, upto), numbers)
            return asked

        rows = [row for row in self._at_hand or () if row.result == "newest run"]
        is_known = self._at_hand is not None and (
            (numbers is not None and not numbers)
            or all(row.time // NS_PER_US <= since for row in rows)
        )
        if not is_known or not all(self.mutex.counts(row.time // NS_PER_US) for row in rows):
            _, rows = self.mutex.read(needs)
        last = [row.time // NS_PER_US for row in rows if row.result == "newest run"]
        if last and not self.mutex.counts(last[0]):
            _, every = self.mutex.read(lambda upto: self._journal.of_runs("runs", (EVER, upto)))
            last = [one.position for one in placed(every, self.mutex.counts)][-1:]
        found = placed((row for row in rows if row.result == "runs"), self.mutex.counts)
        newest: Any = newest_of(one.record for one in found if one.position > since)
        wanted = newest.keys() if numbers is None else newest.keys() & set(numbers)
        return RunList([newest[number] for number in sorted(wanted)], last[0] if last else 0)

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind; see ``Store``."""
        rows = [row for row in self._at_hand or () if row.result == "newest marks"]
        if self._at_hand is None:
            _, rows = self.mutex.read(lambda upto: self._journal.newest_marks(kind, upto))
        if not all(self.mutex.counts(row.time // NS_PER_US) for row in rows):
            _, rows = self.mutex.read(lambda upto: self._journal.marks("marks", kind, None, upto))
        newest: Any = newest_of(one.record for one in placed(rows, self.mutex.counts)).values()
        meant = [mark for mark in newest if mark.kind == kind and campaign in {None, mark.campaign}]
        return sorted(meant, key=mark_key)

    def find_outputs(self, selection: Selection) -> list[OutputRecord]:
        """Return the newest record of every copy of the selected outputs; see ``Store``."""
        _, workflows, units, _ = selection
        found = self._selected(("output",), selection)
        return newest_copies(
            one.record for one in found if is_meant(one.record.task, workflows, units)
        )

    def records(self) -> Iterator[Record]:
        """Yield every record, as they were when the first was asked for; see ``Store``."""
        upto = self.mutex.look()[0].committed.last
        for kind in ("run", "mark"):
            yield from self._every(kind, self._journal.every(kind, upto))
        for kind in ("task", "job", "output", "fields"):
            for place in places(self.server.query(self._journal.places([kind], upto))):
                yield from self._every(
                    kind, self._journal.of_place(kind, [kind], place, (EVER, upto))
                )

    def _every(self, kind: str, script: str) -> Iterator[Record]:
        for one in in_their_order(kind, placed(self.server.query(script), self.mutex.counts)):
            yield one.record

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        """Claim, renew or give up a lease; see ``Store``.

        ``expires`` is by the server's clock.
        """
        if seconds <= 0:
            return self._release(name, owner)
        state, seen = self.mutex.look(lambda upto: self._lease_stream(name, upto))
        known, now = state.committed.last, _moment(state.now)
        # Asked for at once, so that a lease that is somebody else's costs one reading and no turn.
        claimed = claim(
            name,
            self._held(name, seen),
            owner=owner,
            seconds=seconds,
            ticks=judged_at(state.now),
            now=now,
        )

        def needs(upto: int) -> str:
            # Without a turn in between it can only have been released since.
            return "" if upto == known else self._lease_stream(name, upto)

        def work(state: State, rows: list[Row], first: int) -> Batch:
            nonlocal claimed
            held = self._held(name, seen if state.committed.last == known else rows)
            ticks, now = judged_at(state.now), _moment(state.now)
            claimed = claim(name, held, owner=owner, seconds=seconds, ticks=ticks, now=now)
            return Batch([change_line(name, claimed, first)], 1)

        end = self.mutex.turn(needs, work)
        self._mine[name, owner] = claimed, end.first * NS_PER_US
        return as_lease(name, claimed)

    def leases(self) -> dict[str, Lease]:
        """Return every lease by name; see ``Store``."""
        _, rows = self.mutex.read(self._journal.newest_leases)
        found: dict[str, Lease] = {}
        for row in rows:
            name = tag_value(row.extra["name"])
            held = self._held(name, [row])
            if held is not None:
                found[name] = as_lease(name, held)
        return found

    def _release(self, name: str, owner: str) -> Lease:
        known = self._mine.pop((name, owner), None)
        if known is None:
            state, rows = self.mutex.look(lambda upto: self._lease_stream(name, upto))
            held = self._held(name, rows)
            given_up = release(held, owner, judged_at(state.now), _moment(state.now))
            if held is None or given_up is None:
                return Lease(name, owner, held.epoch if held else 0, _moment(state.now))
            known = given_up, self._lease_time
        held, time_ns = known
        # If it is not ours any more, a later point tells so, and this one comes before it.
        self.server.write([released_line(name, held._replace(ends=0, length=0), time_ns)])
        return as_lease(name, held)

    def _lease_stream(self, name: str, upto: int) -> str:
        return self._journal.words("lease", {"name": name}, upto, newest=True)

    def _held(self, name: str, rows: list[Row]) -> Held | None:
        found = [row for row in rows if row.result == "lease"]
        if found and not all(self.mutex.counts(row.time // NS_PER_US) for row in found):
            query = self._journal.words("lease", {"name": name}, self.mutex.committed)
            found = [
                row for row in self.server.query(query) if self.mutex.counts(row.time // NS_PER_US)
            ]
        newest = max(found, key=lambda row: row.time, default=None)
        self._lease_time = newest.time if newest else 0
        return held_in(newest.value) if newest else None

    def ping(self) -> str:
        """Return the server's kind, the bucket, the store's id and how far the clocks are apart.

        Raises ``StoreError`` as well if the token may not write, or the clocks are more than
        ``MOST_APART_S`` apart.
        """
        self.server.check_writing()
        before = datetime.now(UTC).timestamp()
        state, _ = self.mutex.look()
        after = datetime.now(UTC).timestamp()
        skew_s = (before + after) / 2 - state.now / 1e9
        if abs(skew_s) > MOST_APART_S + (after - before) / 2:
            message = (
                f"This machine's clock is {abs(skew_s):.1f} s "
                f"{'ahead of' if skew_s > 0 else 'behind'} that of the"
            )
            message = (
                f"{message} {self.server.address}; the times in records would be wrong by as much."
            )
            raise StoreError(
                message, hint="Let NTP set both. Meanwhile nothing is lost or done twice."
            )
        address = self.server.address
        kind = "InfluxDB 1.8" if address.is_v1 else "InfluxDB 2"
        return f"store {self.store_id} in {address.place} ({kind}), clocks {skew_s:+.1f} s apart"

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Let all that is read within be as at one moment; what every cycle asks for is read at
        once.
        """
        before = self._at_hand
        with self.mutex.moment(self._small) as rows:
            self._at_hand = before or rows
            try:
                yield
            finally:
                self._at_hand = before

    def _small(self, upto: int) -> str:
        journal = self._journal
        return (
            journal.newest_marks(None, upto) + journal.newest_run(upto) + journal.newest_water(upto)
        )

    def close(self) -> None:
        """Close the connection."""
        self.server.close()


def _moment(now_ns: int) -> datetime:
    return moment(now_ns // NS_PER_US)
