"""Pages that are the same for all who may read them: drawn once for all who ask at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from autoctrl.web.entry.cookies import read_kept
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.site.state import site_of
from autoctrl.web.site.zone import ZONE_COOKIE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from starlette.requests import Request
    from starlette.responses import Response


def shared(draw: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers with what ``draw`` has just drawn for somebody else.

    Such a page holds no form that moves something: it has no token to prove where it came from.
    """

    async def answer(request: Request) -> Response:
        key = key_of(request, read_kept(request, ZONE_COOKIE))
        request.state.is_shared = True
        return await site_of(request).answers.answer(key, partial(draw, request))

    return answer


def key_of(request: Request, zone: str | None) -> Hashable:
    """Return all that a shared page depends on, besides the store and the time: what is asked for,
    how, under which name of this server, in which zone and by whom.

    It is taken as it came. An address that is put together of it could be read as another one.
    """
    scope, host = request.scope, request.headers.get("host", "")
    asked = scope["method"], host, scope["path"], scope["query_string"]
    return (*asked, zone, visitor_of(request))
