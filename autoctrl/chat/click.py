"""Clicks on buttons: nobody vouches for them but the signature of what they carry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.chat.desk import check_role
from autoctrl.chat.dialog import Place, ask_reason
from autoctrl.chat.grammar import SHAPES
from autoctrl.chat.incident import check_post, check_tasks, find_open
from autoctrl.chat.orders import check_place, fulfil, read_order
from autoctrl.chat.reading import show_incident
from autoctrl.chat.replies import Reply, as_click_answer, spell_reply
from autoctrl.chat.response import LaterAnswers, Target
from autoctrl.chat.roles import USER_ID, Person
from autoctrl.chat.timing import answer_in_time, guard
from autoctrl.errors import UsageError
from autoctrl.hooks.exchange import Answer, answer_json
from autoctrl.mattermost.buttons import read_button

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.chat.desk import Desk
    from autoctrl.hooks.exchange import Request

NO_JSON = Answer(400, b"That is no JSON of Mattermost's.\n")
FIELDS = ("user_id", "user_name", "team_domain", "channel_id", "post_id", "trigger_id")


class Click(NamedTuple):
    """A click, as Mattermost or somebody else passes it on.

    person      who
    channel_id  where
    post_id     on which post
    trigger_id  says who and when, and lets a dialog be opened
    context     what the button carries
    """

    person: Person
    channel_id: str
    post_id: str
    trigger_id: str
    context: Mapping[str, object]


def read_json(body: bytes) -> dict[str, Any] | None:
    """Return an object of JSON, None if it is something else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def take_click(desk: Desk, request: Request) -> Answer:
    """Answer a click: 200 with a sentence for whoever clicked, and sometimes a dialog."""
    payload = read_json(request.body)
    if payload is None:
        return NO_JSON
    reply = guard(desk, lambda: _answer(desk, payload, request.received))
    return answer_json(as_click_answer(reply))


def _answer(desk: Desk, payload: Mapping[str, Any], now: datetime) -> Reply:
    click = _read_click(payload)
    if "incident" in click.context:
        return _press(desk, click, now)
    accepted = read_order(desk, click.context, now)
    later = LaterAnswers(Target(desk.server.address, accepted.answer))

    def work() -> Reply:
        caller = desk.admit(click.person, click.trigger_id, now)
        check_role(caller, accepted.order.verb, SHAPES[accepted.order.verb].role)
        if caller.person.id != accepted.person:
            message = "This button belongs to whoever said the command."
            raise UsageError(message, hint="Nothing was done.")
        return fulfil(desk, caller, accepted, now)

    return answer_in_time(desk, work, later.post)


def _read_click(payload: Mapping[str, Any]) -> Click:
    """Return the parts of a click. Raises ``UsageError``."""
    texts = {name: payload.get(name, "") for name in FIELDS}
    context = payload.get("context")
    is_whole = isinstance(context, dict) and all(isinstance(one, str) for one in texts.values())
    if not is_whole or not USER_ID.fullmatch(texts["user_id"]):
        message = "That is no click as Mattermost passes it on."
        raise UsageError(message, hint="Nothing was done.")
    person = Person(texts["user_id"], texts["user_name"], texts["team_domain"])
    return Click(person, texts["channel_id"], texts["post_id"], texts["trigger_id"], context or {})


def _press(desk: Desk, click: Click, now: datetime) -> Reply:
    """Do what a button below an incident asks for: explain it, or ask for the reason first."""
    pressed = read_button(desk.keys(), click.context, now)
    button = pressed.button
    check_place(desk, button.store, button.environment)
    place = Place(click.channel_id, click.post_id)

    def work() -> Reply:
        caller = desk.admit(click.person, click.trigger_id, now)
        check_role(caller, button.verb, SHAPES[button.verb].role)
        incident = find_open(desk, button)
        check_post(desk, button, place.post)
        if button.verb == "why":
            return show_incident(desk, button.campaign, incident)
        check_tasks(button, incident)
        return ask_reason(desk, caller, pressed, place, click.trigger_id)

    def later(reply: Reply) -> None:
        if reply.sentences or reply.lines:
            desk.server.answer(*place, spell_reply(reply))

    return answer_in_time(desk, work, later)
