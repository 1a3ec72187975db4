"""Dialogs that ask for the reason of a verb that a button is for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.chat.incident import find_open, order_of
from autoctrl.chat.orders import carry_out, report
from autoctrl.chat.replies import Reply
from autoctrl.errors import UsageError
from autoctrl.mattermost.quoting import quote_line
from autoctrl.model.actor import LONGEST_REASON
from autoctrl.model.incident import MUTED_FOR
from autoctrl.model.signature import sign
from autoctrl.views.incidents import spell_title
from autoctrl.views.spelling import count, spell_duration

if TYPE_CHECKING:
    from autoctrl.chat.desk import Caller, Desk
    from autoctrl.mattermost.buttons import Button, Pressed
    from autoctrl.model.incident import Incident

DIALOG = "dialog"  # what a signature is for
DIALOG_PATH = "/hooks/mattermost/dialog"
LASTS = timedelta(hours=1)
REASON = "reason"


class Place(NamedTuple):
    """Where somebody pressed a button.

    channel  id of the channel
    post     id of the message
    """

    channel: str
    post: str


class Question(NamedTuple):
    """What a dialog says.

    title  a few words, 24 characters at most
    what   what will be done
    """

    title: str
    what: str


def ask_reason(
    desk: Desk, caller: Caller, pressed: Pressed, place: Place, trigger_id: str
) -> Reply:
    """Open a dialog for the reason of what a button is for; say something only if there is nothing
    to be done. Raises ``UsageError`` or ``NotifierError``.
    """
    button = pressed.button
    incident = find_open(desk, button)
    asked = _ask_retry if button.verb == "retry" else _ask_mute
    question = asked(desk, caller, button, incident)
    if isinstance(question, Reply):
        return question
    person = caller.person._asdict()
    values = {**button._asdict(), **place._asdict()}
    values |= {f"person_{name}": value for name, value in person.items()}
    expires = desk.project.clock.now() + LASTS
    state = sign(desk.keys(), DIALOG, values, expires, pressed.nonce)
    url = f"{desk.settings.hooks.url.rstrip('/')}{DIALOG_PATH}"
    desk.server.open_dialog(trigger_id, url, spell_dialog(question, json.dumps(state)))
    return Reply()


def _ask_retry(desk: Desk, caller: Caller, button: Button, incident: Incident) -> Question | Reply:
    order = order_of(button, incident, "")
    trial = carry_out(desk, caller, order, dry_run=True)
    if not trial.done:
        return report(trial)
    number = count(trial.done, "task")
    return Question("Retry all", f"To be tried again: {number} of {order.workflow}: {order.runs}")


def _ask_mute(desk: Desk, caller: Caller, button: Button, incident: Incident) -> Question:
    del caller, button
    muted = incident.muted
    if muted is not None and incident.is_muted(desk.project.clock.now()):
        message = f"Incident {incident.id} is muted already, by {muted.name}: {muted.reason}"
        raise UsageError(message)
    return Question(f"Mute for {spell_duration(MUTED_FOR)}", spell_title(incident))


def spell_dialog(question: Question, state: str) -> dict[str, object]:
    """Return the dialog that asks for a reason."""
    reason = {
        "display_name": "Reason",
        "name": REASON,
        "type": "textarea",
        "max_length": LONGEST_REASON,
        "placeholder": "Why? It is kept in the history.",
    }
    return {
        "callback_id": "autoctrl",
        "title": question.title,
        "introduction_text": quote_line(question.what),
        "elements": [reason],
        "submit_label": question.title.partition(" ")[0],
        "notify_on_cancel": False,
        "state": state,
    }
