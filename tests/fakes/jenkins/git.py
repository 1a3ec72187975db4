"""Git as the server uses it: the Jenkinsfile of a revision, branches, and a checkout."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from tests.fakes.jenkins.state import sha256

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
NO_REVISION = (
    "Couldn't find any revision to build. Verify the repository and branch configuration for this"
    " job."
)


class GitError(Exception):
    """A repository, a revision or a file that is not there."""


def git(*arguments: str, cwd: Path | None = None) -> str:
    """Run git and return what it says; GitError if it fails."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"git {arguments[0]}: {done.stderr.strip()}"
        raise GitError(message)
    return done.stdout


def mirror(url: str, home: Path) -> Path:
    """Return a copy of a repository with its newest heads and tags."""
    place = home / "caches" / sha256(url)[:16]
    if not place.exists():
        git("init", "-q", "--bare", str(place))
    refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    git("fetch", "-q", "--prune", "--no-auto-gc", url, *refs, cwd=place)
    return place


def resolve(place: Path, spec: str) -> str:
    """Return the commit of a BranchSpec: ``*/main``, ``refs/tags/x``, or 40 digits."""
    if re.fullmatch("[0-9a-f]{40}", spec):
        names = [spec]
    else:
        name = spec.removeprefix("*/").removeprefix("origin/")
        names = [name] if name.startswith("refs/") else [f"refs/heads/{name}"]
    try:
        return git("rev-parse", "--verify", f"{names[0]}^{{commit}}", cwd=place).strip()
    except GitError:
        raise GitError(NO_REVISION) from None


def show(place: Path, commit: str, path: str) -> str:
    """Return a file of a commit."""
    try:
        return git("show", f"{commit}:{path}", cwd=place)
    except GitError:
        message = f"Unable to find {path} from git"
        raise GitError(message) from None


def has(place: Path, commit: str, path: str) -> bool:
    """Say whether a commit has a file."""
    try:
        git("cat-file", "-e", f"{commit}:{path}", cwd=place)
    except GitError:
        return False
    return True


def branches(place: Path) -> dict[str, str]:
    """Return the branches and their commits."""
    lines = git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", cwd=place)
    pairs = (line.split() for line in lines.splitlines())
    return {name.removeprefix("refs/heads/"): commit for name, commit in pairs}


def check_out(place: Path, commit: str, workspace: Path) -> None:
    """Make a directory hold the files of a commit, whatever it held."""
    if not (workspace / ".git").exists():
        git("init", "-q", str(workspace))
    git("fetch", "-q", "--no-auto-gc", str(place), "+refs/*:refs/remotes/origin/*", cwd=workspace)
    git("checkout", "-q", "-f", "--detach", commit, cwd=workspace)
