"""Who asks for a page, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException

from autoctrl.model.role import LEAST_ROLE, Role

if TYPE_CHECKING:
    from starlette.requests import Request


class Visitor(NamedTuple):
    """Who makes a request.

    role      what they may do
    name      who they are, empty where nobody asked: then a form asks
    is_known  False for one of the public, who sees neither outputs nor what jobs printed
    """

    role: Role
    name: str = ""
    is_known: bool = True

    def may(self, verb: str) -> bool:
        """Say whether they may say a verb."""
        return self.role >= LEAST_ROLE.get(verb, Role.VIEWER)


def visitor_of(request: Request) -> Visitor:  # noqa: ARG001 - without login all are alike
    """Return who makes a request. Without login whoever reaches the address may do everything."""
    return Visitor(Role.ADMIN)


def require(request: Request, least: Role, to: str) -> Visitor:
    """Return who makes a request; answers 403 if they have a lesser role. ``to`` says for what."""
    visitor = visitor_of(request)
    if visitor.role < least:
        message = f"To {to} takes the role {least}; you have the role {visitor.role}."
        raise HTTPException(403, message)
    return visitor


def require_known(request: Request, to: str) -> Visitor:
    """Return who makes a request; answers 403 to one of the public. ``to`` says for what."""
    visitor = require(request, Role.VIEWER, to)
    if not visitor.is_known:
        raise HTTPException(403, f"To {to}, log in.")
    return visitor
