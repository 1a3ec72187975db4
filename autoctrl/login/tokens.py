"""Tokens of programs and notebooks: how they are spelled, and what is kept of them. Pure but for
the making of random letters.
"""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.role import Role

if TYPE_CHECKING:
    from datetime import datetime

PREFIX = "ac_"
ID_LETTERS = string.ascii_lowercase + string.digits
ID_LENGTH = 8
SHAPE = re.compile(r"ac_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")


class Maker(NamedTuple):
    """Who makes a token.

    name     as people know them
    role     what they may do
    subject  who that is beyond doubt; empty for whoever works on the server itself
    """

    name: str
    role: Role = Role.ADMIN
    subject: str = ""


class Token(NamedTuple):
    """What is known of a token; the token itself is known to its owner alone.

    id       eight letters and digits, which stand in it
    name     what it is for
    role     what its owner may do
    maker    who made it
    made     when
    expires  when it ends
    used     when it was last shown, up to a minute earlier; None if never
    subject  who its maker is beyond doubt, empty if it was made on the server itself
    limit    the role that its maker had when they came last, None if it was made on the server
    """

    id: str
    name: str
    role: Role
    maker: str
    made: datetime
    expires: datetime
    used: datetime | None = None
    subject: str = ""
    limit: Role | None = None

    @property
    def may(self) -> Role:
        """What it opens now: its role, or its maker's if that is less by now."""
        return self.role if self.limit is None else min(self.role, self.limit)


def spell_token() -> str:
    """Return a new token: ``ac_``, its id, ``_`` and 43 random letters."""
    identity = "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))
    return f"{PREFIX}{identity}_{secrets.token_urlsafe(32)}"


def id_in(token: str) -> str | None:
    """Return the id that stands in a token, None if this is no token of ours."""
    found = SHAPE.fullmatch(token)
    return found[1] if found else None


def check_role(wanted: Role, makers: Role) -> None:
    """Raise ``UsageError`` for a token that may do more than who makes it."""
    if wanted > makers:
        message = f"A token of the role {wanted} cannot be made by somebody of the role {makers}."
        raise UsageError(message, hint=f"Ask for the role {makers}, or for less.")
