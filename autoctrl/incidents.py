"""The incidents that a store keeps: what the machine writes, what verbs change, what people see."""

from __future__ import annotations

import heapq
import itertools
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
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.model.incident import Incident, Trouble
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Record, Store

MOST_TRIES = 20
MOST_NAMED = 20  # of incidents whose ids begin alike
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


class NewestIncidents(NamedTuple):
    """Some incidents, the oldest first.

    incidents  the newest of those that are asked for
    before     id of the first of them where there are older ones, else empty
    """

    incidents: tuple[Incident, ...]
    before: str


def newest_incidents(
    store: Store, campaign: str, limit: int, before: str = "", *, with_closed: bool = False
) -> NewestIncidents:
    """Return the ``limit`` newest of what ``list_incidents`` returns; those that came before the
    one with the id ``before``, if given. No more are held at once.

    Raises ``UsageError`` if there is no such incident.
    """
    end = _age_of(store, campaign, before) if before else None
    wanted = (
        one
        for one in _each_incident(store, campaign)
        if (with_closed or one.is_open) and (end is None or _age(one) < end)
    )
    found = sorted(heapq.nlargest(limit + 1, wanted, key=_age), key=_age)
    has_more = len(found) > limit
    shown = tuple(found[has_more:])
    return NewestIncidents(shown, shown[0].id if has_more else "")


def count_incidents(store: Store, campaign: str) -> int:
    """Return how many incidents a campaign has had."""
    return sum(1 for _ in _each_incident(store, campaign))


def _age_of(store: Store, campaign: str, name: str) -> tuple[datetime, str]:
    for one in _each_incident(store, campaign):
        if one.id == name:
            return _age(one)
    message = f"There is no incident '{name[:40]}' in campaign {campaign}."
    raise UsageError(message, hint="Take the id that the answer before named.")


def _age(incident: Incident) -> tuple[datetime, str]:
    return incident.opened, incident.id


def _each_incident(store: Store, campaign: str) -> Iterator[Incident]:
    """Yield every incident once: what is kept at hand is newer than what was written of its end."""
    at_hand = {
        one.id: one for kept in read_kept(store, campaign).values() for one in kept.incidents
    }
    yield from at_hand.values()
    for mark in store.each_mark(INCIDENT, campaign):
        if mark.name not in at_hand:
            yield read_closed(mark)


def find_incident(store: Store, campaign: str, text: str) -> Incident:
    """Return the incident whose id begins with ``text``.

    Raises ``UsageError`` if there is none, or more than one.
    """
    known = _each_incident(store, campaign) if text else iter(())
    meant = (one for one in known if one.id.startswith(text.lower()))
    found = [*itertools.islice(meant, MOST_NAMED)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.id for one in sorted(found, key=_age))
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
