"""The cookies of a login, and what else a browser keeps for us.

Where people come by https the names of cookies make the browser promise that this host alone has
set them, and that they never travel in clear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HOST_ALONE = "__Host-"
A_YEAR_S = 365 * 86400


class Cookies:
    """The two cookies of a login: which browser began it, and the session."""

    def __init__(self, *, is_secure: bool) -> None:
        """Name them."""
        self.is_secure = is_secure
        prefix = HOST_ALONE if is_secure else ""
        self.session, self.flow = f"{prefix}autoctrl", f"{prefix}autoctrl-login"

    def give(self, response: Response, name: str, value: str) -> None:
        """Let the browser keep a cookie until it is closed."""
        response.set_cookie(
            name, value, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def take(self, response: Response, name: str) -> None:
        """Let the browser forget a cookie."""
        response.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="lax")


def read_kept(request: Request, name: str) -> str:
    """Return what the browser keeps for us under a name, empty if nothing."""
    return request.cookies.get(_spell(request, name), "")


def let_keep(
    request: Request, response: Response, name: str, value: str, *, lasts_s: int | None = None
) -> None:
    """Let the browser keep something that only our own pages send back, until it is closed or for
    as long as it ``lasts_s``.
    """
    response.set_cookie(
        _spell(request, name),
        value,
        lasts_s,
        path="/",
        secure=_is_encrypted(request),
        httponly=True,
        samesite="strict",
    )


def _spell(request: Request, name: str) -> str:
    return f"{HOST_ALONE if _is_encrypted(request) else ''}{name}"


def _is_encrypted(request: Request) -> bool:
    return str(request.scope["scheme"]) == "https"
