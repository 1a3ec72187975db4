"""A release on disk: checked out, looked through before it is trusted, removed."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.config import FILE_NAME
from autoctrl.errors import DeploymentError
from autoctrl.files import write_whole
from autoctrl.git import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autoctrl.operations.deployment.clone import Clone
    from autoctrl.operations.deployment.layout import Place

POINTER = b"version https://git-lfs.github.com/spec/"
LONGEST_POINTER = 1024
GITLINK = "160000 "
SHOWN = 3
CACHES = ":(exclude,glob)**/__pycache__/**"


def check_out(place: Place, clone: Clone, commit: str) -> Path:
    """Return the folder of a commit's checkout, made if it is not there whole.

    Raises ``DeploymentError`` if it is there and was changed by hand; ``GitError`` or ``OSError``
    if it cannot be made, and then leaves nothing.
    """
    release = place.release(commit)
    known = commit_in(place, release)
    if known == commit:
        clone.adopt(release, commit, place.trash)
        refuse_changes(release)
        return release
    if known or release == place.current_release():
        message = f"{release} is not the checkout of {commit}."
        raise DeploymentError(message, hint="Find out who changed it, then remove it.")
    if os.path.lexists(release):  # a deployment was ended while it was made
        remove(place, release)
    release.parent.mkdir(parents=True, exist_ok=True)
    try:
        clone.add_worktree(release, commit)
        mark(place, commit, {})
    except (GitError, OSError):
        with suppress(OSError):
            remove(place, release)
        raise
    return release


def mark(place: Place, commit: str, modules: Mapping[str, list[str]]) -> None:
    """Write down that a commit's checkout is whole, and which workflows its modules declare.

    Raises ``OSError``.
    """
    content = json.dumps({"schema": 1, "commit": commit, "modules": modules}).encode()
    write_whole(place.marker(commit), content, is_durable=True, mode=0o644)


def commit_in(place: Place, release: Path) -> str:
    """Return the commit of a release that is whole, empty if it is not."""
    return str(_read_mark(place, release).get("commit", "")) if release.is_dir() else ""


def modules_in(place: Place, release: Path) -> dict[str, list[str]]:
    """Return the workflows that each module of a release declared when it was tried."""
    modules: dict[str, list[str]] = _read_mark(place, release).get("modules", {})
    return modules


def _read_mark(place: Place, release: Path) -> dict[str, Any]:
    try:
        content = json.loads((place.releases / f"{release.name}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def refuse_changes(release: Path) -> None:
    """Raise ``DeploymentError`` if somebody has changed a checkout since it was made."""
    words = ("status", "--porcelain", "-z", "--untracked-files=all", "--", ".", CACHES)
    listed = Git(release).run(*words).split("\0")
    changed = [line[3:] for line in listed if line]
    if changed:
        message = f"{release} was changed by hand: {_some(changed)}."
        raise DeploymentError(
            message, hint="Bring the change into the repository, and restore the folder."
        )


def look_through(place: Place, release: Path) -> list[str]:
    """Return what is to be remarked on a checkout.

    Raises ``DeploymentError`` for one without a project, with links that lead out of it, or with
    pointers in place of large files.
    """
    project = place.project_in(release)
    if not (project / FILE_NAME).is_file():
        message = f"There is no {FILE_NAME} in {project.relative_to(place.folder)}."
        raise DeploymentError(message, hint="Is project set right in deployment.toml?")
    outside = [path for path in _walk(release) if path.is_symlink() and _leads_out(path, release)]
    if outside:
        message = f"Links lead out of the checkout: {_some(_inside(outside, release))}."
        raise DeploymentError(message, hint="Replace them by files.")
    pointers = [path for path in _walk(project) if _is_pointer(path)]
    if pointers:
        message = (
            f"Git LFS keeps {_some(_inside(pointers, release))} elsewhere, and only a pointer is "
            "in the checkout."
        )
        raise DeploymentError(
            message, hint="Large files are no part of a deployment: keep them among the inputs."
        )
    return _remark_submodules(release)


def _remark_submodules(release: Path) -> list[str]:
    listed = Git(release).run("ls-files", "--stage", "-z").split("\0")
    links = [line.partition("\t")[2] for line in listed if line.startswith(GITLINK)]
    return (
        [f"Submodules are not fetched; these folders are empty: {_some(links)}."] if links else []
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield every file and link below a folder, git's own apart; links are not followed."""
    for where, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        links = (name for name in folders if Path(where, name).is_symlink())
        yield from (Path(where, name) for name in (*files, *links))


def _leads_out(link: Path, release: Path) -> bool:
    target = os.path.realpath(link)
    return not Path(target).is_relative_to(os.path.realpath(release))


def _is_pointer(path: Path) -> bool:
    if path.is_symlink() or path.stat().st_size > LONGEST_POINTER:
        return False
    return path.read_bytes().startswith(POINTER)


def _inside(paths: list[Path], release: Path) -> list[str]:
    return [str(path.relative_to(release)) for path in paths]


def _some(names: list[str]) -> str:
    shown = ", ".join(ascii(name)[1:-1] for name in sorted(names)[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def remove(place: Place, release: Path) -> None:
    """Remove a checkout: out of the way in one step, then from the disk. Raises ``OSError``."""
    place.trash.mkdir(parents=True, exist_ok=True)
    (place.releases / f"{release.name}.json").unlink(missing_ok=True)
    release.rename(place.trash / f"{release.name}.{secrets.token_hex(4)}")
    empty_trash(place)


def empty_trash(place: Place) -> None:
    """Remove what was put out of the way, also by a deployment that was ended meanwhile."""
    for left in place.trash.iterdir() if place.trash.is_dir() else ():
        shutil.rmtree(left, ignore_errors=True)
