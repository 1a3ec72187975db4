"""Who asks for a page, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException

from autoctrl.model.role import LEAST_ROLE, Role

if TYPE_CHECKING:
    from starlette.requests import Request


class Visitor(NamedTuple):
    """Who makes a request.

    role  what they may do
    name  who they are, empty where nobody asked: then a form asks
    """

    role: Role
    name: str = ""

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
