"""What made a version: described once, written once, named by its digest."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

import autoctrl
from autoctrl.config.release import release_of
from autoctrl.errors import UsageError
from autoctrl.files import write_whole
from autoctrl.model.names import BODIES
from autoctrl.model.secret import REDACTED, is_secret_name, without_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autoctrl.handlers.handler import Handler

ALLOWED = re.compile(
    r"(PATH|LD_LIBRARY_PATH|PYTHONPATH|LANG|LC_.*|TZ|ROOTSYS|CMSSW_.*|SCRAM_ARCH|CONDOR_CONFIG|AUTOCTRL_.*)\Z"
)
CODE = (
    ".",
    ":(exclude,glob)**/__pycache__/**",
)  # Python's caches, which change whenever the code runs
GIT_LIMIT_S = 10


def describe(
    handler: Handler, settings_digest: str, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the description of what makes this workflow's versions now; values that look secret
    are redacted.
    """
    import platform

    return {
        "schema": 1,
        "autoctrl": autoctrl.__version__,
        "python": platform.python_version(),
        "code": commit_of(handler.folder),
        "settings": settings_digest,
        "handler": redact(handler.description),
        "environment": select_allowed(environ),
    }


def select_allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables on the allow-list, those that look secret without their value."""
    return {
        name: _shown(name, value) for name, value in sorted(environ.items()) if ALLOWED.match(name)
    }


def redact(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values with ``(redacted)`` for those whose name looks secret, and for
    passwords in addresses.
    """
    return {name: _shown(name, value) for name, value in values.items()}


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 - a description holds anything
    if is_secret_name(name) and value:
        return REDACTED
    if isinstance(value, dict):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_shown("", item) for item in value]
    return without_passwords(value) if isinstance(value, str) else value


def commit_of(folder: Path) -> dict[str, Any]:
    """Return the commit of the folder's code and whether it is clean; both None outside a
    repository or without git.
    """
    commit = _git(folder, "log", "-1", "--format=%H", "--", *CODE)
    if not commit:
        return {"commit": None, "is_clean": None}
    changes = _git(folder, "status", "--porcelain", "--", *CODE)
    return {"commit": commit, "is_clean": changes == ""}


def deviation(folder: Path, wanted: str) -> str:
    """Say which code the folder has if it differs from that of commit ``wanted``; empty if it does
    not.
    """
    found = commit_of(folder)
    at = str(found["commit"] or "no commit")[:12]
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{wanted}^{{commit}}"
    )
    if not commit or _git(folder, "diff", "--quiet", commit, "HEAD", "--", *CODE) is None:
        return at
    return "" if found["is_clean"] else f"{at} with changes that are not committed"


def _git(folder: Path, *words: str) -> str | None:
    real = folder.resolve()
    release = release_of(real)
    if release is not None and _is_trusted(release):
        return _git_in_release(real, release, words)
    import subprocess

    command = ["git", "-C", str(folder), *words]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _git_in_release(folder: Path, release: Path, words: Sequence[str]) -> str | None:
    """Run git in a checkout that was deployed: nothing that came with it is executed."""
    from autoctrl.git import Git, GitError

    try:
        answer = Git(folder, trusted=release).ask(*words, limit_s=GIT_LIMIT_S)
    except GitError:
        return None
    return answer.out.strip() if answer.is_good else None


def _is_trusted(release: Path) -> bool:
    """Say whether a checkout belongs to root or to us, so that nobody else can have changed it."""
    try:
        return release.stat().st_uid in {0, os.geteuid()}
    except OSError:
        return False


def write_body(state_folder: Path, description: Mapping[str, Any]) -> str:
    """Write a description as a file named by its digest, once; return the digest."""
    body = json.dumps(description, sort_keys=True, indent=1).encode()
    digest = hashlib.sha256(body).hexdigest()
    path = body_path(state_folder, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, body, is_durable=True)
    return digest


def read_body(state_folder: Path, digest: str) -> dict[str, Any]:
    """Return the description behind a digest. Raises ``UsageError`` if its file is gone."""
    try:
        body: dict[str, Any] = json.loads(body_path(state_folder, digest).read_bytes())
    except FileNotFoundError as error:
        message = (
            f"The description {digest[:12]} of this version is not in "
            f"{state_folder / BODIES} any more."
        )
        raise UsageError(message, hint="Restore that folder from a backup.") from error
    return body


def body_path(state_folder: Path, digest: str) -> Path:
    """Return the path of the body with this digest."""
    return state_folder / BODIES / digest[:2] / f"{digest}.json"
