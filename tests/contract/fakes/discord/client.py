"""A client of Discord that can also be wrong, and a clock for both."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.fakes.discord import Limits, Rate

if TYPE_CHECKING:
    from tests.fakes.discord import Discord, Webhook

AGENT = "DiscordBot (https://example.org/autoctrl, 0.1.0)"
WIDE = Limits(user=Rate(1000, 2.0), shared=Rate(1000, 60.0), everywhere=Rate(1000, 1.0))


@dataclass
class Hands:
    """A clock that stands still until it is moved."""

    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True)
class Answer:
    """What the fake answered."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """Return what it says."""
        return json.loads(self.raw)

    @property
    def code(self) -> Any:
        """Return Discord's number of the error."""
        return self.body["code"]


@dataclass
class Client:
    """Sends what it is told, with the right headers unless others are given."""

    service: Discord
    patience_s: float = 30
    headers: dict[str, str] = field(
        default_factory=lambda: {"User-Agent": AGENT, "Content-Type": "application/json"}
    )

    def send(
        self,
        method: str,
        address: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request on a connection of its own."""
        parts = urlsplit(address)
        assert parts.hostname
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.patience_s)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, self.headers if headers is None else headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def say(
        self, method: str, rest: str = "", *, hook: Webhook | None = None, **body: Any
    ) -> Answer:
        """Send a body that calls nobody unless it says so."""
        said = {"allowed_mentions": {"parse": []}, **body}
        address = (hook or self.service.webhook).url + rest
        return self.send(method, address, json.dumps(said).encode())

    def post(self, rest: str = "?wait=true", *, hook: Webhook | None = None, **body: Any) -> Answer:
        """Post a message, as a rule one that is waited for."""
        return self.say("POST", rest, hook=hook, **body)

    def ask(self, method: str, rest: str = "") -> Answer:
        """Send a request without a body."""
        return self.send(method, self.service.url + rest, headers={"User-Agent": AGENT})
