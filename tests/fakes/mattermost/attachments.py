"""The attachments of a post and the actions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.mattermost.core import BODY_PARAM, RefusalError
from tests.fakes.mattermost.state import attachments_of, new_id

if TYPE_CHECKING:
    from tests.fakes.mattermost.core import Core
    from tests.fakes.mattermost.state import Post

ATTACHMENT = {
    "fallback": str,
    "color": str,
    "pretext": str,
    "text": str,
    "author_name": str,
    "author_link": str,
    "author_icon": str,
    "title": str,
    "title_link": str,
    "fields": list,
    "image_url": str,
    "thumb_url": str,
    "footer": str,
    "footer_icon": str,
    "actions": list,
}
FIELD = {"title": str, "value": object, "short": bool}
ACTION = {
    "id": str,
    "type": str,
    "name": str,
    "style": str,
    "tooltip": str,
    "disabled": bool,
    "integration": dict,
    "options": list,
    "data_source": str,
}
INTEGRATION = {"url": str, "context": dict}
OPTION = {"text": str, "value": str}
ACTION_ID = "api.post.do_action.action_id.app_error"
TYPES = ("button", "select")
STYLES = ("", "default", "primary", "success", "good", "warning", "danger")


def check_attachments(core: Core, props: dict[str, Any]) -> None:
    """Record what an attachment must not hold; give an action without an id one."""
    if not isinstance(props.get("attachments", []), list):
        raise RefusalError(400, BODY_PARAM, "Invalid or missing props in request body.")
    for attachment in attachments_of(props):
        core.check_keys(attachment, ATTACHMENT, "attachment")
        for field in attachment.get("fields") or []:
            core.check_keys(field, FIELD, "field of an attachment")
        for action in attachment.get("actions") or []:
            _check_action(core, action)


def _check_action(core: Core, action: dict[str, Any]) -> None:
    core.check_keys(action, ACTION, "action")
    action["id"] = action.get("id") or new_id()
    name = action.get("name")
    if action.get("type") not in TYPES:
        core.violate(f"action {name}: its type must be given, button or select")
    style = action.get("style") or ""
    if style not in STYLES and not style.startswith("#"):
        core.violate(f"action {name}: the style {style} is unknown")
    if "integration" in action:
        core.check_keys(action["integration"], INTEGRATION, f"integration of action {name}")
    for option in action.get("options") or []:
        core.check_keys(option, OPTION, f"option of action {name}")


def clickable(post: Post, action_id: str) -> dict[str, Any]:
    """Return the action of a post with this id, if it can be clicked."""
    action = next((one for one in post.actions if one.get("id") == action_id), {})
    has_target = bool((action.get("integration") or {}).get("url"))
    if not has_target or not action.get("type") or action.get("disabled"):
        raise RefusalError(404, ACTION_ID, "Invalid action id.")
    return action


def context_of(action: dict[str, Any], selected: str) -> dict[str, Any]:
    """Return the context that the integration gets, with the option of a menu."""
    context = action["integration"].get("context") or {}
    if action["type"] != "select":
        return dict(context)
    options = [option["value"] for option in action.get("options") or []]
    if not action.get("data_source") and selected not in options:
        raise RefusalError(404, ACTION_ID, f"{selected!r} is no option.")
    return {**context, "selected_option": selected}
