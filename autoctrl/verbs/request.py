"""Who asks for what, and how it is written under a lease."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import LeaseHeld
from autoctrl.model.campaign import PROMPT
from autoctrl.model.stamp import stamp
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
