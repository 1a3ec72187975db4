"""Who asks, what they may do, and whether a POST carries the crumb that it needs."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer
from tests.fakes.jenkins.pages import not_found, refused
from tests.fakes.jenkins.state import TOKEN_LENGTH, User, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.http import Request
    from tests.fakes.jenkins.core import Call, Core

PERMISSIONS = frozenset(
    f"{group}/{name}"
    for group, names in {
        "Overall": "Read Administer",
        "Item": "Discover Read ExtendedRead Create Configure Delete Build Cancel Workspace",
        "Run": "Delete Update",
        "View": "Read Create Configure Delete",
        "Credentials": "View Create Update Delete",
    }.items()
    for name in names.split()
)
# What is granted with another permission.
IMPLIED = {"Item/Discover": "Item/Read", "Item/ExtendedRead": "Item/Configure"}
FIELD = "Jenkins-Crumb"
PROPERTY = "/user/{name}/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"


def may(user: User, permission: str, full_name: str = "") -> bool:
    """Say whether somebody has a permission, at an item if its full name is given."""
    granted = user.permissions
    fitting = [path for path in user.only if full_name == path or full_name.startswith(f"{path}/")]
    if fitting and not permission.startswith("Overall/"):
        granted = user.only[max(fitting, key=len)]
    wanted = {permission, IMPLIED.get(permission, permission), "Overall/Administer"}
    return bool(wanted & granted)


class Access:
    """Tells who asks; issues and checks crumbs; makes tokens."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.anonymous = User("anonymous")
        self.salt = secrets.token_hex(16)
        self.cookie = f"JSESSIONID.{secrets.token_hex(4)}"

    def identify(self, request: Request) -> tuple[User, bool]:
        """Return who asks, and whether by an API token; 401 for whoever is not known."""
        header = request.header("Authorization")
        if not header:
            return self.anonymous, False
        kind, _, encoded = header.partition(" ")
        if kind.lower() != "basic":
            self.core.violate(f"{request.line}: credentials of the kind {kind} are unknown")
            return self.anonymous, False
        try:
            name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise self._unknown() from None
        user = self.core.state.users.get(name)
        if not colon or user is None:
            raise self._unknown()
        if self._is_token(user, secret):
            return user, True
        if user.password and hmac.compare_digest(user.password.encode(), secret.encode()):
            return user, False
        raise self._unknown()

    def name_in(self, request: Request) -> str:
        """Return the name that a request gives, whoever sent it."""
        _, _, encoded = request.header("Authorization").partition(" ")
        try:
            return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""

    def _unknown(self) -> Exception:
        return refused(401, "Unauthorized", (("WWW-Authenticate", 'Basic realm="Jenkins"'),))

    def _is_token(self, user: User, secret: str) -> bool:
        """Say whether this is a token of somebody that has not expired."""
        if len(secret) != TOKEN_LENGTH:
            return False
        return any(
            token.digest == sha256(secret)
            for token in user.tokens
            if token.expires is None or self.core.now < token.expires
        )

    def session_of(self, request: Request) -> str:
        """Return the session of a request's cookie, or nothing."""
        found = re.search(rf"{re.escape(self.cookie)}=([0-9a-z]+)", request.header("Cookie"))
        return found[1] if found and found[1] in self.core.state.sessions else ""

    def crumb_of(self, user: User, session: str) -> str:
        """Return the crumb of somebody in a session."""
        return sha256(f"{user.name};{session}{self.salt}")

    def check_crumb(self, request: Request, user: User, form: Mapping[str, Any]) -> None:
        """Refuse a POST with 403 whose crumb is missing, or of another user or session."""
        if not self.core.site.is_csrf_on:
            return
        session = self.session_of(request)
        sent = request.header(FIELD) or str(form.get(FIELD, ""))
        if not session or not hmac.compare_digest(sent, self.crumb_of(user, session)):
            raise refused(403, "No valid crumb was included in the request")

    def issue(self, call: Call) -> Answer:
        """Answer with a crumb, in a session that begins if there is none."""
        if not self.core.site.is_csrf_on:
            raise not_found()
        session = self.session_of(call.request)
        headers: tuple[tuple[str, str], ...] = ()
        if not session:
            session = f"node0{secrets.token_hex(10)}"
            self.core.state.sessions.add(session)
            headers = (("Set-Cookie", f"{self.cookie}={session}; Path=/; HttpOnly"),)
        body = {
            "_class": "hudson.security.csrf.DefaultCrumbIssuer",
            "crumb": self.crumb_of(call.user, session),
            "crumbRequestField": FIELD,
        }
        return Answer(200, json.dumps(body).encode(), headers=headers)

    def generate(self, call: Call) -> Answer:
        """Make a token of oneself; it is shown this once."""
        user = self.core.state.users.get(call.params["name"])
        if user is None:
            raise not_found()
        if user is not call.user:
            self.core.require(call.user, "Overall/Administer")
        days = str(call.value("expirationDuration") or "never")
        if days != "never" and not days.isdigit():
            self.core.violate(f"generateNewToken: an expiry of {days!r} is unknown")
            raise refused(400, "expirationDuration")
        expires = None if days == "never" else self.core.now + int(days) * 86_400
        value = user.add_token(str(call.value("newTokenName") or "token"), expires)
        self.core.state.secrets.add(value)
        made = user.tokens[-1]
        data = {"tokenUuid": made.uuid, "tokenName": made.name, "tokenValue": value}
        data |= {"expirationDate": expires, "aboutToExpire": False}  # type: ignore[dict-item]
        return Answer.of({"status": "ok", "data": data})
