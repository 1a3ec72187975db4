"""The operator's verbs: who may say each, and what it does, in the words of every face.

What follows a verb, and how, is said by each face: words in the chat, fields in JSON, a form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.role import Role

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verb(NamedTuple):
    """A verb.

    role  the least role of whoever says it
    does  what it does, as a clause with a small letter and no full stop
    """

    role: Role
    does: str


VERBS: Mapping[str, Verb] = {
    "retry": Verb(Role.SHIFTER, "try failed and skipped tasks again; jobs that are done stay done"),
    "reprocess": Verb(Role.OPERATOR, "do all of it again, as the next version"),
    "skip": Verb(Role.SHIFTER, "take new and failed tasks out of the processing"),
    "fail": Verb(Role.OPERATOR, "end processing tasks: their jobs are removed, and they fail then"),
    "complete": Verb(Role.OPERATOR, "declare new and failed tasks done by hand, without files"),
    "pause": Verb(
        Role.OPERATOR, "submit nothing more for a workflow; running jobs are still collected"
    ),
    "resume": Verb(Role.OPERATOR, "let a paused workflow submit again"),
    "ack": Verb(Role.SHIFTER, "look after an incident: nobody is reminded of it any more"),
    "mute": Verb(
        Role.SHIFTER, "let nobody hear of an incident for so long, or for as long as it lasts"
    ),
    "close": Verb(
        Role.OPERATOR,
        "close an incident although its tasks are in trouble; the next one opens it again",
    ),
    "create-campaign": Verb(
        Role.OPERATOR, "process many runs under a name of their own, with settings of their own"
    ),
    "edit-campaign": Verb(
        Role.OPERATOR, "change which runs and workflows a campaign takes, or open it again"
    ),
    "close-campaign": Verb(
        Role.OPERATOR, "take no more runs into a campaign, and start nothing more in it"
    ),
    "create-token": Verb(Role.VIEWER, "let a program do what one of your roles may"),
    "revoke-token": Verb(Role.VIEWER, "end a token of yours"),
    "deploy": Verb(Role.ADMIN, "bring a version into an environment"),
}
"""By name; those that only look are each face's own."""


def may_say(role: Role, verb: str) -> bool:
    """Say whether somebody of a role may say a verb; one that is not listed is nobody's."""
    return verb in VERBS and role >= VERBS[verb].role
