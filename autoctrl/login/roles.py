"""Which role the groups of a person give. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.role import Role, read_listings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.config import WebSettings

EVERYBODY = "*"


class Groups(NamedTuple):
    """Who has which role.

    everybody  the role of whoever can log in
    roles      by name of a group, without a slash at its beginning
    """

    everybody: Role
    roles: Mapping[str, Role]

    def role_of(self, names: Iterable[str]) -> Role:
        """Return the best role that one of these groups gives; names are compared exactly."""
        return max((self.roles.get(bare(name), Role.NOBODY) for name in names), default=Role.NOBODY)

    def role_with_login(self, names: Iterable[str]) -> Role:
        """Return the role of somebody who is logged in and has these groups."""
        return max(self.everybody, self.role_of(names))


def bare(name: str) -> str:
    """Return a group's name without the slash with which some providers begin it."""
    return name.removeprefix("/")


def read_groups(section: WebSettings) -> Groups:
    """Return which groups the settings give which role."""
    roles: dict[str, Role] = {}
    everybody = Role.NOBODY
    for listing in read_listings(section):
        if listing.word != EVERYBODY:
            roles[bare(listing.word)] = listing.role
        elif listing.role is Role.VIEWER:
            everybody = Role.VIEWER
    return Groups(everybody, roles)


def groups_in(claims: Mapping[str, Any], path: str) -> tuple[str, ...] | None:
    """Return the groups that a claim names, None if there is no such claim.

    ``path`` is the claim's name, or leads to it through others, as ``resource_access.page.roles``.
    """
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list):
        return tuple(name for name in found if isinstance(name, str))
    return None
