"""Incoming webhooks, and the addresses where an integration answers a command later."""

from __future__ import annotations

import json
from email import message_from_bytes
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http import Answer, Route
from tests.fakes.mattermost.core import BODY_PARAM, Core, RefusalError
from tests.fakes.mattermost.limits import MESSAGE_RUNES, RESPONSE_SECONDS, RESPONSE_USES
from tests.fakes.mattermost.slack import translate, translate_attachments

if TYPE_CHECKING:
    from tests.fakes.http import Request
    from tests.fakes.mattermost.posts import Posts
    from tests.fakes.mattermost.responses import Responses
    from tests.fakes.mattermost.state import Channel, Hook

INCOMING = {
    "text": str,
    "attachments": list,
    "channel": str,
    "username": str,
    "icon_url": str,
    "icon_emoji": str,
    "type": str,
    "props": dict,
    "priority": dict,
    "silent": bool,
}
OVERRIDES = {
    "username": "override_username",
    "icon_url": "override_icon_url",
    "icon_emoji": "override_icon_emoji",
}
PREFIX = "web.incoming_webhook"


class Hooks:
    """What is posted to addresses that are secrets."""

    def __init__(self, core: Core, posts: Posts, responses: Responses) -> None:
        self.core = core
        self.posts = posts
        self.responses = responses
        core.routes += [
            Route("POST", "/hooks/{key}", self.receive),
            Route("POST", "/hooks/commands/{key}", self.respond),
        ]

    def receive(self, request: Request) -> Answer:
        """Post what a webhook is sent; the answer does not say as which post."""
        if not self.core.site.are_webhooks_on:
            message = "Incoming webhooks have been disabled by the system admin."
            raise RefusalError(501, f"{PREFIX}.disabled.app_error", message)
        body = self.parse(request)
        self.core.check_keys(body, INCOMING, "POST /hooks")
        if not body.get("text") and body.get("attachments") is None:
            raise RefusalError(400, f"{PREFIX}.text.app_error", "No text specified.")
        hook = self.core.state.hooks.get(request.params["key"])
        if hook is None:
            raise RefusalError(400, f"{PREFIX}.invalid.app_error", "Invalid webhook.")
        self.post(hook, self.channel_of(hook, body.get("channel") or ""), body)
        return Answer.plain("ok")

    def parse(self, request: Request) -> dict[str, Any]:
        """Return what was sent, in JSON, as ``payload`` of a form, or in parts."""
        media_type = request.header("Content-Type")
        kind = media_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return _parts(media_type, request.body)
        text = request.body.decode("utf-8", "replace")
        if kind == "application/x-www-form-urlencoded":
            text = parse_qs(text).get("payload", [""])[0]
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            message = "Unable to parse incoming data."
            raise RefusalError(400, f"{PREFIX}.parse.app_error", message)
        return body

    def channel_of(self, hook: Hook, name: str) -> Channel:
        """Return the channel that a webhook posts to, if it may."""
        owner = self.core.state.users[hook.user_id]
        channel: Channel | None
        if name.startswith("@"):
            user = self.core.user_named(name[1:])
            if user is None:
                raise RefusalError(400, f"{PREFIX}.user.app_error", "Couldn't find the user.")
            channel = self.core.direct_channel(owner, user)
        elif name:
            channel = self.core.channel_named(hook.team_id, name.removeprefix("#"))
        else:
            channel = self.core.state.channels.get(hook.channel_id)
        if channel is None:
            raise RefusalError(404, f"{PREFIX}.channel.app_error", "Couldn't find the channel.")
        if hook.is_locked and channel.id != hook.channel_id:
            message = "This webhook is not permitted to post to the requested channel."
            raise RefusalError(403, f"{PREFIX}.channel_locked.app_error", message)
        if channel.type != "O" and owner.id not in channel.members:
            message = "Inappropriate channel permissions."
            raise RefusalError(403, f"{PREFIX}.permissions.app_error", message)
        return channel

    def post(self, hook: Hook, channel: Channel, body: dict[str, Any]) -> None:
        """Make the posts: a text that is too long becomes several, the last has the rest."""
        kind = body.get("type") or ""
        if kind and not kind.startswith("custom_"):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing type in request body.")
        common = self.props_of(body)
        text = translate(body.get("text") or "")
        cuts = range(0, max(len(text), 1), MESSAGE_RUNES)
        owner = self.core.state.users[hook.user_id]
        priority = self.posts.check_priority(body.get("priority") or {}, "POST /hooks")
        for start in cuts:
            props = dict(common)
            if start == cuts[-1] and body.get("attachments"):
                props["attachments"] = translate_attachments(body["attachments"])
            piece = text[start : start + MESSAGE_RUNES]
            more = {"type": kind, "priority": priority, "is_silent": bool(body.get("silent"))}
            self.posts.save(owner, channel.id, piece, props, **more)

    def props_of(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the props of the posts, with another name and icon only where that is allowed."""
        props = {**(body.get("props") or {}), "from_webhook": "true"}
        if self.core.site.can_override:
            given = {new: body.get(old) for old, new in OVERRIDES.items()}
            props |= {name: value for name, value in given.items() if value}
        return props

    def respond(self, request: Request) -> Answer:
        """Take an answer to a command that comes later: five times within half an hour."""
        if request.header("Host") != urlsplit(self.core.site_url).netloc:
            self.core.violate("POST /hooks/commands: the host is not that of SiteURL")
        answer = self.responses.parse(request.header("Content-Type"), request.body)
        if answer is None:
            error_id = "web.command_webhook.parse.app_error"
            raise RefusalError(400, error_id, "Unable to parse incoming data.")
        url = self.core.state.response_urls.get(request.params["key"])
        if url is None or self.core.clock() - url.at > RESPONSE_SECONDS:
            raise RefusalError(404, "app.command_webhook.get.missing", "Unable to get the webhook.")
        if url.uses >= RESPONSE_USES:
            raise RefusalError(400, "app.command_webhook.try_use.invalid", "Invalid webhook.")
        url.uses += 1
        user = self.core.state.users[url.user_id]
        self.responses.post_all(answer, user, url.channel_id, url.root_id)
        return Answer.plain("ok")


def _parts(media_type: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a multipart body."""
    whole = message_from_bytes(f"Content-Type: {media_type}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    for part in whole.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode("utf-8", "replace")
    return fields
