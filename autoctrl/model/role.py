"""Who may do what: four roles, each of which may do what those before it may."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Role(IntEnum):
    """What a person may do.

    NOBODY    nothing
    VIEWER    read
    SHIFTER   also try again, skip, acknowledge, mute
    OPERATOR  also process again, end, declare done, close an incident, pause, keep campaigns
    ADMIN     also deploy, and see and revoke the tokens of all
    """

    NOBODY = 0
    VIEWER = 1
    SHIFTER = 2
    OPERATOR = 3
    ADMIN = 4

    def __str__(self) -> str:
        return self.name.lower()


ROLES: Mapping[str, Role] = {str(role): role for role in Role if role is not Role.NOBODY}
"""The roles that somebody can be given, by name, the least first."""


class Listing(NamedTuple):
    """Whom the settings give a role.

    key   name of the setting, such as ``shifters``
    word  one of those that it lists: a group, or a person's id
    role  the role
    """

    key: str
    word: str
    role: Role


def read_listings(section: object) -> Iterator[Listing]:
    """Return whom a section of the settings lists as viewers, shifters, operators and admins,
    separated by spaces or commas; the least role first.
    """
    for name, role in ROLES.items():
        key = f"{name}s"
        for word in str(getattr(section, key)).replace(",", " ").split():
            yield Listing(key, word, role)
