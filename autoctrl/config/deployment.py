"""The administrator's file, which lies above every checkout of a deployed project.

It says what may be deployed from which repository into which environment, and gives the settings
that no branch or tag can give::

    ROOT/deployment.toml
    ROOT/repository.git                             clone for all environments with refs
    ROOT/production/releases/<commit>/              checkout of an environment with refs
    ROOT/mirror/repository.git                      clone for the branches
    ROOT/mirror/branches/<slug>/releases/<commit>/  checkout of an environment with branches
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

from autoctrl.config.environments import FOLDERS, STATE, check_nesting, check_separation
from autoctrl.config.layers import BUILT_IN, check, read_table
from autoctrl.config.ownership import names_secret
from autoctrl.config.placing import STORE, place
from autoctrl.config.reading import parse_toml, read_text
from autoctrl.errors import SettingsError, nearest
from autoctrl.model.secret import has_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.config.layers import Layer

DEPLOYMENT_FILE = "deployment.toml"
REPOSITORY = "repository.git"
RELEASES = "releases"
BRANCHES = "branches"
ENVIRONMENTS = "environments"


@dataclass(frozen=True)
class Environment:
    """What may be deployed into one environment, and its settings.

    name           its name, which is also that of its folder below the root
    folder         that folder, absolute
    refs           patterns of refs that may be deployed, as ``refs/tags/prod-*``
    branches       regular expression that the whole name of a branch must match; it, or ``refs``,
                   is empty
    is_signed      whether a ref must be a tag that ``git verify-tag`` accepts
    needs_request  whether a build of Jenkins deploys only what a verb has requested
    keep           how many releases stay
    user           user of the operating system that runs what is deployed; empty: nobody special
    settings       what the administrator sets, paths made absolute; with the state folder, the
                   store and the root of the outputs in any case
    """

    name: str
    folder: Path
    refs: tuple[str, ...]
    branches: str
    is_signed: bool
    needs_request: bool
    keep: int
    user: str
    settings: Layer


@dataclass(frozen=True)
class Deployment:
    """What an administrator says about the deployments below one folder.

    root          folder of the file
    repository    address that git fetches from
    project       folder of the project inside the repository, ``.`` for its top
    environments  each environment by its name
    """

    root: Path
    repository: str
    project: PurePosixPath
    environments: Mapping[str, Environment]

    @property
    def file(self) -> Path:
        """The administrator's file."""
        return self.root / DEPLOYMENT_FILE

    def environment(self, name: str) -> Environment:
        """Return one environment. Raises ``SettingsError`` if there is none of this name."""
        if name not in self.environments:
            message = (
                f"There is no environment '{name}' in {self.file}. "
                f"{nearest(name, self.environments)}"
            )
            raise SettingsError(message, hint=f"Declare it as [environments.{name}].")
        return self.environments[name]


def load_deployment(root: Path) -> Deployment:
    """Return what ``deployment.toml`` in ``root`` says, whole and checked.

    Raises ``SettingsError`` with file, key and the nearest known key for anything that is unknown,
    missing or of the wrong type, and if two environments share what must keep them apart.
    """
    root = root.resolve()
    file = root / DEPLOYMENT_FILE
    _check_owner(file)
    return parse_deployment(read_text(file), root)


def parse_deployment(text: str, root: Path) -> Deployment:
    """Return what ``load_deployment`` would if the file in ``root`` had this ``text``."""
    file = root / DEPLOYMENT_FILE
    tree = parse_toml(text, file)
    table = _Table(tree, "", {"repository": str, "project": str, ENVIRONMENTS: dict})
    environments = {
        name: _read_environment(name, given, root)
        for name, given in table.take(ENVIRONMENTS, {}).items()
    }
    if not environments:
        message = f"{file} declares no environment."
        raise SettingsError(message, hint="Declare one, as: [environments.production].")
    layers = {name: environment.settings for name, environment in environments.items()}
    check_separation(str(root), layers, DEPLOYMENT_FILE)
    check_nesting(layers, DEPLOYMENT_FILE)
    return Deployment(root, _read_repository(table), _read_project(table), environments)


def _check_owner(file: Path) -> None:
    """Raise ``SettingsError`` unless the file is that of somebody whom we trust anyway.

    Somebody else could put one above our project, as in a folder that everybody may write.
    """
    try:
        found, folder = file.stat(), file.parent.stat()
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}."
        raise SettingsError(message) from error
    if found.st_uid not in {0, os.getuid(), folder.st_uid} or found.st_mode & stat.S_IWOTH:
        message = f"{file} would govern this project, but others than its administrator wrote it."
        raise SettingsError(
            message,
            hint="It must belong to root or to the owner of its folder, and not be writable for "
            "everybody.",
        )


def find_deployment(folder: Path) -> Path | None:
    """Return the folder of the administrator's file that governs a project, None if there is none.

    It is the outermost folder above the project's that has one, links followed: what a branch
    brings along never counts.
    """
    above = reversed(folder.resolve().parents)
    return next((one for one in above if (one / DEPLOYMENT_FILE).is_file()), None)


def list_secrets(deployment: Deployment, environment: str) -> list[Path]:
    """Return what nobody else may open: the environment's state folder, the file of its store if
    that is one, and every file that its settings name and that holds a secret.
    """
    settings = deployment.environment(environment).settings
    scheme, _, store = str(settings[STORE].value).partition(":")
    files = [Path(settings[STATE].value), *([Path(store)] if scheme == "sqlite" else [])]
    files += [
        Path(entry.value) for path, entry in settings.items() if entry.value and _is_secret(path)
    ]
    return list(dict.fromkeys(files))


def list_written(deployment: Deployment, environment: str) -> list[Path]:
    """Return what nobody else may write, though all may read it: outputs, checkouts, the clone that
    they come from, and the administrator's file. A mirror has a clone of its own in its folder.
    """
    chosen = deployment.environment(environment)
    outputs = [Path(chosen.settings[path].value) for path in FOLDERS if path != STATE]
    clone = [] if chosen.branches else [deployment.root / REPOSITORY]
    return [*outputs, chosen.folder, chosen.folder / RELEASES, *clone, deployment.file]


class _Table:
    """A table of the administrator's file, read key by key."""

    def __init__(self, given: object, where: str, kinds: Mapping[str, type]) -> None:
        """Raise ``SettingsError`` for a key that is unknown or whose value is of another type."""
        self.where = f"{DEPLOYMENT_FILE}: {where}".rstrip()
        if not isinstance(given, dict):
            message = f"{self.where} is not a table."
            raise SettingsError(message, hint="Write it as [environments.NAME].")
        self.given: dict[str, Any] = given
        for key, value in given.items():
            if key not in kinds:
                message = f"{self.where} {key} is not a known key."
                raise SettingsError(message, hint=nearest(key, kinds))
            if type(value) is not kinds[key]:
                words = {str: "text", bool: "true or false", int: "a whole number"}
                kind = words.get(kinds[key], "a list" if kinds[key] is list else "a table")
                message = f"{self.where} {key} = {value!r} is not {kind}."
                raise SettingsError(message)

    def take(self, key: str, default: Any) -> Any:  # noqa: ANN401 - values of several types
        """Return the value of a key."""
        return self.given.get(key, default)

    def refuse(self, key: str, reason: str, hint: str) -> NoReturn:
        """Raise the ``SettingsError`` that refuses the value of a key."""
        message = f"{self.where} {key} = {self.given.get(key)!r} {reason}."
        raise SettingsError(message, hint=hint)


KINDS: Mapping[str, type] = {
    "refs": list,
    "branches": str,
    "signed": bool,
    "requested": bool,
    "keep": int,
    "user": str,
    "settings": dict,
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def _read_environment(name: str, given: object, root: Path) -> Environment:
    table = _Table(given, f"[{ENVIRONMENTS}.{name}]", KINDS)
    if not _NAME.fullmatch(name):
        message = f"{table.where} has a name that is no name of a folder."
        raise SettingsError(message, hint="Use letters, digits, hyphen and underscore.")
    refs = _read_refs(table)
    return Environment(
        name=name,
        folder=root / name,
        refs=refs,
        branches=_read_branches(table),
        is_signed=table.take("signed", default=False),
        needs_request=table.take("requested", default=bool(refs)),
        keep=_read_keep(table),
        user=_read_user(table),
        settings=_read_settings(table.take("settings", {}), name, root),
    )


def _read_refs(table: _Table) -> tuple[str, ...]:
    refs = table.take("refs", [])
    if not all(isinstance(ref, str) and ref.startswith("refs/") for ref in refs):
        table.refuse("refs", "are not whole names of refs", "Write them as refs/tags/prod-*.")
    if bool(refs) == bool(table.take("branches", "")):
        message = f"{table.where} must have refs or branches, and not both."
        raise SettingsError(
            message, hint="An environment runs one ref, or each branch by itself, as in a mirror."
        )
    return tuple(refs)


def _read_branches(table: _Table) -> str:
    branches: str = table.take("branches", "")
    problem = _find_problem(branches)
    if problem:
        table.refuse("branches", f"is no regular expression: {problem}", "As: feature/.*|dev-.*")
    return branches


def _find_problem(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        return str(error)
    return ""


def _read_keep(table: _Table) -> int:
    keep: int = table.take("keep", 5)
    if keep < 1:
        table.refuse("keep", "is too small", "The release that is in use always stays.")
    return keep


def _read_user(table: _Table) -> str:
    user: str = table.take("user", "")
    if table.take("branches", "") and not user:
        message = f"{table.where} runs branches, but says no user."
        raise SettingsError(
            message,
            hint="Whoever can push a branch says what it does: name a user of the operating system "
            "that can open nothing of the other environments.",
        )
    return user


def _read_settings(tree: Mapping[str, Any], name: str, root: Path) -> Layer:
    layer = read_table(tree, DEPLOYMENT_FILE, (ENVIRONMENTS, name, "settings"))
    check({**BUILT_IN, **layer})
    return place(layer, root / name)


def _read_repository(table: _Table) -> str:
    repository: str = table.take("repository", "")
    if not repository:
        message = f"{DEPLOYMENT_FILE} lacks repository."
        raise SettingsError(message, hint="It is the address that git fetches from.")
    if has_password(repository):
        message = f"{DEPLOYMENT_FILE}: the address of the repository contains a password."
        raise SettingsError(message, hint="Give git a deploy key, or a credential helper.")
    return repository


def _read_project(table: _Table) -> PurePosixPath:
    project = PurePosixPath(table.take("project", ""))
    if project.is_absolute() or ".." in project.parts:
        table.refuse(
            "project", "lies outside of the repository", "Count it from the repository's top."
        )
    return project


def _is_secret(path: tuple[str, ...]) -> bool:
    return names_secret(path[-1])
