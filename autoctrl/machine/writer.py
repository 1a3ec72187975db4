"""Writes the records of one workflow's cycle under its lease."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from autoctrl.errors import LeaseLost
from autoctrl.model.names import workflow_lease
from autoctrl.model.stamp import stamp
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autoctrl.machine.context import Context
    from autoctrl.ports import Lease, Record

RENEW_AT = 1 / 3


class LeasedWriter:
    """Holds the lease of a workflow from the first write on, and stamps what is written."""

    def __init__(
        self, context: Context, workflow: str, elapsed_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Write for ``workflow`` in the context's campaign."""
        self._context, self._elapsed_s = context, elapsed_s
        self.workflow = workflow
        self._name = workflow_lease(context.campaign, workflow)
        self._lease: Lease | None = None
        self._renewed = 0.0
        self.written = 0

    def hold(self) -> Lease:
        """Return the lease, claimed first or renewed when a third of its time is over.

        Raises ``LeaseHeld`` if somebody else holds it, ``LeaseLost`` if it ran out meanwhile.
        """
        seconds = self._context.settings.cycle.lease_s
        if self._lease is None or self._elapsed_s() - self._renewed > seconds * RENEW_AT:
            held = self._context.store.lease(self._name, this_process(), seconds)
            if self._lease is not None and held.epoch != self._lease.epoch:
                message = (
                    f"The lease {self._name} ran out and was claimed anew while this cycle "
                    "worked under it."
                )
                raise LeaseLost(message, hint="The next cycle takes up what is open.")
            self._lease, self._renewed = held, self._elapsed_s()
        return self._lease

    def write(self, records: Sequence[Record]) -> list[Record]:
        """Write all records or none, and return them as they were written."""
        if not records:
            return []
        lease = self.hold()
        stamped = stamp(records, lease.epoch, self._context.environment)
        self._context.store.append(stamped, lease)
        self.written += len(stamped)
        return stamped

    def give_up(self) -> None:
        """Give the lease up, if it was claimed."""
        if self._lease is not None:
            self._context.store.lease(self._name, this_process(), 0)
