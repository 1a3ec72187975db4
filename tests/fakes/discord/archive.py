"""The messages of all channels: posted, changed, deleted, said again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.fakes.discord import answers
from tests.fakes.discord.calls import Refused
from tests.fakes.discord.records import Edit, Message, Repeat

if TYPE_CHECKING:
    from tests.fakes.discord.calls import Call
    from tests.fakes.discord.records import Webhook

FIRST_ID = 1_100_000_000_000_000_000


class Archive:
    """Keeps messages, and every change of them."""

    def __init__(self, repeat_window_s: float) -> None:
        self._repeat_window_s = repeat_window_s
        self._last_id = FIRST_ID
        self.posts: list[Message] = []
        self.messages: dict[str, Message] = {}
        self.edits: list[Edit] = []
        self.deletions: list[Message] = []
        self.repeats: list[Repeat] = []

    def new_id(self) -> str:
        """Return an id that nothing else has."""
        self._last_id += 1
        return str(self._last_id)

    def draft(self, call: Call, webhook: Webhook, said: dict[str, Any], now_s: float) -> Message:
        """Return the message that a request wants to post; refuse one that cannot be."""
        number = self.new_id()
        place = place_of(call, webhook)
        name = said.get("thread_name")
        if webhook.is_forum and not name and call.thread_id is None:
            raise Refused(answers.error(400, 220001))
        if name and call.thread_id is not None:
            raise Refused(answers.error(400, 220002))
        if name and not webhook.is_forum:
            raise Refused(answers.error(400, 220003))
        message = Message(
            id=number,
            webhook_id=webhook.id,
            channel_id=number if name else place,
            content=said.get("content", ""),
            embeds=tuple(said.get("embeds", ())),
            username=said.get("username", "alarms"),
            avatar_url=said.get("avatar_url"),
            is_spoken=said.get("tts", False),
            flags=said.get("flags", 0),
            allowed_mentions=said.get("allowed_mentions"),
            posted_s=now_s,
        )
        refuse_empty(message)
        return message

    def post(self, message: Message, webhook: Webhook) -> None:
        """Save a message; note it if it was said already."""
        if message.channel_id == message.id:
            webhook.threads.add(message.id)
        oldest_s = message.posted_s - self._repeat_window_s
        for earlier in reversed(self.posts):
            if earlier.posted_s >= oldest_s and gist_of(earlier) == gist_of(message):
                self.repeats.append(Repeat(earlier, message))
                break
        self.posts.append(message)
        self.messages[message.id] = message

    def edit(self, call: Call, webhook: Webhook, said: dict[str, Any], now_s: float) -> Message:
        """Change a message: what is named is replaced, the rest stays."""
        before = self._find(call, webhook)
        after = replace(
            before,
            content=said.get("content", before.content),
            embeds=tuple(said.get("embeds", before.embeds)),
            flags=said.get("flags", before.flags),
            allowed_mentions=said.get("allowed_mentions"),
            edited_s=now_s,
        )
        refuse_empty(after)
        self.messages[after.id] = after
        self.edits.append(Edit(before, after))
        return after

    def delete(self, call: Call, webhook: Webhook) -> None:
        """Delete a message."""
        message = self._find(call, webhook)
        self.deletions.append(self.messages.pop(message.id))

    def _find(self, call: Call, webhook: Webhook) -> Message:
        """Return the message that a request names, if it is the webhook's and lies there."""
        assert call.route is not None
        message = self.messages.get(call.route["message"])
        is_ours = message is not None and message.webhook_id == webhook.id
        if message is None or not is_ours or message.channel_id != place_of(call, webhook):
            raise Refused(answers.error(404, 10008))
        return message


def place_of(call: Call, webhook: Webhook) -> str:
    """Return the channel or thread that a request is about."""
    thread = call.thread_id
    if thread is None:
        return webhook.channel_id
    if thread not in webhook.threads:
        raise Refused(answers.error(404, 10003))
    return thread


def refuse_empty(message: Message) -> None:
    """Refuse a message that shows nothing."""
    if not message.content and not any(any(embed.values()) for embed in message.embeds):
        raise Refused(answers.error(400, 50006))


def gist_of(message: Message) -> list[Any]:
    """Return what a reader takes for the message: where it stands and all it says but its time."""
    embeds = [{**embed, "timestamp": None} for embed in message.embeds]
    return [message.channel_id, message.content, embeds]
