"""What every store must do for several clients: leases, and one truth whatever their clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import Conflict, LeaseHeld, LeaseLost
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Lease, Selection
from tests.contract.samples import NOW, Shifted, mark, run, task
from tests.contract.stores import wait_until
from tests.contract.worker import boot_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.ports import Clock, Store
    from tests.contract.stores import Subject


class TestLeases:
    """A lease has one holder at a time."""

    def test_claim_and_renew(self, store: Store) -> None:
        """The first claim has epoch one; renewing keeps it and moves the end."""
        first = store.lease("prompt/reco", "a", 10)
        assert (first.name, first.owner, first.epoch) == ("prompt/reco", "a", 1)
        assert timedelta(seconds=8) < first.expires - datetime.now(UTC) <= timedelta(seconds=10)
        renewed = store.lease("prompt/reco", "a", 20)
        assert renewed.epoch == 1
        assert renewed.expires > first.expires

    def test_held(self, store: Store) -> None:
        """Another owner is refused, and told who holds it until when; other names are free."""
        lease = store.lease("prompt/reco", "host:1", 10)
        with pytest.raises(LeaseHeld) as caught:
            store.lease("prompt/reco", "host:2", 10)
        assert f"prompt/reco is held by host:1 until {lease.expires:%Y-%m-%dT%H:%M:%SZ}" in str(
            caught.value
        )
        assert store.lease("prompt/dq", "host:2", 10).epoch == 1

    def test_release(self, store: Store) -> None:
        """What is given up is free at once; the next holder has the next epoch."""
        store.lease("n", "a", 10)
        store.lease("n", "a", 0)
        assert store.lease("n", "b", 10).epoch == 2
        store.lease("n", "b", 0)
        assert store.lease("n", "b", 10).epoch == 3

    def test_release_of_what_is_not_ones_own(self, store: Store) -> None:
        """Giving up a lease that somebody else holds, or nobody, does nothing."""
        store.lease("n", "b", 0)
        store.lease("n", "a", 10)
        store.lease("n", "b", 0)
        with pytest.raises(LeaseHeld):
            store.lease("n", "b", 10)

    def test_all_of_them(self, store: Store) -> None:
        """One who looks sees every lease with its last holder and epoch, and takes none of them."""
        assert store.leases() == {}
        store.lease("prompt/dq", "a", 10)
        given_up = store.lease("prompt/dq", "a", 0)
        store.lease("n", "a", 10)
        store.lease("n", "a", 0)
        held = store.lease("n", "b", 10)
        assert store.leases() == {"n": held, "prompt/dq": given_up}
        store.append([task()], held)

    def test_expiry(self, store: Store) -> None:
        """A lease that is not renewed ends by itself; claiming it again raises the epoch, whoever
        does.
        """
        store.lease("n", "a", 0.05)
        end = boot_us() + 50_000
        wait_until(lambda: boot_us() > end, "the lease has run out")
        assert store.lease("n", "a", 0.05).epoch == 2
        wait_until(lambda: claim_epoch(store, "b") == 3, "the lease has run out again")

    def test_append_under_it(self, store: Store) -> None:
        """Records are written under a lease that is held."""
        lease = store.lease("prompt/reco", "a", 10)
        store.append([task(epoch=lease.epoch)], lease)
        assert store.tasks(Selection("prompt"))[0].epoch == 1

    def test_append_under_a_renewed_one(self, store: Store) -> None:
        """An older copy of one's own lease still serves after it was renewed."""
        lease = store.lease("n", "a", 5)
        store.lease("n", "a", 30)
        store.append([task()], lease)

    @pytest.mark.parametrize("loss", ["released", "taken", "unknown", "ended", "other epoch"])
    def test_append_under_a_lost_one(self, store: Store, loss: str) -> None:
        """Under a lease that was given up, taken over, has ended or never was, nothing is
        written.
        """
        lease = store.lease("n", "a", 0.1 if loss in {"taken", "ended"} else 10)
        if loss == "released":
            store.lease("n", "a", 0)
        elif loss == "taken":
            wait_until(lambda: claim_epoch(store, "b") == 2, "the lease has run out")
        elif loss == "unknown":
            lease = Lease("m", "a", 1, lease.expires)
        elif loss == "other epoch":
            lease = lease._replace(epoch=2)
        else:
            wait_until(lambda: is_refused(store, lease), "the lease has run out")
        with pytest.raises(LeaseLost, match=r"Nothing was written"):
            store.append([task()], lease)
        assert store.history(task().key) == []


def claim_epoch(store: Store, owner: str) -> int:
    """Claim the lease ``n`` for long; return its epoch, 0 if it is held."""
    try:
        return store.lease("n", owner, 30).epoch
    except LeaseHeld:
        return 0


def is_refused(store: Store, lease: Lease) -> bool:
    """Whether nothing can be written under the lease any more."""
    try:
        store.append([], lease)
    except LeaseLost:
        return True
    return False


class TestClients:
    """Several clients of one store see the same, whatever their clocks say."""

    def test_identity(self, store: Store, client: Callable[[], Store]) -> None:
        """All clients know the store by one id of 16 hexadecimal digits."""
        assert client().store_id == store.store_id
        assert len(store.store_id) == 16
        assert int(store.store_id, 16) >= 0

    def test_others_records(self, store: Store, client: Callable[[], Store]) -> None:
        """What one client has written the others read, and must follow."""
        other = client()
        store.append([task(), run(1), mark()])
        assert other.tasks(Selection("prompt")) == [task()]
        assert other.runs()[0] == [run(1)]
        with pytest.raises(Conflict):
            other.append([task()])

    def test_wrong_clocks_and_order(self, client: Callable[[Clock], Store]) -> None:
        """Clients a minute ahead and behind take turns: times rise, and the sequence decides what
        is newest.
        """
        clocks = [Shifted(60), Shifted(-60), Shifted(0)]
        clients = [client(clock) for clock in clocks]
        clients[0].append([task()._replace(time=clocks[0].now())])
        for turn in range(9):
            place = turn % 3
            record = clients[place].tasks(Selection("prompt"))[0]
            moved = record.moved(TaskStatus.NEW, clocks[place].now(), reason=str(turn))
            clients[place].append([moved])
        history = clients[1].history(task().key)
        records = [record for record in history if isinstance(record, TaskRecord)]
        assert [record.reason for record in records] == ["", *map(str, range(9))]
        assert all(before.time < after.time for before, after in pairwise(records))
        assert clients[2].tasks(Selection("prompt")) == records[-1:]

    def test_order_of_records_with_wrong_times(self, store: Store) -> None:
        """Even if a record carries an earlier time than the one before, the sequence decides."""
        late = task()._replace(sequence=2, time=NOW - timedelta(seconds=60), reason="second")
        store.append([task(), late])
        assert store.history(task().key) == [task(), late]
        assert store.tasks(Selection("prompt")) == [late]

    @pytest.mark.parametrize("holder", [-60, 60])
    @pytest.mark.parametrize("other", [-60, 60])
    def test_wrong_clocks_and_leases(
        self, client: Callable[[Clock], Store], subject: Subject, holder: float, other: float
    ) -> None:
        """A lease lasts as long as was asked for, however wrong the clients' clocks are."""
        first, second = client(Shifted(holder)), client(Shifted(other))
        lease = first.lease("n", "a", subject.effort.short_s)
        with pytest.raises(LeaseHeld):
            second.lease("n", "b", 30)
        first.append([task()], lease)
        wait_until(lambda: claim_epoch(second, "b") == 2, "the lease has run out")
        with pytest.raises(LeaseLost):
            first.append([task().moved(TaskStatus.NEW, NOW)], lease)
