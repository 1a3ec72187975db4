"""The incidents that a store keeps: what the machine writes, what verbs change, what people see."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.incident import INCIDENT, INCIDENTS, read_closed, read_incidents

if TYPE_CHECKING:
    from autoctrl.model.incident import Incident
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Store


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
