"""Who may post a form: only a page of ours, opened in the same browser."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "autoctrl_form"
COOKIE_SHAPE = re.compile(r"[0-9a-f]{32}")


class Guard:
    """Checks that a form was posted from a page of this server.

    A form carries a token that is made of the browser's cookie, of the login and of a secret that
    lives as long as the process.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        """Take a secret, by default a random one."""
        self._secret = secret if secret is not None else secrets.token_bytes(32)

    def cookie(self, present: str | None) -> str:
        """Return the browser's cookie, a new one if it has none that could be ours."""
        return present if present and COOKIE_SHAPE.fullmatch(present) else secrets.token_hex(16)

    def token(self, cookie: str, session: str = "") -> str:
        """Return the token of forms for the browser with this cookie and login."""
        return hmac.new(self._secret, f"{cookie} {session}".encode(), hashlib.sha256).hexdigest()

    def refusal(
        self, headers: Mapping[str, str], cookie: str, token: str, session: str = ""
    ) -> str:
        """Return why a form is not accepted, empty if it is; header names are in lower case."""
        if not is_same_origin(headers):
            return "This form was not sent from a page of this server."
        if not COOKIE_SHAPE.fullmatch(cookie) or not hmac.compare_digest(
            self.token(cookie, session).encode(), token.encode()
        ):
            return "This form is older than the server or the login, or cookies are switched off."
        return ""


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Say whether a browser declares that a page of this server sent the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host", "")
