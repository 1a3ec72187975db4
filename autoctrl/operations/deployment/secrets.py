"""What the user that runs branches could open of other environments, on this machine.

It is judged by owner, group and mode of each file and of all folders above it, for that user and
its groups. Where a file has an access control list, its mask counts for everybody but the owner: a
file may be called open that is not, never the other way round. If we are that user we try.
"""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config import list_secrets, list_written
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.config import Deployment

READ, WRITE, ENTER = 4, 2, 1
ACCESS_LIST = "system.posix_acl_access"
MOST_NAMED = 10


class OpenSecret(NamedTuple):
    """Something of one environment that the user of another one could open.

    environment  whose it is
    path         the file or folder
    user         who could open it
    access       ``read`` or ``changed``
    """

    environment: str
    path: Path
    user: str
    access: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path} of {self.environment} can be {self.access} by {self.user}"


class Person(NamedTuple):
    """A user of the operating system.

    name    as it logs in
    uid     its number
    groups  the numbers of all its groups
    """

    name: str
    uid: int
    groups: frozenset[int]

    @property
    def is_us(self) -> bool:
        """Say whether this process runs as this user."""
        return os.geteuid() == self.uid


def find_open_secrets(deployment: Deployment, environment: str) -> list[OpenSecret]:
    """Return what the user of ``environment`` could read or change of every other environment.

    Nothing without a user of its own. What is not there is not open; what we may not look at, but
    that user perhaps may, is. Raises ``SettingsError`` if this machine does not know the user.
    """
    user = deployment.environment(environment).user
    if not user:
        return []
    person = find_person(user)
    return [
        OpenSecret(other, path, user, access)
        for other in deployment.environments
        if other != environment
        for path, access in _list_open(deployment, other, person)
    ]


def refuse_open_secrets(deployment: Deployment, environment: str) -> None:
    """Raise ``SettingsError`` naming all that ``find_open_secrets`` finds."""
    found = find_open_secrets(deployment, environment)
    if not found:
        return
    more = len(found) - MOST_NAMED
    named = "; ".join(map(str, found[:MOST_NAMED])) + (f"; and {more} more" if more > 0 else "")
    message = f"Environment '{environment}' runs what others push, and it is not shut in: {named}."
    raise SettingsError(
        message,
        hint="Give these files to their own user, closed to all others (chmod o-rwx,g-rwx), with "
        "folders above them that nobody else may write, and remove access control lists "
        "(setfacl -b).",
    )


def find_person(user: str) -> Person:
    """Return who a user is. Raises ``SettingsError`` if this machine does not know it."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        message = f"There is no user '{user}' on this machine, who is to run branches."
        raise SettingsError(
            message, hint="Make one for that alone, or correct user in deployment.toml."
        ) from error
    return Person(user, entry.pw_uid, frozenset(os.getgrouplist(user, entry.pw_gid)))


def _list_open(
    deployment: Deployment, environment: str, person: Person
) -> Iterator[tuple[Path, str]]:
    secrets = list_secrets(deployment, environment)
    yield from ((path, "read") for path in secrets if can_read(person, path))
    for path in dict.fromkeys([*secrets, *list_written(deployment, environment)]):
        yield from ((found, "changed") for found in _with_parts(path) if can_change(person, found))


def _with_parts(path: Path) -> list[Path]:
    """Return a path and what lies in it, links left out: those point elsewhere."""
    try:
        return [path, *(part for part in sorted(path.iterdir()) if not part.is_symlink())]
    except OSError:
        return [path]  # a file, or nothing, or nothing that we may look into


def can_read(person: Person, path: Path) -> bool:
    """Say whether somebody could read a file, or list or enter a folder."""
    real = _real(path)
    if person.is_us:
        return _is_opened(real)
    return can_reach(person, real) and (may(person, real, READ) or _may_enter(person, real))


def can_change(person: Person, path: Path) -> bool:
    """Say whether somebody could write a file, change a folder, or put another in its place."""
    real = _real(path)
    is_writable = may(person, real, WRITE) and can_reach(person, real)
    return is_writable or any(can_replace(person, way) for way in (real, path.absolute()))


def can_replace(person: Person, path: Path) -> bool:
    """Say whether somebody could move away a path, or a folder above it, and put another there."""
    ways = zip((path, *path.parents), path.parents, strict=False)
    return any(
        may(person, folder, WRITE)
        and can_reach(person, inner)
        and not _is_kept(person, inner, folder)
        for inner, folder in ways
    )


def can_reach(person: Person, path: Path) -> bool:
    """Say whether somebody may go through all folders above a path."""
    return all(may(person, folder, ENTER) for folder in path.parents)


def may(person: Person, path: Path, bit: int) -> bool:
    """Say whether somebody may do this with a file or folder itself; not, if there is none."""
    try:
        found = path.stat()
    except PermissionError:
        return not person.is_us
    except OSError:
        return False
    if person.uid == 0:
        return True
    if found.st_uid == person.uid:
        return bool(found.st_mode >> 6 & bit)
    if _has_list(path):
        return bool((found.st_mode >> 3 | found.st_mode) & bit)
    shift = 3 if found.st_gid in person.groups else 0
    return bool(found.st_mode >> shift & bit)


def _may_enter(person: Person, path: Path) -> bool:
    try:
        is_folder = path.is_dir()
    except PermissionError:
        return True
    return is_folder and may(person, path, ENTER)


def _is_kept(person: Person, inner: Path, folder: Path) -> bool:
    """Say whether a folder lets only the owner of what lies in it take that away, as /tmp does."""
    try:
        above, found = folder.stat(), inner.lstat()
    except OSError:
        return False
    is_sticky = bool(above.st_mode & stat.S_ISVTX)
    return is_sticky and person.uid not in {0, above.st_uid, found.st_uid}


def _is_opened(path: Path) -> bool:
    """Say whether we can open a file or folder, or enter that."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return os.access(f"{path}/.", os.X_OK, effective_ids=True)  # a folder to be entered
    return True


def _has_list(path: Path) -> bool:
    """Say whether a file or folder has an access control list beside its mode."""
    try:
        return bool(os.getxattr(path, ACCESS_LIST))
    except OSError:
        return False


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
