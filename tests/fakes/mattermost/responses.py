"""What an integration answers to a command, at once or later, and the posts that come of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.fakes.mattermost.core import Core, RefusalError
from tests.fakes.mattermost.limits import MESSAGE_RUNES
from tests.fakes.mattermost.posts import EPHEMERAL
from tests.fakes.mattermost.slack import translate, translate_attachments

if TYPE_CHECKING:
    from tests.fakes.mattermost.posts import Posts
    from tests.fakes.mattermost.state import Post, User

RESPONSE = {
    "response_type": str,
    "text": str,
    "attachments": list,
    "username": str,
    "icon_url": str,
    "channel_id": str,
    "goto_location": str,
    "type": str,
    "props": dict,
    "extra_responses": list,
    "skip_slack_parsing": bool,
}
WHERE = "answer to a command"


class Responses:
    """The posts that answers to commands become."""

    def __init__(self, core: Core, posts: Posts) -> None:
        self.core = core
        self.posts = posts

    def parse(self, media_type: str, body: bytes) -> dict[str, Any] | None:
        """Return an answer, plain text unless it is called JSON; nothing if broken or empty."""
        text = body.decode("utf-8", "replace")
        self.core.check_text(text, f"the {WHERE}")
        if media_type.partition(";")[0].strip() != "application/json":
            return {"text": text} if text else None
        try:
            answer = json.loads(text)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) and answer else None

    def post_all(
        self, answer: dict[str, Any], user: User, channel_id: str, root_id: str
    ) -> list[Post]:
        """Make the posts of an answer and of its extra responses."""
        every = [answer, *(answer.get("extra_responses") or [])]
        return [self.post(each, user, channel_id, root_id) for each in every]

    def post(self, answer: dict[str, Any], user: User, channel_id: str, root_id: str) -> Post:
        """Make one post: of the caller for all to see, or for the caller alone."""
        self.core.check_keys(answer, RESPONSE, WHERE)
        kind = self.kind_of(answer)
        other = answer.get("channel_id") or channel_id
        self.require_member(user, other)
        text, attachments = answer.get("text") or "", answer.get("attachments") or []
        if not answer.get("skip_slack_parsing"):
            text, attachments = translate(text), translate_attachments(attachments)
        props = self.props_of(answer) | ({"attachments": attachments} if attachments else {})
        more: dict[str, Any] = {"root_id": root_id, "type": answer.get("type") or ""}
        if kind != "in_channel":
            more |= {"ephemeral_for": user.id, "type": EPHEMERAL}
            if len(text) > MESSAGE_RUNES:
                self.core.violate(f"{WHERE}: an ephemeral text is longer than {MESSAGE_RUNES}")
        return self.posts.save(user, other, text, props, **more)

    def props_of(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the props of a post, with another name only where that is allowed."""
        props = {**(answer.get("props") or {}), "from_webhook": "true"}
        if self.core.site.can_override and answer.get("username"):
            props["override_username"] = answer["username"]
        return props

    def kind_of(self, answer: dict[str, Any]) -> str:
        """Return the type of an answer, of which there are two."""
        kind = str(answer.get("response_type") or "ephemeral")
        if kind not in ("ephemeral", "in_channel"):
            self.core.violate(f"{WHERE}: the response_type {kind} is unknown")
        return kind

    def require_member(self, user: User, channel_id: str) -> None:
        """Refuse an answer in a channel that the caller is not in."""
        if not self.core.is_member(user, self.core.state.channels.get(channel_id)):
            error_id = "api.command.command_post.forbidden.app_error"
            raise RefusalError(403, error_id, "Specified user is not a member of the channel.")
