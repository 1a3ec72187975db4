"""Dialogs: what an integration may open, and what a person may fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer, Route
from tests.fakes.mattermost.core import BODY_PARAM, Core, RefusalError
from tests.fakes.mattermost.limits import (
    ELEMENT_HINT_RUNES,
    ELEMENT_LABEL_RUNES,
    ELEMENT_NAME_RUNES,
    TEXT_RUNES,
    TEXTAREA_RUNES,
    TITLE_RUNES,
)
from tests.fakes.mattermost.state import Dialog

if TYPE_CHECKING:
    from tests.fakes.http import Request

OPEN = {"trigger_id": str, "url": str, "dialog": dict}
DIALOG = {
    "title": str,
    "callback_id": str,
    "introduction_text": str,
    "elements": list,
    "submit_label": str,
    "notify_on_cancel": bool,
    "state": str,
}
ELEMENT = {
    "display_name": str,
    "name": str,
    "type": str,
    "subtype": str,
    "default": str,
    "placeholder": str,
    "help_text": str,
    "min_length": int,
    "max_length": int,
    "optional": bool,
    "options": list,
}
OPTION = {"text": str, "value": str}
TYPES = frozenset({"text", "textarea", "select", "bool", "radio", "date", "datetime"})
CHOOSING = frozenset({"select", "radio"})
LONGEST = {"text": TEXT_RUNES, "textarea": TEXTAREA_RUNES}


class Dialogs:
    """The call that opens a dialog."""

    def __init__(self, core: Core) -> None:
        self.core = core
        core.routes.append(Route("POST", "/api/v4/actions/dialogs/open", self.open))

    def open(self, request: Request) -> Answer:
        """Show a dialog to whoever pulled the trigger."""
        body = self.core.body_of(request, OPEN, frozenset(OPEN))
        trigger = self.core.check_trigger(body["trigger_id"])
        content = body["dialog"]
        self.core.check_keys(content, DIALOG, "dialog")
        for element in content.get("elements") or []:
            self.core.check_keys(element, ELEMENT, "element of a dialog")
            for option in element.get("options") or []:
                self.core.check_keys(option, OPTION, "option of a dialog")
        if not body["url"].startswith(("http://", "https://")):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing url in request body.")
        wrong = wrong_with(content)
        if wrong:
            raise RefusalError(400, BODY_PARAM, f"Invalid or missing dialog: {wrong}.")
        self.core.state.dialogs.append(Dialog(trigger, body["url"], content))
        return Answer.of({"status": "OK"})


def wrong_with(content: dict[str, Any]) -> str:
    """Return what is wrong with a dialog, or nothing."""
    if not 0 < len(content.get("title") or "") <= TITLE_RUNES:
        return "title"
    elements = content.get("elements") or []
    names = [element.get("name") for element in elements]
    if len(set(names)) < len(names):
        return "a name twice"
    return next((wrong for element in elements for wrong in _wrong_parts(element)), "")


def _wrong_parts(element: dict[str, Any]) -> list[str]:
    kind = element.get("type")
    longest = LONGEST.get(str(kind), 0)
    least, most = element.get("min_length") or 0, element.get("max_length") or longest
    checks = {
        "display_name": 0 < len(element.get("display_name") or "") <= ELEMENT_LABEL_RUNES,
        "name": 0 < len(element.get("name") or "") <= ELEMENT_NAME_RUNES,
        "type": kind in TYPES,
        "placeholder": len(element.get("placeholder") or "") <= ELEMENT_HINT_RUNES,
        "help_text": len(element.get("help_text") or "") <= ELEMENT_HINT_RUNES,
        "length": 0 <= least <= most and (not longest or most <= longest),
        "default": not longest or len(element.get("default") or "") <= most,
        "options": bool(element.get("options")) == (kind in CHOOSING),
    }
    return [f"{name} of {element.get('name')}" for name, is_right in checks.items() if not is_right]


def unfit(element: dict[str, Any], value: Any) -> str:
    """Return why a client would not let a person submit a value, or nothing."""
    name, kind = element["name"], element["type"]
    if value in (None, ""):
        return "" if element.get("optional") or kind == "bool" else f"{name} must be filled in"
    if kind in CHOOSING and value not in [option["value"] for option in element["options"]]:
        return f"{name} cannot be {value!r}"
    longest = element.get("max_length") or LONGEST.get(kind)
    least = element.get("min_length") or 0
    if longest and not least <= len(value) <= longest:
        return f"{name} must have {least} to {longest} characters"
    return ""
