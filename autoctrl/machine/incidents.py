"""What has become of the conditions and tasks that incidents are about."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from autoctrl.errors import Conflict
from autoctrl.incidents import Kept, read_kept, troubles_of
from autoctrl.model.incident import match, settle, write_down
from autoctrl.ports import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from autoctrl.model.condition import Condition
    from autoctrl.model.incident import Incident
    from autoctrl.ports import Store


def follow_up(
    store: Store,
    campaign: str,
    conditions: Sequence[Condition],
    now: datetime,
    *,
    is_thorough: bool = False,
) -> list[Incident]:
    """Write down what has become of the conditions that incidents are about; return the incidents
    at hand.

    No task is read for that: whoever moves one out of trouble says so in the same batch.
    ``is_thorough`` reads them all the same, in case one was moved by something else.
    """
    kept = read_kept(store, campaign)
    found: list[Incident] = []
    for each in kept.values():
        if each.workflow:
            wanted = _look_at_tasks(store, campaign, each, now) if is_thorough else each.incidents
            found += _keep(store, campaign, each, wanted, now)
    of_all = kept.get("", Kept("", None, ()))
    if conditions or of_all.incidents:
        wanted = match(of_all.incidents, conditions, now)
        found += _keep(store, campaign, of_all, wanted, now)
    return found


def _look_at_tasks(store: Store, campaign: str, kept: Kept, now: datetime) -> Sequence[Incident]:
    if not kept.units:
        return kept.incidents
    tasks = store.tasks(Selection(campaign, (kept.workflow,), kept.units))
    return settle(kept.incidents, troubles_of(tasks), now)


def _keep(
    store: Store, campaign: str, kept: Kept, wanted: Sequence[Incident], now: datetime
) -> Sequence[Incident]:
    """Write these down and return them; where somebody was quicker, the next look sees it."""
    records = write_down(kept.mark, wanted, (campaign, kept.workflow), now)
    if not records:
        return kept.incidents
    with suppress(Conflict):
        store.append(records)
        return wanted
    return kept.incidents
