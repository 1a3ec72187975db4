"""Appending one batch: what its turn asks for, checks and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.stores.influx.batch import EMPTY, check, compose, find_unknown, look_up
from autoctrl.stores.influx.journal import read_entries

if TYPE_CHECKING:
    from autoctrl.ports import Lease
    from autoctrl.stores.influx.batch import PreparedBatch
    from autoctrl.stores.influx.follower import Follower
    from autoctrl.stores.influx.journal import Journal
    from autoctrl.stores.influx.lease_book import LeaseBook
    from autoctrl.stores.influx.server import FluxRow, Server
    from autoctrl.stores.influx.turns import Payload, State
    from autoctrl.stores.influx.view import View

LOOKED_UP = ("units", "marks", "runs")


class Parts(NamedTuple):
    """What an append uses of the store."""

    server: Server
    view: View
    journal: Journal
    leases: LeaseBook
    follower: Follower


class Append:
    """One batch on its way through a turn, under a lease if one is given.

    Once the turn has ended, ``composed`` is what was written.
    """

    def __init__(self, batch: PreparedBatch, lease: Lease | None, parts: Parts) -> None:
        self.composed = EMPTY
        self._batch = batch
        self._lease = lease
        self._parts = parts
        self._asked = ""

    def needs(self, upto: int) -> str:
        """Ask for the lease, for what others have written, and for what is not known here."""
        self._asked = self._look_up(upto)
        lease = self._lease
        of_lease = self._parts.leases.ask(lease.name, upto) if lease is not None else ""
        return of_lease + self._parts.follower.ask_tail(upto) + self._asked

    def _look_up(self, upto: int) -> str:
        unknown = find_unknown(self._batch, self._parts.follower.cache)
        return look_up(self._parts.journal, unknown, upto)

    def work(self, state: State, rows: list[FluxRow], first: int) -> Payload:
        """Check the lease and every sequence, and return the points."""
        parts, upto = self._parts, state.committed.last
        if self._lease is not None:
            parts.leases.check(self._lease, state, rows)
        parts.follower.follow(rows, upto)
        # What others have closed meanwhile is forgotten, so it must be looked up after all.
        missing = self._look_up(upto)
        if missing and missing != self._asked:
            rows = parts.server.query(missing)
        looked_up = [row for row in rows if row.result.startswith(LOOKED_UP)]
        cache = parts.follower.cache
        found = check(self._batch, cache, read_entries(looked_up, parts.view.counts))
        self.composed = compose(self._batch, first, cache, found)
        return self.composed.payload
