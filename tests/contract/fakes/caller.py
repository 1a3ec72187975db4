"""A client that hides nothing, and an integration that answers what it is told."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.fakes.http import Answer, HttpFake, Request, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """The status and the id of an error, whose body has the shape that it must have."""
        body = self.json
        assert body.keys() == {"id", "message", "detailed_error", "request_id", "status_code"}
        assert body["status_code"] == self.status
        return self.status, body["id"]


class Caller:
    """Calls a server with a token."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.token = token

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30,
    ) -> Reply:
        """Send a request, its body in JSON unless it is bytes, and return the answer."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, raw, {**sent, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def api(self, method: str, path: str, body: Any = None) -> Reply:
        """Call a path below /api/v4."""
        return self(method, f"/api/v4{path}", body)


class Integration(HttpFake):
    """Answers every POST by ``reply`` and remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.reply: Callable[[Request], Answer] | Answer = Answer.of({"text": "fine"})
        self.routes = [Route("POST", "/{what}", self.respond)]

    def respond(self, request: Request) -> Answer:
        """Answer as told."""
        return self.reply if isinstance(self.reply, Answer) else self.reply(request)
