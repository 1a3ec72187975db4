"""Whether anything moves: when a cycle or a verb last took a lease, as far as this process has
seen.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.campaign import read_campaign
from autoctrl.model.names import workflow_lease
from autoctrl.model.workflow import WORKFLOW

if TYPE_CHECKING:
    from datetime import datetime

    from autoctrl.ports import Clock, Store

SHORTEST_S = 2.0


class Seen(NamedTuple):
    """What the watch knows.

    since   when it began to watch
    newest  when it last saw that a lease had been taken, None if it has not
    epochs  how often each lease was taken, by its name
    """

    since: datetime
    newest: datetime | None
    epochs: dict[str, int]


class LeaseWatch:
    """Looks at the epochs of the leases, which every cycle and every verb raises."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Begin to watch; the first look only tells how things stand."""
        self._store, self._clock = store, clock
        self._lock = Lock()
        self._looked: datetime | None = None
        self._seen = Seen(clock.now(), None, {})

    def look(self) -> Seen:
        """Return what is known now; asks the store unless that was just done.

        Raises ``StoreError``.
        """
        with self._lock:
            now = self._clock.now()
            if self._looked is not None and (now - self._looked).total_seconds() < SHORTEST_S:
                return self._seen
            held = self._store.leases()
            names = lease_names(self._store)
            epochs = {name: held[name].epoch if name in held else 0 for name in names}
            before = self._seen.epochs
            is_raised = any(epoch > before.get(name, 0) for name, epoch in epochs.items())
            is_moved = self._looked is not None and is_raised
            self._seen = Seen(self._seen.since, now if is_moved else self._seen.newest, epochs)
            self._looked = now
            return self._seen

    def last_known(self) -> Seen:
        """Return what is known without asking the store."""
        return self._seen


def lease_names(store: Store) -> list[str]:
    """Return the names of the leases of all workflows in campaigns that are not closed."""
    closed = {mark.name for mark in store.marks("campaign") if read_campaign(mark).closed}
    return [
        workflow_lease(mark.campaign, mark.name)
        for mark in store.marks(WORKFLOW)
        if mark.campaign not in closed
    ]
