"""Who asks for a page, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from starlette.exceptions import HTTPException

from autoctrl.model.actor import Actor
from autoctrl.model.role import Role
from autoctrl.model.verb import VERBS, may_say

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from starlette.requests import Request

KEY = "autoctrl.visitor"


class Visitor(NamedTuple):
    """Who makes a request.

    role      what they may do
    name      who they are, empty where nobody asked: then a form asks
    subject   who that is beyond doubt, as in `Actor`; empty where nobody has proved it
    via       how they came, as in `Actor`: ``web``, or ``api`` for those who show a token
    is_known  whether we know who they are: False for one of the public
    is_member whether they have a role of their own, beyond that of the public: only members see
              files of outputs and what jobs printed
    session   which login this is, in letters that open nothing; empty without one
    """

    role: Role
    name: str = ""
    subject: str = ""
    via: str = "web"
    is_known: bool = True
    is_member: bool = True
    session: str = ""

    def may(self, verb: str) -> bool:
        """Say whether they may say a verb."""
        return may_say(self.role, verb)

    def actor(self, name: str = "") -> Actor:
        """Return them as the one who causes a record; ``name`` is what a form says, which counts
        only where nobody else has said it.
        """
        return Actor(self.name or name, self.via, self.subject)


STRANGER = Visitor(Role.NOBODY, is_known=False, is_member=False)


def visitor_of(request: Request) -> Visitor:
    """Return who makes a request, as the gate has found."""
    return cast("Visitor", request.scope.get(KEY, STRANGER))


def peer_of(request: Request) -> str:
    """Return the address from which a request came, empty if it is not known."""
    return request.client.host if request.client else ""


def announce(scope: MutableMapping[str, Any], visitor: Visitor) -> None:
    """Write down for the pages who makes a request."""
    scope[KEY] = visitor


def require(request: Request, least: Role, to: str) -> Visitor:
    """Return who makes a request; answers 403 if they have a lesser role. ``to`` says for what."""
    visitor = visitor_of(request)
    if visitor.role < least:
        message = f"To {to} takes the role {least}; you have the role {visitor.role}."
        raise HTTPException(403, message)
    return visitor


def require_verb(request: Request, verb: str, to: str = "") -> Visitor:
    """Return who makes a request; answers 403 if they may not say a verb, which to do they want
    ``to``.
    """
    visitor = visitor_of(request)
    if visitor.may(verb):
        return visitor
    takes = f"the role {VERBS[verb].role}" if verb in VERBS else "a role that nobody has"
    message = f"To {to or verb} takes {takes}; you have the role {visitor.role}."
    raise HTTPException(403, message)


def require_known(request: Request, to: str) -> Visitor:
    """Return who makes a request; answers 403 to whoever has no role but that of the public. ``to``
    says for what.
    """
    visitor = require(request, Role.VIEWER, to)
    if visitor.is_member:
        return visitor
    if visitor.is_known:
        raise HTTPException(403, f"To {to} takes a role; no group of yours gives you one.")
    raise HTTPException(403, f"To {to}, log in.")
