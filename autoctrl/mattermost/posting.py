"""Posts to addresses that are secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.request import OpenerDirector


def open_poster() -> OpenerDirector:
    """Return what posts, and follows nobody who leads elsewhere: that would post nothing."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            """Go nowhere, so that the answer counts as an error."""

    return build_opener(Stay)


def say_why(error: object) -> str:
    """Return why a connection failed, in words that cannot hold the address."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = getattr(error, "strerror", None)
    return str(said) if said else f"the connection failed ({type(error).__name__})"
