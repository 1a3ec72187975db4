"""The bare clone that releases are taken from: made, brought up to date, asked what a ref is."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config.deployment import BRANCHES, RELEASES
from autoctrl.errors import DeploymentError
from autoctrl.git import FETCH_LIMIT_S, Git, failure
from autoctrl.operations.deployment.refs import TAG, read_listing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# What a git that was killed leaves, and what the next one would stop at.
LEFTOVERS = ("*.lock", "refs/**/*.lock", "worktrees/*/*.lock", "worktrees/*/locked")
PLACES = (f"*/{RELEASES}/*", f"{BRANCHES}/*/{RELEASES}/*")  # of checkouts, beside a clone
NAMES = "refs/deploy"  # our names for what was fetched: theirs may contradict one another


class Clone:
    """A bare clone; whoever works in it holds its lock, which git keeps if we are killed."""

    def __init__(self, folder: Path, address: str, kept_open: Collection[int] = ()) -> None:
        """Work in the clone at ``folder``, of the repository at ``address``."""
        self.folder = folder
        self.address = address
        self.git = Git(folder, address, kept_open)
        self._kept_open = kept_open

    def prepare(self) -> None:
        """Make the clone if there is none, and remove the locks of a git that was killed in it."""
        if not self.folder.exists():
            draft = self.folder.with_name(f"{self.folder.name}.new")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            Git(draft, "", self._kept_open).run("init", "--quiet", "--bare", "--template=")
            draft.rename(self.folder)
        for pattern in LEFTOVERS:
            for left in self.folder.glob(pattern):
                left.unlink(missing_ok=True)
        self._find_moved()

    def _find_moved(self) -> None:
        """Find the checkouts again after all of the installation was moved to another folder."""
        known = {file.read_text().strip() for file in self.folder.glob("worktrees/*/gitdir")}
        above = self.folder.parent
        there = [path for place in PLACES for path in above.glob(f"{place}/.git")]
        lost = [str(path.parent) for path in there if str(path) not in known]
        if lost:
            self.git.ask("worktree", "repair", *lost)

    def list_refs(self) -> dict[str, str]:
        """Ask the repository for its tags and branches, and return the commit of each."""
        words = ("ls-remote", "--quiet", "--tags", "--heads", "--end-of-options", self.address)
        return read_listing(self.git.run(*words))

    def fetch(self, refs: Sequence[str]) -> None:
        """Fetch these refs, given by their full names, as they stand now."""
        pairs = [f"+{ref}:{name_of(ref)}" for ref in refs]
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        words = ("fetch", *options, "--end-of-options", self.address, *pairs)
        self.git.run(*words, limit_s=FETCH_LIMIT_S)

    def commit_of(self, ref: str) -> str:
        """Return the commit at which a fetched ref stands.

        Raises ``DeploymentError`` for a tag of something else.
        """
        found = self.git.ask("rev-parse", "--verify", "--quiet", f"{name_of(ref)}^{{commit}}")
        if not found.is_good:
            message = f"{ref} names no commit."
            raise DeploymentError(message, hint="Set the tag anew, at a commit.")
        return found.out.strip()

    def committed_at(self, commit: str) -> int:
        """Return when a commit was made, seconds since 1970, as its author's clock had it."""
        return int(self.git.run("show", "--no-patch", "--format=%ct", commit))

    def check_signature(self, ref: str) -> None:
        """Raise ``DeploymentError`` unless a fetched tag is signed by somebody whom we trust.

        The name within the signed tag must be that of the ref: else an old tag could be put in
        place of a new one.
        """
        tag = self.git.run("rev-parse", "--verify", name_of(ref)).strip()
        verdict = self.git.ask("verify-tag", tag)
        if not verdict.is_good:
            why = failure(f"{ref} is not signed as it must be; git verify-tag", verdict.err)
            raise DeploymentError(
                why.message, hint="Sign it: git tag -s. Whom we trust: docs/howto/deploy.md."
            )
        said = re.search(r"^tag (.*)$", self.git.run("cat-file", "tag", tag), re.MULTILINE)
        if said is None or f"{TAG}{said[1]}" != ref:
            name = "no name" if said is None else said[1]
            message = f"{ref} holds a signed tag that is called {name}: it was put in its place."
            raise DeploymentError(message, hint="Find out who moved it.")

    def add_worktree(self, folder: Path, commit: str) -> None:
        """Check a commit out into a folder of its own, which must not exist."""
        self.git.run("worktree", "prune", "--expire=now")
        words = (
            "worktree",
            "add",
            "--quiet",
            "--force",
            "--force",
            "--detach",
            str(folder),
            commit,
        )
        self.git.run(*words, limit_s=FETCH_LIMIT_S)

    def adopt(self, folder: Path, commit: str, trash: Path) -> None:
        """Let a whole checkout of a commit be one of this clone's, if that was made anew meanwhile.

        What is in the folder stays as it is. ``trash`` is a folder for what is not needed long.
        """
        if Git(folder).ask("rev-parse", "--quiet", "HEAD").is_good:
            return
        trash.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=trash), folder.name)
        words = ("worktree", "add", "--quiet", "--no-checkout", "--detach", str(draft), commit)
        self.git.run(*words)
        Git(draft).run("read-tree", "HEAD")
        (draft / ".git").replace(folder / ".git")
        self.git.run("worktree", "repair", str(folder))

    def prune(self) -> None:
        """Forget the worktrees whose folders are gone."""
        self.git.run("worktree", "prune", "--expire=now")


def name_of(ref: str) -> str:
    """Return the name under which a ref is kept in the clone."""
    return f"{NAMES}/{hashlib.sha256(ref.encode()).hexdigest()[:24]}"
