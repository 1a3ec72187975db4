"""What all parts of the fake use: errors, who asks, what a body may hold, who may see what."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer, HttpFake, RefusedError
from tests.fakes.mattermost.limits import Bucket, Site, wall_clock
from tests.fakes.mattermost.state import Channel, State, Trigger, User, is_id, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.http import Request

BODY_PARAM = "api.context.invalid_body_param.app_error"
URL_PARAM = "api.context.invalid_url_param.app_error"
PERMISSIONS = "api.context.permissions.app_error"
MISSING_PATH = "api.context.404.app_error"
BUSY = "limit exceeded"


class RefusalError(RefusedError):
    """A request that Mattermost refuses: the status and the stable id of the error."""

    def __init__(self, status: int, error_id: str, message: str = "") -> None:
        self.error_id = error_id
        self.message = message or error_id
        body = {"id": error_id, "message": self.message, "detailed_error": ""}
        body |= {"request_id": new_id()}
        answer = Answer.of({**body, "status_code": status}, status)
        super().__init__(f"{status} {error_id}: {message}", answer)


def busy_answer(seconds: int = 1) -> Answer:
    """Return the answer to a request beyond the rate limit, which is no JSON."""
    return Answer(429, BUSY.encode(), "text/plain", (("Retry-After", str(seconds)),))


class Core(HttpFake):
    """A server with its state, its clock, and the checks that every call goes through."""

    def __init__(self, site: Site | None = None, clock: Callable[[], float] = wall_clock) -> None:
        super().__init__()
        self.site = site or Site()
        self.clock = clock
        self.state = State()
        self.bucket = Bucket()
        self._signing_key = new_id().encode()

    def now_ms(self) -> int:
        """Return the time in milliseconds since 1970."""
        return int(self.clock() * 1000)

    @property
    def site_url(self) -> str:
        """The address that people and integrations are told."""
        return self.url if self.site.site_url is None else self.site.site_url

    def prepare(self, request: Request) -> None:
        """Count the request, and look for secrets where none may be."""
        self._look_for_secrets(request)
        if self.site.rate_per_second and not self.bucket.take(self.site, self.clock()):
            raise RefusedError(BUSY, busy_answer())

    def complete(self, request: Request, answer: Answer) -> Answer:
        """Add what every answer says while there is a rate limit."""
        del request
        if not self.site.rate_per_second:
            return answer
        return answer._replace(headers=answer.headers + self.bucket.headers(self.site))

    def unknown(self, request: Request, status: int) -> Answer:
        """Return Mattermost's answer to what it does not know."""
        if status != 404:
            return super().unknown(request, status)
        return RefusalError(404, MISSING_PATH, "Sorry, we could not find the page.").answer

    def check_text(self, text: str, where: str) -> None:
        """Record a violation if a text, a log for instance, holds a secret of the server."""
        with self.lock:
            if any(secret in text for secret in self.state.secrets):
                self.violate(f"a token appears in {where}")

    def _look_for_secrets(self, request: Request) -> None:
        is_hook = request.path.startswith("/hooks/")
        path = "" if is_hook else request.path
        self.check_text(path + json.dumps(dict(request.query)), f"the URL of {request.method}")
        if not request.path.startswith("/api/v4/commands"):
            self.check_text(request.body.decode("utf-8", "replace"), f"the text of {request.line}")
        if is_hook and request.header("Authorization"):
            self.violate(f"{request.method} /hooks: the token of the API was sent to a webhook")

    def user_of(self, request: Request) -> User:
        """Return who asks; 401 for nobody."""
        kind, _, token = request.header("Authorization").partition(" ")
        if kind.lower() == "bearer":
            for user in self.state.users.values():
                if hmac.compare_digest(user.token.encode(), token.encode()) and user.is_active:
                    return user
        message = "Invalid or expired session, please login again."
        raise RefusalError(401, "api.context.session_expired.app_error", message)

    def body_of(
        self, request: Request, known: Mapping[str, type], required: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """Return the body, whose keys are known and have the right types."""
        try:
            body = json.loads(request.body)
        except ValueError:
            raise RefusalError(400, BODY_PARAM, "Invalid or missing body.") from None
        if not isinstance(body, dict):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing body.")
        self.check_keys(body, known, request.line)
        for name in sorted(required):
            if body.get(name) in (None, ""):
                raise RefusalError(400, BODY_PARAM, f"Invalid or missing {name} in request body.")
        return {name: value for name, value in body.items() if name in known}

    def check_keys(self, body: Mapping[str, Any], known: Mapping[str, type], where: str) -> None:
        """Record the keys that the contract does not know; refuse values of a wrong type."""
        for name, value in body.items():
            if name not in known:
                self.violate(f"{where}: the key {name} is unknown")
            elif value is not None and not _has_type(value, known[name]):
                raise RefusalError(400, BODY_PARAM, f"Invalid or missing {name} in request body.")

    def check_no_body(self, request: Request) -> None:
        """Record a body where none belongs; the driver sends an empty object everywhere."""
        if request.body.strip() not in (b"", b"{}"):
            self.violate(f"{request.line}: a body is unknown")

    def id_of(self, request: Request, name: str) -> str:
        """Return an id in the path; 400 if it does not have the shape of one."""
        value = request.params[name]
        if not is_id(value):
            raise RefusalError(400, URL_PARAM, f"Invalid or missing {name} in request URL.")
        return value

    def require(self, *, is_allowed: bool) -> None:
        """Refuse with 403 what is not allowed."""
        if not is_allowed:
            message = "You do not have the appropriate permissions."
            raise RefusalError(403, PERMISSIONS, message)

    def is_member(self, user: User, channel: Channel | None) -> bool:
        """Say whether somebody belongs to a channel, and to its team."""
        if channel is None or user.id not in channel.members:
            return False
        return not channel.team_id or user.id in self.state.teams[channel.team_id].members

    def channel_named(self, team_id: str, name: str) -> Channel | None:
        """Return a team's channel by its name."""
        for channel in self.state.channels.values():
            if channel.team_id == team_id and channel.name == name:
                return channel
        return None

    def user_named(self, name: str) -> User | None:
        """Return somebody by name."""
        return next((user for user in self.state.users.values() if user.name == name), None)

    def direct_channel(self, one: User, other: User) -> Channel:
        """Return the channel between two users, which is made when it is first needed."""
        name = "__".join(sorted([one.id, other.id]))
        channel = self.channel_named("", name)
        if channel is None:
            channel = Channel(name, type="D", members={one.id, other.id})
            self.state.channels[channel.id] = channel
        return channel

    def new_trigger(self, user: User, channel: Channel, team_id: str) -> Trigger:
        """Return a trigger that this server has signed: ``clientId:userId:ms:`` and the rest."""
        signed = f"{new_id()}:{user.id}:{self.now_ms()}:"
        whole = base64.b64encode((signed + self._signature(signed)).encode()).decode()
        trigger = Trigger(whole, user.id, channel.id, team_id)
        self.state.triggers[whole] = trigger
        return trigger

    def check_trigger(self, trigger_id: str) -> Trigger:
        """Return a trigger that is this server's and young enough; 400 otherwise."""
        prefix = "interactive_message.decode_trigger_id"
        try:
            text = base64.b64decode(trigger_id, validate=True).decode()
        except ValueError:
            raise RefusalError(400, f"{prefix}.base64_decode_failed") from None
        parts = text.split(":")
        if len(parts) != 4:
            raise RefusalError(400, f"{prefix}.missing_data")
        signed = ":".join(parts[:3]) + ":"
        if not hmac.compare_digest(self._signature(signed).encode(), parts[3].encode()):
            raise RefusalError(400, f"{prefix}.verify_signature_failed")
        if self.now_ms() - int(parts[2]) > self.site.integration_seconds * 1000:
            raise RefusalError(400, f"{prefix}.expired", "Trigger ID for dialog is expired.")
        return self.state.triggers[trigger_id]

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._signing_key, signed.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


def _has_type(value: object, kind: type) -> bool:
    """Say whether a value has a type; a truth value is no number."""
    return isinstance(value, kind) and (kind is not int or not isinstance(value, bool))
