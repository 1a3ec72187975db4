"""Follows the journal, so that open tasks are known without reading everything again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import StoreError
from autoctrl.stores.influx.batch import carry
from autoctrl.stores.influx.cache import Cache
from autoctrl.stores.influx.flux import Positions
from autoctrl.stores.influx.journal import (
    EVER,
    WATER,
    WITH_CARRIED,
    read_entries,
    workflow_of_row,
)
from autoctrl.stores.influx.server import of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.ports import OpenTask
    from autoctrl.stores.influx.batch import ComposedBatch
    from autoctrl.stores.influx.journal import Journal, WorkflowKey
    from autoctrl.stores.influx.mutex import Mutex
    from autoctrl.stores.influx.server import FluxRow
    from autoctrl.stores.influx.snapshot import Snapshot
    from autoctrl.stores.influx.turns import End, Payload, State


class Follower:
    """Keeps a cache up to date with what this client and others write.

    Reading a workflow for the first time begins at its low-water mark, the newest position from
    which all open tasks can be found. What goes wrong without any loss is added to ``remarks``.
    """

    def __init__(
        self, mutex: Mutex, journal: Journal, snapshot: Snapshot, remarks: list[str]
    ) -> None:
        self.cache = Cache()
        self._mutex = mutex
        self._journal = journal
        self._snapshot = snapshot
        self._remarks = remarks
        self._water: dict[WorkflowKey, int] = {}

    def ask_tail(self, upto: int) -> str:
        """Ask for what was written since the journal was followed last."""
        known = self.cache.position
        return self._journal.tail(known, upto) if 0 < known < upto else ""

    def follow(self, rows: list[FluxRow], upto: int) -> None:
        """Take in what ``ask_tail`` has found."""
        for entry in read_entries(of_stream(rows, "tail"), self._mutex.view.counts):
            if entry.position > self.cache.position:
                self.cache.take(entry.record)
        self.cache.position = max(upto, self.cache.position)

    def remember(self, batch: ComposedBatch, end: End) -> None:
        """Take in what was written here."""
        for record in batch.to_cache:
            self.cache.take(record)
        self.cache.position = end.last

    def open_tasks(self, where: WorkflowKey) -> list[OpenTask]:
        """Return the open tasks of a workflow."""
        view = self._mutex.view
        if where in self.cache.read_since:
            state, rows = view.read(self.ask_tail)
            self.follow(rows, state.committed.last)
            return self.cache.open_tasks(where)
        since = self._water_mark(where)

        def needs(upto: int) -> str:
            span = Positions(since, upto)
            return self.ask_tail(upto) + self._journal.of_workflow(
                "open", WITH_CARRIED, where, span
            )

        state, rows = view.read(needs)
        self.follow(rows, state.committed.last)
        self.cache.begin(where, since)
        for entry in read_entries(of_stream(rows, "open"), view.counts):
            self.cache.take(entry.record)
        self.move_marks([where])
        return self.cache.open_tasks(where)

    def _water_mark(self, where: WorkflowKey) -> int:
        if where not in self._water:
            rows = self._snapshot.find(WATER, lambda row: workflow_of_row(row) == where)
            if rows is None:
                rows = self._read_water(where)
            self._water[where] = max((int(row.value) for row in rows), default=EVER)
        return self._water[where]

    def _read_water(self, where: WorkflowKey) -> list[FluxRow]:
        view = self._mutex.view
        _, rows = view.read(lambda upto: self._journal.words(WATER, where._asdict(), upto))
        return [row for row in rows if view.counts(row.position)]

    def move_marks(self, workflows: Iterable[WorkflowKey]) -> None:
        """Repeat what is open where much has been written since, so that reading begins later."""
        for where in workflows:
            if not self.cache.is_mark_due(where):
                continue
            try:
                end = self._carry(where)
            except StoreError as error:
                self._remarks.append(f"Reading {where} stays slow: {error}")
                return
            self.cache.position = end.last
            self._water[where] = self.cache.read_since[where] = end.first
            self.cache.read_count[where] = 0

    def _carry(self, where: WorkflowKey) -> End:
        def work(state: State, rows: list[FluxRow], first: int) -> Payload:
            self.follow(rows, state.committed.last)
            return carry(self.cache, where, first)

        return self._mutex.take_turn(self.ask_tail, work)
