"""Who in the chat has which role. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import SettingsError
from autoctrl.model.role import Role, read_listings

if TYPE_CHECKING:
    from autoctrl.config import ChatSettings

EVERYBODY = "*"
USER_ID = re.compile(r"[a-z0-9]{26}")
USER_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Person(NamedTuple):
    """Somebody in the chat, as its server says.

    id    26 letters and digits, which nobody can choose
    name  as people see it, which may change
    team  name of the team in which they are now
    """

    id: str
    name: str
    team: str

    @property
    def signature(self) -> str:
        """How the person is named in the history."""
        return f"{self.name} ({self.id})" if USER_NAME.fullmatch(self.name) else self.id


class Roster(NamedTuple):
    """Who has which role.

    team   name of the team whose people are meant by ``*``
    roles  by id of the person; ``*`` is everybody in the team
    """

    team: str
    roles: dict[str, Role]

    def role_of(self, person: Person) -> Role:
        """Return the role of a person, whose name counts for nothing."""
        given = self.roles.get(person.id, Role.NOBODY)
        is_ours = bool(self.team) and person.team == self.team
        return max(given, self.roles.get(EVERYBODY, Role.NOBODY) if is_ours else Role.NOBODY)


def read_roster(section: ChatSettings, team: str) -> Roster:
    """Return who has which role. Raises ``SettingsError`` for what is no id of a person."""
    roles: dict[str, Role] = {}
    for key, word, role in read_listings(section):
        is_all = word == EVERYBODY and role is Role.VIEWER
        if not is_all and not USER_ID.fullmatch(word):
            message = f"[chat] {key} has '{word}', which is no id of a person."
            hint = (
                "An id has 26 small letters and digits: /autoctrl help tells everybody theirs. "
                "Only viewers may be *."
            )
            raise SettingsError(message, hint=hint)
        roles[word] = role
    return Roster(team, roles)
