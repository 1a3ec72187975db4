"""The heartbeat: that a round was made is remembered once a minute, also when nothing moves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from autoctrl.ports import Heartbeat
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.ports import Store

INTERVAL = timedelta(seconds=60)
NOTHING: Mapping[str, float] = {}


def is_due(before: Heartbeat | None, now: datetime) -> bool:
    """Say whether a round that ends now is to be remembered.

    One that seems to lie more than a minute ahead is replaced as well: a clock was wrong, and what
    it left would hide that no round is made any more.
    """
    return before is None or abs(now - before.time) >= INTERVAL


def beat(
    store: Store,
    campaign: str,
    now: datetime,
    before: Heartbeat | None = None,
    values: Mapping[str, float] = NOTHING,
) -> Heartbeat | None:
    """Let the store remember a round if it is due; return the last heartbeat.

    ``before`` is the last one as far as the caller knows: while it is young the store is not even
    asked. ``values`` are numbers that people may follow over time. Raises ``StoreError``.
    """
    if not is_due(before, now):
        return before
    last = store.heartbeats().get(campaign)  # another process may have made a round meanwhile
    if not is_due(last, now):
        return last
    made = Heartbeat(campaign, now, this_process(), values)
    store.beat(made)
    return made
