"""The slash command: a form that Mattermost posts, and the answer to it."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from autoctrl.chat.acting import act
from autoctrl.chat.desk import check_role
from autoctrl.chat.grammar import SHAPES, read_text
from autoctrl.chat.replies import as_response
from autoctrl.chat.response import LaterAnswers, Target, read_key
from autoctrl.chat.roles import USER_ID, Person
from autoctrl.chat.timing import answer_in_time, guard
from autoctrl.errors import SettingsError, UsageError
from autoctrl.hooks.exchange import Answer, answer_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.chat.desk import Desk
    from autoctrl.chat.replies import Reply
    from autoctrl.hooks.exchange import Request

MOST_FIELDS = 1000
WRONG_TOKEN = Answer(401, b"The token is wrong.\n")
SCHEME = "Token "


class Slash(NamedTuple):
    """What a person typed, as Mattermost passes it on.

    person        who
    text          what, without the command itself
    trigger_id    says who and when
    response_url  where later answers go
    """

    person: Person
    text: str
    trigger_id: str
    response_url: str


def take_command(desk: Desk, request: Request) -> Answer:
    """Answer a slash command: 401 to whoever does not have the token, 200 to everybody else."""
    try:
        pairs = parse_qsl(
            request.body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        return WRONG_TOKEN
    fields = dict(pairs)
    if not _has_token(desk, fields, request.headers):
        return WRONG_TOKEN
    reply = guard(desk, lambda: _answer(desk, fields, request.received))
    return answer_json(as_response(reply))


def _has_token(desk: Desk, fields: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Say whether a request shows a token that is good now, in the form and nowhere another one.

    Every token is tried, so that the time taken does not say which one fits.
    """
    try:
        tokens = desk.tokens()
    except SettingsError as error:
        desk.complain(str(error))
        return False
    header = headers.get("authorization", "")
    shown = [fields.get("token", "")]
    if header.startswith(SCHEME):  # an outgoing OAuth connection shows something else
        shown.append(header.removeprefix(SCHEME))
    fits = [[_is_equal(token, one) for token in tokens] for one in shown]
    return all(any(each) for each in fits)


def _is_equal(token: str, shown: str) -> bool:
    return hmac.compare_digest(token.encode(), shown.encode("utf-8", "replace"))


def _answer(desk: Desk, fields: Mapping[str, str], now: datetime) -> Reply:
    slash = _read_slash(fields)
    key = read_key(desk.server.address, slash.response_url)
    later = LaterAnswers(Target(desk.server.address, key))

    def work() -> Reply:
        caller = desk.admit(slash.person, slash.trigger_id, now)
        asked = read_text(slash.text)
        check_role(caller, asked.verb, SHAPES[asked.verb].role)
        return act(desk, caller, asked, key)

    return answer_in_time(desk, work, later.post)


def _read_slash(fields: Mapping[str, str]) -> Slash:
    user_id = fields.get("user_id", "")
    if not USER_ID.fullmatch(user_id):
        message = "The request does not say who made it."
        raise UsageError(message, hint="Nothing was done.")
    person = Person(user_id, fields.get("user_name", ""), fields.get("team_domain", ""))
    texts = [fields.get(name, "") for name in ("text", "trigger_id", "response_url")]
    return Slash(person, *texts)
