"""Who may do what: four roles, each of which may do what those before it may."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(IntEnum):
    """What a person may do.

    NOBODY    nothing
    VIEWER    read
    SHIFTER   also try again, skip, acknowledge, mute
    OPERATOR  also process again, end, declare done, close an incident, pause
    ADMIN     also deploy
    """

    NOBODY = 0
    VIEWER = 1
    SHIFTER = 2
    OPERATOR = 3
    ADMIN = 4

    def __str__(self) -> str:
        return self.name.lower()


LEAST_ROLE: Mapping[str, Role] = {
    "retry": Role.SHIFTER,
    "skip": Role.SHIFTER,
    "ack": Role.SHIFTER,
    "mute": Role.SHIFTER,
    "reprocess": Role.OPERATOR,
    "fail": Role.OPERATOR,
    "complete": Role.OPERATOR,
    "close": Role.OPERATOR,
    "pause": Role.OPERATOR,
    "resume": Role.OPERATOR,
    "deploy": Role.ADMIN,
}
"""The role that a person must have, by verb; whoever may look may use all others."""
