"""What the fake keeps of a webhook's life, and what a test tells it to suffer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.fakes.discord.limiter import Scope


@dataclass
class Webhook:
    """One webhook.

    token       the secret part of its address
    url         its whole address, which is as secret
    is_forum    whether its channel takes messages only in threads
    threads     ids of the threads of its channel
    is_revoked  whether somebody has deleted it
    """

    id: str
    token: str = field(repr=False)
    channel_id: str
    url: str = field(repr=False)
    is_forum: bool = False
    threads: set[str] = field(default_factory=set)
    is_revoked: bool = False


@dataclass(frozen=True)
class Message:
    """A message as it is now.

    channel_id        the thread if it lies in one
    embeds            as they were sent, texts trimmed
    allowed_mentions  of the request that wrote the content last; None if there were none
    posted_s          in seconds of the service's clock, as is edited_s
    """

    id: str
    webhook_id: str
    channel_id: str
    content: str
    embeds: tuple[dict[str, Any], ...]
    username: str
    avatar_url: str | None
    is_spoken: bool
    flags: int
    allowed_mentions: dict[str, Any] | None
    posted_s: float
    edited_s: float | None = None

    @property
    def shown_embeds(self) -> list[dict[str, Any]]:
        """Return the embeds that people see: of those with the same address only the first."""
        shown: dict[object, dict[str, Any]] = {}
        for number, embed in enumerate(self.embeds):
            shown.setdefault(embed.get("url") or number, embed)
        return list(shown.values())


@dataclass(frozen=True)
class Edit:
    """A change of a message: as it was, and as it became."""

    before: Message
    after: Message


@dataclass(frozen=True)
class Repeat:
    """A message that says what another said shortly before, in the same channel."""

    first: Message
    again: Message


@dataclass(frozen=True)
class Request:
    """What a client sent and was answered.

    path    without the query, the token replaced
    body    as JSON, None without one or if it is none
    status  None if no answer came
    code    Discord's own number of an error, None without one
    """

    at_s: float
    method: str
    path: str
    query: str
    body: Any
    status: int | None
    code: int | None


class Kind(Enum):
    """What happens to a request."""

    LOST = "carried out, and the connection is cut instead of an answer"
    SILENT = "carried out, and no answer comes for as long as the service lasts"
    CUT = "the connection is cut before anything is done"
    UNSAVED = "the message is not saved: an error only for who waits"
    HTML = "a page of the network before Discord instead of an answer"
    FORBIDDEN = "refused for want of a permission"
    THROTTLED = "refused for its frequency, as are others until the time has passed"


@dataclass(frozen=True)
class Fault:
    """One fault, for one request.

    method         of the request that suffers; empty for any
    status         of a page instead of an answer
    scope          of a refusal for frequency
    retry_after_s  how long that refusal lasts
    """

    kind: Kind
    method: str = ""
    status: int = 502
    scope: Scope = Scope.USER
    retry_after_s: float = 1.0
