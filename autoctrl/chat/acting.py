"""What can be done in the chat: one function for each verb, by its name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from autoctrl import verbs
from autoctrl.chat import deploying, reading
from autoctrl.chat.orders import DOWNSTREAM, Order, carry_out, obey, report
from autoctrl.chat.replies import Reply, say
from autoctrl.errors import UsageError
from autoctrl.model.duration import parse_duration
from autoctrl.views.incidents import spell_deed
from autoctrl.views.outcomes import spell_pause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.chat.desk import Caller, Desk
    from autoctrl.chat.grammar import Asked

    Act = Callable[[Desk, Caller, Asked], Reply]

LOOKED_AFTER = "looks after it"


def act(desk: Desk, caller: Caller, asked: Asked, answer: str) -> Reply:
    """Do what somebody asks for who may; ``answer`` is where later answers go.

    Raises what verbs and views raise.
    """
    if asked.verb in READINGS:
        return READINGS[asked.verb](desk, caller, asked)
    if asked.verb in DEEDS:
        return DEEDS[asked.verb](desk, caller, asked)
    order = Order(
        verb=asked.verb,
        runs=asked.words["RUNS"],
        workflow=asked.words["WORKFLOW"],
        flags=DOWNSTREAM if DOWNSTREAM in asked.options else "",
        campaign=reading.campaign_of(asked),
        reason=asked.reason,
    )
    if "dry-run" in asked.options:
        return report(carry_out(desk, caller, order, dry_run=True), dry_run=True)
    return obey(desk, caller, order, answer)


def _pause(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    return _set_paused(desk, caller, asked, is_paused=True)


def _resume(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    return _set_paused(desk, caller, asked, is_paused=False)


def _set_paused(desk: Desk, caller: Caller, asked: Asked, *, is_paused: bool) -> Reply:
    request = desk.request(caller, reading.campaign_of(asked), asked.reason)
    workflow = asked.words["WORKFLOW"]
    is_changed = (verbs.pause if is_paused else verbs.resume)(request, workflow)
    return say(spell_pause(workflow, is_paused=is_paused, is_changed=is_changed))


def _acknowledge(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    request = desk.request(caller, reading.campaign_of(asked), asked.reason or LOOKED_AFTER)
    return say(spell_deed(verbs.acknowledge(request, asked.words["ID"]), "acknowledged"))


def _mute(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    given = {asked.words.get("TIME"), asked.options.get("for")} - {None}
    if len(given) > 1:
        message = "mute is told two times."
        raise UsageError(message, hint="Say one of them.")
    span = timedelta(seconds=parse_duration(str(given.pop()))) if given else None
    request = desk.request(caller, reading.campaign_of(asked), asked.reason)
    return say(spell_deed(verbs.mute(request, asked.words["ID"], span), "muted"))


def _deploy(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    return deploying.deploy(desk, caller, asked.words["ENV"], asked.words.get("REF", ""))


READINGS: Mapping[str, Act] = {
    "status": reading.show_status,
    "why": reading.show_why,
    "failed": reading.show_failed,
    "incidents": reading.show_incidents,
    "quota": reading.show_quota,
    "help": reading.show_help,
}
DEEDS: Mapping[str, Act] = {
    "pause": _pause,
    "resume": _resume,
    "ack": _acknowledge,
    "mute": _mute,
    "deploy": _deploy,
}
