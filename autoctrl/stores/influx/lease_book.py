"""The leases of a store in InfluxDB: claimed and renewed in turns, released by one point."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.ports import Lease
from autoctrl.stores.influx.journal import LEASE
from autoctrl.stores.influx.lease_points import change_line, judged_at, read_word, released_line
from autoctrl.stores.influx.points import NS_PER_US, tag_value
from autoctrl.stores.influx.server import of_stream
from autoctrl.stores.influx.turns import Payload
from autoctrl.stores.leases import as_lease, check, claim, release
from autoctrl.stores.rows import moment

if TYPE_CHECKING:
    from datetime import datetime

    from autoctrl.stores.influx.journal import Journal
    from autoctrl.stores.influx.mutex import Mutex
    from autoctrl.stores.influx.server import FluxRow, Server
    from autoctrl.stores.influx.turns import State
    from autoctrl.stores.leases import Held


class LeasePoint(NamedTuple):
    """A lease as one point of the store holds it.

    held     who holds it, and how long
    time_ns  time of the point
    """

    held: Held
    time_ns: int


class Wish(NamedTuple):
    """The lease that a claimant asks for, and for how long."""

    name: str
    owner: str
    seconds: float


class LeaseBook:
    """Claims, renews, releases and looks up leases; the server's clock judges them."""

    def __init__(self, server: Server, mutex: Mutex, journal: Journal) -> None:
        self._server = server
        self._mutex = mutex
        self._journal = journal
        # Leases that were claimed here, by name and owner.
        self._own: dict[tuple[str, str], LeasePoint] = {}

    def ask(self, name: str, upto: int) -> str:
        """Ask for the newest point of a lease, for ``check`` and ``claim`` to read."""
        return self._journal.words(LEASE, {"name": name}, upto, newest=True)

    def check(self, lease: Lease, state: State, rows: list[FluxRow]) -> None:
        """Raise ``LeaseLost`` unless the lease is held, by what ``ask`` has found."""
        check(lease, self._held(lease.name, rows), judged_at(state.now))

    def look_and_check(self, lease: Lease) -> None:
        """Raise ``LeaseLost`` unless the lease is held now."""
        state, rows = self._mutex.view.look(lambda upto: self.ask(lease.name, upto))
        self.check(lease, state, rows)

    def claim(self, name: str, owner: str, seconds: float) -> Lease:
        """Claim or renew a lease; raises ``LeaseHeld`` if somebody else holds it."""
        wish = Wish(name, owner, seconds)
        state, seen = self._mutex.view.look(lambda upto: self.ask(name, upto))
        known = state.committed.last
        # Judged before the turn as well: a lease of somebody else then costs one reading, no turn.
        claimed = self._judge(wish, state, seen)

        def needs(upto: int) -> str:
            # If nobody had a turn in between, the lease can only have been released since.
            return "" if upto == known else self.ask(name, upto)

        def work(state: State, rows: list[FluxRow], first: int) -> Payload:
            nonlocal claimed
            claimed = self._judge(wish, state, seen if state.committed.last == known else rows)
            return Payload([change_line(name, claimed, first)], 1)

        end = self._mutex.take_turn(needs, work)
        self._own[name, owner] = LeasePoint(claimed, end.first * NS_PER_US)
        return as_lease(name, claimed)

    def _judge(self, wish: Wish, state: State, rows: list[FluxRow]) -> Held:
        held, ticks = self._held(wish.name, rows), judged_at(state.now)
        now = _wall_time(state.now)
        return claim(wish.name, held, owner=wish.owner, seconds=wish.seconds, ticks=ticks, now=now)

    def release(self, name: str, owner: str) -> Lease:
        """Give up a lease; nothing happens if ``owner`` does not hold it."""
        own = self._own.pop((name, owner), None)
        if own is None:
            state, rows = self._mutex.view.look(lambda upto: self.ask(name, upto))
            now, point = _wall_time(state.now), self._newest(name, rows)
            if point is None:
                return Lease(name, owner, 0, now)
            released = release(point.held, owner, judged_at(state.now), now)
            if released is None:
                return Lease(name, owner, point.held.epoch, now)
            own = LeasePoint(released, point.time_ns)
        # If somebody else holds it by now, a later point says so, and this one comes before it.
        ended = own.held._replace(ends=0, length=0)
        self._server.write([released_line(name, ended, own.time_ns)])
        return as_lease(name, own.held)

    def find_all(self) -> dict[str, Lease]:
        """Return every lease that was ever claimed, by name."""
        _, rows = self._mutex.view.read(self._journal.newest_leases)
        found: dict[str, Lease] = {}
        for row in rows:
            name = tag_value(row.extra["name"])
            held = self._held(name, [row])
            if held is not None:
                found[name] = as_lease(name, held)
        return found

    def _held(self, name: str, rows: list[FluxRow]) -> Held | None:
        point = self._newest(name, rows)
        return point.held if point else None

    def _newest(self, name: str, rows: list[FluxRow]) -> LeasePoint | None:
        """Return the newest point of a lease that counts, None if it was never claimed."""
        view = self._mutex.view
        found = of_stream(rows, LEASE)
        if not all(view.counts(row.position) for row in found):
            query = self._journal.words(LEASE, {"name": name}, view.committed)
            found = [row for row in self._server.query(query) if view.counts(row.position)]
        newest = max(found, key=lambda row: row.time, default=None)
        return LeasePoint(read_word(newest.value), newest.time) if newest else None


def _wall_time(now_ns: int) -> datetime:
    return moment(now_ns // NS_PER_US)
