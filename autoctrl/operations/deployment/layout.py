"""Where the releases of an environment, or of a branch of the mirror, lie on disk."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config.deployment import BRANCHES, RELEASES, REPOSITORY
from autoctrl.config.release import SHORT_COMMIT

if TYPE_CHECKING:
    from autoctrl.config.deployment import Deployment, Environment

CURRENT = "current"
LONGEST_SLUG = 40
SLUG_DIGITS = 6


class Place(NamedTuple):
    """Where releases of one environment or branch are.

    folder   what belongs to it alone
    clone    the bare clone that its releases are taken from
    project  folder of the project inside a release
    """

    folder: Path
    clone: Path
    project: PurePosixPath

    @property
    def releases(self) -> Path:
        """The folder of the checkouts."""
        return self.folder / RELEASES

    @property
    def current(self) -> Path:
        """The symbolic link to the release that is used; to switch is to rename it."""
        return self.folder / CURRENT

    @property
    def journal(self) -> Path:
        """The file that says what was deployed, when, by whom and why."""
        return self.folder / "deployments.jsonl"

    @property
    def trash(self) -> Path:
        """The folder of what is being removed."""
        return self.folder / "trash"

    @property
    def lock(self) -> Path:
        """The file whose lock a deployment holds; a branch's lies beside its folder, which goes."""
        if self.folder.parent.name == BRANCHES:
            return self.folder.with_name(f".{self.folder.name}.lock")
        return self.folder / ".lock"

    def release(self, commit: str) -> Path:
        """Return the folder of a commit's checkout."""
        return self.releases / commit[:SHORT_COMMIT]

    def marker(self, commit: str) -> Path:
        """Return the file that says that a commit's checkout is complete."""
        return self.releases / f"{commit[:SHORT_COMMIT]}.json"

    def project_in(self, release: Path) -> Path:
        """Return the project's folder inside a release."""
        return release / self.project

    def current_release(self) -> Path | None:
        """Return the folder of the release that is used, None before the first deployment."""
        try:
            name = Path(os.readlink(self.current)).name  # noqa: PTH115 - the text, not the target
        except OSError:
            return None
        return self.releases / name


def place_of(deployment: Deployment, environment: Environment, branch: str = "") -> Place:
    """Return the place of an environment that takes refs, or of a branch of a mirror.

    A mirror has a clone of its own: whoever may write there reaches no other environment.
    """
    folder, project = environment.folder, deployment.project
    if not environment.branches:
        return Place(folder, deployment.root / REPOSITORY, project)
    return Place(folder / BRANCHES / slug_of(branch), folder / REPOSITORY, project)


def slug_of(branch: str) -> str:
    """Return a name for a branch that suits folders and campaigns; other branches have others."""
    words = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:LONGEST_SLUG].strip("-")
    digits = hashlib.sha256(branch.encode()).hexdigest()[:SLUG_DIGITS]
    return f"{words}-{digits}" if words else digits


def campaign_of(branch: str) -> str:
    """Return the name of the campaign of a mirror in which a branch's runs are processed."""
    return f"branch-{slug_of(branch)}"
