"""The cookies of a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response


class Cookies:
    """The two cookies of a login: which browser began it, and the session.

    Where people come by https their names make the browser promise that this host alone has set
    them, and that they never travel in clear.
    """

    def __init__(self, *, is_secure: bool) -> None:
        """Name them."""
        self.is_secure = is_secure
        prefix = "__Host-" if is_secure else ""
        self.session, self.flow = f"{prefix}autoctrl", f"{prefix}autoctrl-login"

    def give(self, response: Response, name: str, value: str) -> None:
        """Let the browser keep a cookie until it is closed."""
        response.set_cookie(
            name, value, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def take(self, response: Response, name: str) -> None:
        """Let the browser forget a cookie."""
        response.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="lax")
