"""An order: one verb as a program asks for it in JSON, checked before it is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError, nearest
from autoctrl.model.actor import LONGEST_NAME, LONGEST_REASON
from autoctrl.model.names import LONGEST_WORD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST = {
    "workflow": LONGEST_WORD,
    "runs": 4000,
    "incident": 64,
    "reason": LONGEST_REASON,
    "name": LONGEST_NAME,
    "campaign": LONGEST_WORD,
    "span": 40,
    "workflows": 4000,
    "parent": LONGEST_WORD,
    "code": 100,
}
MOST_SETTINGS = 100
LONGEST_SETTING = 1000


class Order(NamedTuple):
    """What a program asks for; each verb takes some of it.

    workflow    the workflow that is meant
    runs        a selection such as ``4500-4510,fill:8222``
    incident    the beginning of an incident's id
    reason      why; kept in the history
    name        who asks, where the server knows nobody's name
    campaign    the campaign, by default the one that the page shows first
    span        for how long, such as ``2h``; for as long as it lasts if empty
    downstream  also every task that consumed an output of them
    stale       every stale task, or those of ``runs``
    dry_run     say what would happen, and write nothing
    workflows, parent, settings, code, follow, reopen  what a campaign is to be, as in
                ``CampaignText``; None where nothing is said
    """

    workflow: str = ""
    runs: str = ""
    incident: str = ""
    reason: str = ""
    name: str = ""
    campaign: str = ""
    span: str = ""
    downstream: bool = False
    stale: bool = False
    dry_run: bool = False
    workflows: str | None = None
    parent: str | None = None
    settings: Mapping[str, Any] = {}
    code: str | None = None
    follow: bool | None = None
    reopen: bool = False


def read_order(needs: Sequence[str], fields: Sequence[str], body: bytes) -> Order:
    """Return the order that a body holds, of a verb that ``needs`` some of its ``fields``.

    Raises ``UsageError`` if it is no JSON object, names what the verb does not take, lacks what it
    needs, or has a value of a wrong type or length.
    """
    given = _read_object(body)
    for name, value in given.items():
        if name not in fields:
            message = f"This verb takes no '{name[:40]}'. {nearest(name, fields)}"
            raise UsageError(message)
        _check(name, value)
    for name in needs:
        if not str(given.get(name, "")).strip():
            raise UsageError(f"{name} is missing." if name not in given else f"{name} is empty.")
    return Order(**given)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        message = "The body is not JSON."
        raise UsageError(message, hint='Write an object such as {"runs": "4521"}.') from error
    if not isinstance(given, dict):
        message = "The body is JSON, but no object."
        raise UsageError(message, hint='Write an object such as {"runs": "4521"}.')
    return given


def _check(name: str, value: object) -> None:
    """Raise ``UsageError`` for a value that a field of an order cannot have."""
    if name == "settings":
        _check_settings(value)
    elif name in LONGEST:
        _check_text(name, value, LONGEST[name])
    elif not isinstance(value, bool):
        message = f"{name} must be true or false."
        raise UsageError(message)


def _check_text(name: str, value: object, longest: int) -> None:
    if not isinstance(value, str):
        message = f"{name} must be a text."
        raise UsageError(message)
    if len(value) > longest:
        message = f"{name} has more than {longest} letters."
        raise UsageError(message)
    if value and not value.isprintable():
        message = f"{name} must be one line without control characters."
        raise UsageError(message)


def _check_settings(value: object) -> None:
    if not isinstance(value, dict) or len(value) > MOST_SETTINGS:
        message = f"settings must be an object of at most {MOST_SETTINGS} texts and numbers."
        raise UsageError(message)
    pairs: Mapping[str, object] = value
    for key, one in pairs.items():
        _check_text("A name in settings", key, LONGEST["workflow"])
        if not isinstance(one, int | float):
            _check_text(f"settings.{key[:40]}", one, LONGEST_SETTING)
