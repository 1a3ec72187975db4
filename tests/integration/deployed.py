"""Projects as they lie where they were deployed, taken from a real repository."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NOBODY = 65534
PLAIN: Mapping[str, str] = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}
PRODUCTION = """
repository = "https://git.example.org/automation.git"

[environments.production]
refs = ["refs/tags/prod-*"]

[environments.production.settings.store]
url = "sqlite:records.sqlite"

[environments.production.settings.notifiers.chat]
type = "mattermost"
url = "https://chat.example.org"
token_file = "secrets/bot"
team = "ecal"
channel = "prod-alerts"
"""
MIRROR = """
[environments.mirror]
branches = "feature/.*|dev-.*"
user = "nobody"
"""


class Repository(NamedTuple):
    """A repository that people push to.

    address  the bare repository
    work     somebody's clone
    """

    address: Path
    work: Path

    def push(self, branch: str, files: Mapping[str, str]) -> str:
        """Push a branch with these files and no others; return its commit."""
        git(self.work, "checkout", "-q", "--orphan", branch)
        git(self.work, "rm", "-rfq", "--ignore-unmatch", ".")
        write(self.work, files)
        git(self.work, "add", "--all")
        git(self.work, "commit", "-qm", f"Try {branch}")
        git(self.work, "push", "-q", "--force", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")


def make_repository(folder: Path) -> Repository:
    """Make an empty repository, and a clone of somebody who pushes to it."""
    address, work = folder / "automation.git", folder / "work"
    for made in (address, work):
        made.mkdir(parents=True)
    git(address, "init", "-q", "--bare")
    git(work, "init", "-q")
    git(work, "remote", "add", "origin", str(address))
    return Repository(address, work)


def git(folder: Path, *words: str) -> str:
    """Call git in a folder, by nobody in particular, and return what it prints."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", "-C", str(folder), *who, *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env={**PLAIN}
    )
    return done.stdout.strip()


def check_out(repository: Repository, commit: str, folder: Path) -> Path:
    """Take a commit into ``folder/releases``, make it the current one, and return its folder."""
    clone = folder / "repository.git"
    if not clone.is_dir():
        clone.mkdir(parents=True)
        git(clone, "clone", "-q", "--bare", str(repository.address), ".")
    git(clone, "fetch", "-q", str(repository.address), commit)
    release = folder / "releases" / commit[:12]
    release.parent.mkdir(parents=True, exist_ok=True)
    git(clone, "worktree", "add", "-q", "--detach", str(release), commit)
    point(folder, release)
    return release


def point(folder: Path, release: Path) -> None:
    """Make a release the current one, by one rename."""
    draft = folder / "current.new"
    draft.symlink_to(release)
    draft.rename(folder / "current")


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder, and return that."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def as_nobody(work: Callable[[], Any], before: Callable[[], Any] = int) -> Any:
    """Do something as another user of the system, in a child, and return its result, JSON.

    ``before`` is done there first, as ourselves: it may import what the other user cannot read.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_nobody(work, before, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.waitpid(pid, 0)
    is_done, result = json.loads(answer)
    assert is_done, result
    return result


def _be_nobody(work: Callable[[], Any], before: Callable[[], Any], writing: int) -> None:
    try:
        before()
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        answer = (True, work())
    except BaseException as error:  # noqa: BLE001 - the parent hears of it
        answer = (False, repr(error))
    with os.fdopen(writing, "w") as stream:
        json.dump(answer, stream)
    os._exit(0)
