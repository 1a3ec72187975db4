"""Dialogs that were filled in: the reason of a verb, and then the verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl import verbs
from autoctrl.chat.click import NO_JSON, read_json
from autoctrl.chat.desk import Caller, check_role
from autoctrl.chat.dialog import DIALOG, REASON, Place
from autoctrl.chat.grammar import SHAPES
from autoctrl.chat.incident import check_tasks, find_open, order_of
from autoctrl.chat.orders import carry_out, check_place, report
from autoctrl.chat.replies import Reply, say, spell_reply
from autoctrl.chat.roles import Person
from autoctrl.chat.timing import answer_in_time, guard
from autoctrl.errors import UsageError
from autoctrl.hooks.exchange import Answer, answer_json
from autoctrl.mattermost.buttons import LASTS, Button
from autoctrl.model.actor import LONGEST_REASON
from autoctrl.model.incident import MUTED_FOR
from autoctrl.model.signature import verify
from autoctrl.views.incidents import spell_deed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.chat.desk import Desk
    from autoctrl.hooks.exchange import Request
    from autoctrl.model.incident import Incident

DONE = Answer(200)


class Form(NamedTuple):
    """A dialog that was filled in.

    button   what was pressed
    person   who pressed it
    place    where the message is
    nonce    by which one use is known
    reason   what was filled in
    """

    button: Button
    person: Person
    place: Place
    nonce: str
    reason: str


def take_submission(desk: Desk, request: Request) -> Answer:
    """Answer a dialog: nothing if it was accepted, else what the person reads in it.

    What came of it is said in the thread of the message.
    """
    payload = read_json(request.body)
    if payload is None:
        return NO_JSON
    if payload.get("cancelled") is True:
        return DONE
    if not _read_reason(payload):
        return answer_json({"errors": {REASON: "Say why, for those who read the history."}})
    reply = guard(desk, lambda: _answer(desk, payload, request.received))
    return answer_json({"error": spell_reply(reply)}) if reply.is_refusal else DONE


def _read_reason(payload: Mapping[str, Any]) -> str:
    submission = payload.get("submission")
    text = submission.get(REASON) if isinstance(submission, dict) else ""
    whole = str(text or "").encode("utf-8", "replace").decode()  # a half character is none
    return " ".join(whole.split())[:LONGEST_REASON]


def _answer(desk: Desk, payload: Mapping[str, Any], now: datetime) -> Reply:
    form = _read_form(desk, payload, now)
    caller = Caller(form.person, desk.roster.role_of(form.person))
    check_role(caller, form.button.verb, SHAPES[form.button.verb].role)

    def announce(reply: Reply) -> None:
        desk.server.answer(*form.place, spell_reply(reply))

    return answer_in_time(desk, lambda: _act(desk, caller, form, now), announce, is_public=True)


def _read_form(desk: Desk, payload: Mapping[str, Any], now: datetime) -> Form:
    """Return what was filled in. Raises ``Forged``, ``Expired`` or ``UsageError``."""
    state = read_json(str(payload.get("state", "")).encode("utf-8", "replace"))
    signed = verify(desk.keys(), DIALOG, state or {}, now)
    values = signed.values
    button = Button(**{name: values[name] for name in Button._fields})
    check_place(desk, button.store, button.environment)
    person = Person(**{name: values[f"person_{name}"] for name in Person._fields})
    if payload.get("user_id") != person.id:
        message = "This dialog was opened for somebody else."
        raise UsageError(message, hint="Nothing was done.")
    reason = _read_reason(payload)
    place = Place(values["channel"], values["post"])
    return Form(button, person, place, signed.nonce, reason)


def _act(desk: Desk, caller: Caller, form: Form, now: datetime) -> Reply:
    """Do what the button was for, once. Raises what the verbs raise."""
    button = form.button
    incident = find_open(desk, button)
    check_tasks(button, incident)
    with desk.using(f"button:{form.nonce}", now + LASTS, now) as is_new:
        if not is_new:
            message = "This button was used before."
            hint = f"Nothing was done again. See: /autoctrl incidents {incident.id}"
            raise UsageError(message, hint=hint)
        reply = _do(desk, caller, form, incident)
    head = f"{form.person.name or form.person.id}, {button.verb}: {form.reason}"
    return reply._replace(sentences=[head, *reply.sentences])


def _do(desk: Desk, caller: Caller, form: Form, incident: Incident) -> Reply:
    button = form.button
    if button.verb == "retry":
        return report(carry_out(desk, caller, order_of(button, incident, form.reason)))
    request = desk.request(caller, button.campaign, form.reason)
    return say(spell_deed(verbs.mute(request, button.incident, MUTED_FOR), "muted"))
