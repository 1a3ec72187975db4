"""Who asks for what, and how it is written under a lease."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import LeaseHeld, UsageError
from autoctrl.model.campaign import PROMPT
from autoctrl.model.stamp import stamp
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.model.actor import Actor
    from autoctrl.ports import Clock, Lease, Record, Store

PAUSE_S = 0.2


class Request(NamedTuple):
    """What every verb needs to know besides its own arguments.

    store, clock  the ports
    actor         who asks, and by what route
    reason        why; kept with every record
    campaign      the campaign that is meant
    environment   the settings' environment
    dry_run       say what would happen and write nothing
    wait_s        how long to wait for a lease that somebody else holds, seconds
    lease_s       how long to claim it for, seconds
    sleep         waits so many seconds
    since         when this very request was begun before and did not end, so that part of it may
                  be done: what is done stays as it is, and is answered as if it were done now;
                  None if it is new
    agreed        what somebody was shown and agreed to, as ``spell_agreement`` has it: what has
                  changed since is left alone; None asks for no agreement
    """

    store: Store
    clock: Clock
    actor: Actor
    reason: str = ""
    campaign: str = PROMPT
    environment: str = ""
    dry_run: bool = False
    wait_s: float = 10.0
    lease_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    since: datetime | None = None
    agreed: str | None = None

    def may_have_written(self, time: datetime) -> bool:
        """Say whether what was written at a time may be of this very request."""
        return self.since is not None and time >= self.since

    def has_written(self, name: str, reason: str, time: datetime) -> bool:
        """Say whether this very request has left what somebody of this name wrote at a time.

        Raises ``UsageError`` if somebody else has since: what this one did, if it did, is lost.
        """
        if not self.may_have_written(time):
            return False
        if (name, reason) == (self.actor.name, self.reason):
            return True
        message = f"This was begun before, and {name} has changed the same thing since."
        raise UsageError(message, hint="Look at it, and ask anew for what is still wanted.")


@contextmanager
def hold(request: Request, name: str) -> Iterator[Lease | None]:
    """Hold a lease for the body and give it up afterwards; a dry run holds none.

    Waits while somebody else holds it, then raises ``LeaseHeld`` saying who holds it and until
    when.
    """
    if request.dry_run:
        yield None
        return
    owner = (
        f"{request.actor.name} by {request.actor.via} ({secrets.token_hex(3)}) on {this_process()}"
    )
    lease = _claim(request, name, owner)
    try:
        yield lease
    finally:
        request.store.lease(name, owner, 0)


def _claim(request: Request, name: str, owner: str) -> Lease:
    deadline = request.clock.now() + timedelta(seconds=request.wait_s)
    while True:
        try:
            return request.store.lease(name, owner, request.lease_s)
        except LeaseHeld as error:
            if request.clock.now() >= deadline:
                message = f"Nothing was done: {error.message} Waited {request.wait_s:g} s for it."
                raise LeaseHeld(message, hint="Try again once the cycle has ended.") from error
            request.sleep(PAUSE_S)


def write(request: Request, records: Sequence[Record], lease: Lease | None) -> None:
    """Append all records or none, with the lease's epoch and the environment of the request.

    A dry run and an empty list write nothing.
    """
    if records and not request.dry_run:
        epoch = lease.epoch if lease else 0
        request.store.append(stamp(records, epoch, request.environment), lease=lease)
