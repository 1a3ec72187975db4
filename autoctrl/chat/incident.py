"""What a button below an incident's message must agree with: it is open, and as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.chat.orders import Order
from autoctrl.errors import UsageError
from autoctrl.incidents import read_kept
from autoctrl.machine.outbox import OUTBOX, read_outbox
from autoctrl.model.unit import format_units

if TYPE_CHECKING:
    from autoctrl.chat.desk import Desk
    from autoctrl.mattermost.buttons import Button
    from autoctrl.model.incident import Incident


def find_open(desk: Desk, button: Button) -> Incident:
    """Return the open incident that a button is about. Raises ``UsageError`` if it is over."""
    kept = read_kept(desk.store, button.campaign).values()
    found = (one for each in kept for one in each.incidents if one.id == button.incident)
    incident = next(found, None)
    if incident is None or not incident.is_open:
        message = f"Incident {button.incident} is over."
        raise UsageError(message, hint="Nothing was done, and nothing needs to be.")
    return incident


def check_post(desk: Desk, button: Button, post_id: str) -> None:
    """Raise ``UsageError`` unless a post is the message that a notifier has told an incident by."""
    outboxes = [read_outbox(mark) for mark in desk.store.marks(OUTBOX, button.campaign)]
    told = [outbox.told.get(button.incident) for outbox in outboxes]
    if post_id not in {one.message for one in told if one is not None}:
        message = f"This is not the message about incident {button.incident}."
        hint = "Nothing was done. If the message is quite new, press again in a moment."
        raise UsageError(message, hint=hint)


def check_tasks(button: Button, incident: Incident) -> None:
    """Raise ``UsageError`` if an incident is about other tasks than when its button was made."""
    if incident.digest != button.tasks:
        message = f"Incident {incident.id} is not about the same tasks any more."
        hint = "Nothing was done. Look at the message again: it changes within a minute."
        raise UsageError(message, hint=hint)


def order_of(button: Button, incident: Incident, reason: str) -> Order:
    """Return what the button for all tasks of an incident orders."""
    runs = format_units(incident.units)
    return Order(button.verb, runs, incident.workflow, "", button.campaign, reason)
