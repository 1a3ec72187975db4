"""Campaigns that are pinned to a commit go on in the release of that commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.config.release import SHORT_COMMIT, release_of
from autoctrl.model.campaign import read_campaign

if TYPE_CHECKING:
    from pathlib import Path


def at_code(project: Project, campaign: str) -> Project:
    """Return an open project, opened anew in the release of the code that a campaign wants.

    It is the same one where the campaign wants none, and where that release is gone.
    """
    if release_of(project.folder) is None:
        return project
    known = {mark.name: mark for mark in project.store.marks("campaign")}
    code = read_campaign(known[campaign]).code if campaign in known else None
    folder = folder_at(project.folder, code)
    if folder == project.folder:
        return project
    project.close()
    return Project(load_settings(folder), project.clock)


def folder_at(project: Path, code: str | None) -> Path:
    """Return the folder of a deployed project in the release of a commit, while that is kept.

    ``code`` is a commit, perhaps its first digits. The project's own folder where it was not
    deployed, where no commit is wanted, and where its release is gone.
    """
    release = release_of(project)
    if release is None or not code:
        return project
    for mark in sorted(release.parent.glob(f"{_legal(code)}*.json")):
        other = release.parent / mark.stem
        if _commit(mark).startswith(code) and other.is_dir():
            return other / project.relative_to(release)
    return project


def _legal(code: str) -> str:
    """Return the beginning of a release's name, such that nothing else fits."""
    is_commit = all(letter in "0123456789abcdef" for letter in code)
    return code[:SHORT_COMMIT] if is_commit else "none"


def _commit(mark: Path) -> str:
    try:
        return str(json.loads(mark.read_bytes())["commit"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""
