"""The body of a request, read no further than it may be long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST = 64 * 1024  # bytes


async def read_body(request: Request, what: str) -> bytes:
    """Return the body; answers 413 if it is too long. ``what`` begins the sentence."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(413, f"{what} is too long.")
    return body
