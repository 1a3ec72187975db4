"""The incidents that a store keeps: what the machine writes, what verbs change, what people see."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from autoctrl.errors import Conflict, UsageError
from autoctrl.model.incident import (
    INCIDENT,
    INCIDENTS,
    join,
    read_closed,
    read_incidents,
    relieve,
    trouble_of,
    write_down,
)
from autoctrl.model.task import TaskRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from autoctrl.model.incident import Incident, Trouble
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Record, Store

MOST_TRIES = 20
Written = TypeVar("Written")


class Kept(NamedTuple):
    """The incidents of one workflow as the store keeps them at hand.

    workflow   its name, empty for those that concern all
    mark       the mark that keeps them, None if there never was one
    incidents  what it says
    """

    workflow: str
    mark: MarkRecord | None
    incidents: tuple[Incident, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """The units that were in trouble when somebody last looked."""
        return tuple(unit for one in self.incidents if one.is_open for unit in one.units)


def read_kept(store: Store, campaign: str) -> dict[str, Kept]:
    """Return what is kept at hand of a campaign, by workflow.

    What this costs does not depend on how many incidents are over.
    """
    found = store.marks(INCIDENTS, campaign)
    return {mark.name: Kept(mark.name, mark, tuple(read_incidents(mark))) for mark in found}


def list_incidents(store: Store, campaign: str, *, with_closed: bool = False) -> list[Incident]:
    """Return the open incidents of a campaign, or all; the oldest first."""
    found: dict[str, Incident] = {}
    if with_closed:
        closed = (read_closed(mark) for mark in store.marks(INCIDENT, campaign))
        found = {one.id: one for one in closed}
    for kept in read_kept(store, campaign).values():
        found.update({one.id: one for one in kept.incidents})
    wanted = [one for one in found.values() if with_closed or one.is_open]
    return sorted(wanted, key=lambda one: (one.opened, one.id))


def find_incident(store: Store, campaign: str, text: str) -> Incident:
    """Return the incident whose id begins with ``text``.

    Raises ``UsageError`` if there is none, or more than one.
    """
    known = list_incidents(store, campaign, with_closed=True)
    found = [one for one in known if text and one.id.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.id for one in found)
        message = f"'{text}' means several incidents: {ids}."
        raise UsageError(message, hint="Give more of its digits.")
    message = f"There is no incident '{text}' in campaign {campaign}."
    raise UsageError(message, hint="List them: autoctrl incidents list --all")


def join_failures(
    store: Store, campaign: str, workflow: str, tasks: Iterable[Record], now: datetime
) -> list[MarkRecord]:
    """Return the marks by which tasks that are in trouble from now on become incidents.

    They belong into the batch that moves the tasks: then no failure is ever untold.
    """
    troubles = troubles_of(tasks)
    if not troubles:
        return []
    kept = kept_of(store, campaign, workflow)
    joined = join(kept.incidents, workflow, troubles, now)
    return write_down(kept.mark, joined, (campaign, workflow), now)


def relieve_tasks(
    store: Store, campaign: str, workflow: str, tasks: Iterable[Record], now: datetime
) -> list[MarkRecord]:
    """Return the marks by which tasks, given as they were in trouble, leave their incidents.

    They belong into the batch that moves the tasks: then nobody has to look for it.
    """
    troubles = troubles_of(tasks)
    if not troubles:
        return []
    kept = kept_of(store, campaign, workflow)
    left = relieve(kept.incidents, troubles, now)
    return write_down(kept.mark, left, (campaign, workflow), now)


def kept_of(store: Store, campaign: str, workflow: str) -> Kept:
    """Return what is kept at hand of one workflow, or of all for an empty name."""
    return read_kept(store, campaign).get(workflow, Kept(workflow, None, ()))


def troubles_of(tasks: Iterable[Record]) -> list[Trouble]:
    """Return what is wrong with those records that are of tasks in trouble."""
    records = (task for task in tasks if isinstance(task, TaskRecord))
    return [trouble for trouble in map(trouble_of, records) if trouble is not None]


def write_with_marks(
    write: Callable[[Sequence[MarkRecord]], Written], decide: Callable[[], Sequence[MarkRecord]]
) -> Written:
    """Write the marks of incidents that ``decide`` returns, and all that ``write`` writes with
    them.

    No lease guards them, so nobody waits for a workflow that is at work: each mark must follow the
    one that was read. Where somebody was quicker, ``decide`` looks and decides anew. Raises
    ``Conflict`` if that is in vain time after time.
    """
    for _ in range(MOST_TRIES):
        marks = decide()
        try:
            return write(marks)
        except Conflict:
            if not marks:
                raise
    return write(decide())
