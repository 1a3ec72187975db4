"""The answers of Discord, and of the network before it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.fakes.discord.limiter import Scope, ceil_ms
from tests.fakes.discord.markdown import mentions

if TYPE_CHECKING:
    from tests.fakes.discord.limiter import Bucket, Refusal
    from tests.fakes.discord.records import Message, Webhook

MESSAGES = {
    0: "500: Internal Server Error",
    10003: "Unknown Channel",
    10008: "Unknown Message",
    10015: "Unknown Webhook",
    40005: "Request entity too large",
    50006: "Cannot send an empty message",
    50013: "Missing Permissions",
    50027: "Invalid Webhook Token",
    50109: "The request body contains invalid JSON.",
    220001: "Webhooks posted to forum channels must have a thread_name or thread_id",
    220002: "Webhooks posted to forum channels cannot have both a thread_name and thread_id",
    220003: "Webhooks can only create threads in forum channels",
}
PAGE = """<!DOCTYPE html>
<html><head><title>{status}</title></head>
<body><h1>Error {status}</h1><p>cloudflare</p></body></html>
"""


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    code       Discord's own number of an error, None without one
    is_cut     nothing is sent: the connection ends
    is_silent  nothing is sent before it ends, and that only with the service
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    code: int | None = None
    is_cut: bool = False
    is_silent: bool = False

    def plus(self, headers: dict[str, str]) -> Answer:
        """Return the same answer with more headers."""
        return replace(self, headers={**headers, **self.headers})


CUT = Answer(is_cut=True)
SILENCE = Answer(is_cut=True, is_silent=True)


def json_answer(status: int, body: dict[str, Any]) -> Answer:
    """Return an answer in JSON."""
    headers = {"Content-Type": "application/json"}
    return Answer(status, headers, json.dumps(body).encode(), body.get("code"))


def error(status: int, code: int, message: str = "") -> Answer:
    """Return one of Discord's errors."""
    return json_answer(status, {"message": message or MESSAGES[code], "code": code})


def form_error(errors: dict[str, Any]) -> Answer:
    """Return the error that names what is wrong in a body, key by key."""
    return json_answer(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})


def page(status: int) -> Answer:
    """Return a page that is not Discord's."""
    headers = {"Content-Type": "text/html; charset=UTF-8", "Server": "cloudflare"}
    return Answer(status, headers, PAGE.format(status=status).encode())


def refusal_answer(refusal: Refusal) -> Answer:
    """Return the answer to who asks too often."""
    is_shared = refusal.scope is Scope.SHARED
    is_global = refusal.scope is Scope.GLOBAL
    subject = "The resource is" if is_shared else "You are"
    body = {
        "message": f"{subject} being rate limited.",
        "retry_after": float(refusal.retry_after_s),
        "global": is_global,
    }
    headers = {
        "Retry-After": str(math.ceil(refusal.retry_after_s)),
        "X-RateLimit-Scope": refusal.scope.value,
    }
    return json_answer(429, body).plus(
        {**headers, **({"X-RateLimit-Global": "true"} if is_global else {})}
    )


def count_headers(bucket: Bucket, now_s: float) -> dict[str, str]:
    """Return the headers that say how much is left."""
    after_s = max(ceil_ms(bucket.reset_s - now_s), 0.0)
    return {
        "X-RateLimit-Limit": str(bucket.rate.count),
        "X-RateLimit-Remaining": str(max(bucket.remaining(now_s), 0)),
        "X-RateLimit-Reset": f"{now_s + after_s:.3f}",
        "X-RateLimit-Reset-After": f"{after_s:.3f}",
        "X-RateLimit-Bucket": "0f3bd0c1a8de5a7c9b1e",
    }


def webhook_body(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as it is described to who knows its token."""
    return {
        "application_id": None,
        "avatar": None,
        "channel_id": webhook.channel_id,
        "guild_id": "1000000000000000001",
        "id": webhook.id,
        "name": "alarms",
        "type": 1,
    }


def stamp(seconds: float | None) -> str | None:
    """Return a time as Discord writes it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def message_body(message: Message) -> dict[str, Any]:
    """Return a message as it is described to who has written it."""
    called = mentions(message)
    author = {"id": message.webhook_id, "username": message.username, "bot": True}
    return {
        "attachments": [],
        "author": {**author, "avatar": None, "discriminator": "0000"},
        "channel_id": message.channel_id,
        "components": [],
        "content": message.content,
        "edited_timestamp": stamp(message.edited_s),
        "embeds": [{"type": "rich", **embed} for embed in message.shown_embeds],
        "flags": message.flags,
        "id": message.id,
        "mention_everyone": called.is_everyone or called.is_here,
        "mention_roles": sorted(called.roles),
        "mentions": [{"id": user} for user in sorted(called.users)],
        "pinned": False,
        "timestamp": stamp(message.posted_s),
        "tts": message.is_spoken,
        "type": 0,
        "webhook_id": message.webhook_id,
    }
