"""The incidents of a campaign in its store: kept up with what has become of their tasks."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from autoctrl.errors import Conflict, LeaseHeld, LeaseLost
from autoctrl.incidents import Kept, read_kept
from autoctrl.model.incident import join, match, settle, trouble_of, write_down
from autoctrl.model.names import workflow_lease
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Selection
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.model.condition import Condition
    from autoctrl.model.incident import Incident, Trouble
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Lease, Record, Store

LEASE_S = 30.0


def join_failures(
    store: Store, campaign: str, workflow: str, tasks: Iterable[Record], now: datetime
) -> list[MarkRecord]:
    """Return the marks by which tasks that are in trouble from now on become incidents.

    They belong into the batch that moves the tasks, under the workflow's lease: then no failure is
    ever untold.
    """
    troubles = _troubles_of(task for task in tasks if isinstance(task, TaskRecord))
    if not troubles:
        return []
    kept = read_kept(store, campaign).get(workflow, Kept(workflow, None, ()))
    joined = join(kept.incidents, workflow, troubles, now)
    return write_down(kept.mark, joined, (campaign, workflow), now)


def _troubles_of(tasks: Iterable[TaskRecord]) -> list[Trouble]:
    return [trouble for trouble in map(trouble_of, tasks) if trouble is not None]


def follow_up(
    store: Store, campaign: str, conditions: Sequence[Condition], now: datetime
) -> list[Incident]:
    """Write down what has become of the tasks and conditions that incidents are about; return the
    incidents at hand.
    """
    kept = read_kept(store, campaign)
    found: list[Incident] = []
    for each in kept.values():
        if each.workflow:
            found += _follow_tasks(store, campaign, each, now)
    of_all = kept.get("", Kept("", None, ()))
    if conditions or of_all.incidents:
        wanted = match(of_all.incidents, conditions, now)
        found += _keep(store, campaign, of_all, wanted, now)
    return found


def _follow_tasks(store: Store, campaign: str, kept: Kept, now: datetime) -> Sequence[Incident]:
    tasks = store.tasks(Selection(campaign, (kept.workflow,), kept.units)) if kept.units else []
    wanted = settle(kept.incidents, _troubles_of(tasks), now)
    return _keep(store, campaign, kept, wanted, now)


def _keep(
    store: Store, campaign: str, kept: Kept, wanted: Sequence[Incident], now: datetime
) -> Sequence[Incident]:
    """Write these down and return them; where somebody else is at work, return what is kept."""
    records = write_down(kept.mark, wanted, (campaign, kept.workflow), now)
    if not records:
        return kept.incidents
    with suppress(LeaseHeld, LeaseLost, Conflict), _holding(store, campaign, kept.workflow) as held:
        store.append(records, held)
        return wanted
    return kept.incidents


@contextmanager
def _holding(store: Store, campaign: str, workflow: str) -> Iterator[Lease | None]:
    """Hold the lease of a workflow for the body; what concerns all needs none.

    Raises ``LeaseHeld``.
    """
    if not workflow:
        yield None
        return
    name, owner = workflow_lease(campaign, workflow), f"teller of {this_process()}"
    lease = store.lease(name, owner, LEASE_S)
    try:
        yield lease
    finally:
        store.lease(name, owner, 0)
