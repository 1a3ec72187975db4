"""The one place that runs git on what others have written: names, branches, trees are data.

No hook, filter, submodule, pager or helper of theirs is ever started, no configuration but that of
the clone is read, and no transport is open but the one that the repository's address needs.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError
from autoctrl.model.secret import has_password, without_passwords
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

LIMIT_S = 60.0
FETCH_LIMIT_S = 600.0
LONGEST_REASON = 300
COMPLAINT = re.compile(r"(?:^|\s)(?:error|fatal): ")
# What the administrator's environment may say: where programs, keys, agents and proxies are.
KEPT = re.compile(
    r"(PATH|HOME|USER|LOGNAME|TMPDIR|LD_LIBRARY_PATH|SSH_AUTH_SOCK|GIT_SSH(_COMMAND)?|GIT_ASKPASS|"
    r"GNUPGHOME|KRB5CCNAME|(HTTPS?|NO|ALL)_PROXY|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO)\Z",
    re.IGNORECASE,
)
FIXED = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PROTOCOL_FROM_USER": "0",
}
# Nothing of these is executed, whatever the clone's own configuration or a tree's attributes say.
HARMLESS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.pager": "cat",
    "log.showSignature": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "protocol.ext.allow": "never",
    "filter.lfs.smudge": "",
    "filter.lfs.clean": "",
    "filter.lfs.process": "",
    "filter.lfs.required": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
TRANSPORTS = {"https": "https", "ssh": "ssh", "file": "file"}
SCP_ADDRESS = re.compile(r"[\w.][\w.-]*@[\w.][\w.-]*:[^:].*")
# What git says, and what that means for people.
MEANINGS = (
    (r"No space left on device|Disk quota exceeded", "the disk is full", "Make room, then repeat."),
    (
        r"unable to (write|create)",
        "a file cannot be written",
        "See whether the disk is full, and whose the folder is, then repeat.",
    ),
    (
        r"Authentication failed|could not read (Username|Password)|Permission denied \(|HTTP Basic",
        "the repository does not let us in",
        "See how the administrator's credentials are given: docs/howto/deploy.md.",
    ),
    (
        (
            r"Could not (resolve|connect)|Connection (refused|timed out|reset)|unable to access|"
            r"does not appear to be a git repository|early EOF"
        ),
        "the repository cannot be reached",
        "Look at the repository's address in deployment.toml, and whether its server answers.",
    ),
    (
        r"dubious ownership",
        "a folder of it belongs to somebody else, who could make us run anything",
        (
            "Run this as the clone's owner, or remove the clone, which is made anew; a repository "
            "that is a folder must belong to whoever fetches from it: else use ssh or https."
        ),
    ),
)


class GitError(AutoctrlError):
    """Git could not do what it was asked."""


class Answer(NamedTuple):
    """What one call of git gave: exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def is_good(self) -> bool:
        """Say whether it ended well."""
        return self.code == 0


class Git:
    """A repository on disk, and git running in it."""

    def __init__(
        self,
        folder: Path,
        address: str = "",
        kept_open: Collection[int] = (),
        trusted: Path | None = None,
    ) -> None:
        """Work in ``folder``, with the repository at ``address``, nowhere else.

        ``kept_open`` are descriptors that a git that outlives us keeps open, such as a lock's.
        ``trusted`` is a worktree that may belong to somebody else.
        """
        self.folder, self.address, self.kept_open = folder, address, kept_open
        self._top = trusted if trusted is not None else folder
        trust = {"safe.directory": str(trusted)} if trusted is not None else {}
        self._settings = {**HARMLESS, **trust}

    def ask(self, *words: str, limit_s: float = LIMIT_S) -> Answer:
        """Run git with these words, and return what came of it.

        Raises ``GitError`` where git is missing or does not end within ``limit_s``.
        """
        settings = [
            word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")
        ]
        command = ["git", "-C", str(self.folder), *settings, *words]
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(self._top, self.address),
                start_new_session=True,
                pass_fds=self.kept_open,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - no other thread is at work
            )
        except OSError as error:
            message = f"git cannot be run in {self.folder}: {error.strerror}."
            raise GitError(
                message, hint="Install git, and see that the folder is there."
            ) from error
        return self._wait(child, words[0], limit_s)

    def _wait(self, child: subprocess.Popen[bytes], verb: str, limit_s: float) -> Answer:
        with child:
            try:
                out, err = child.communicate(timeout=limit_s)
            except BaseException as error:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)  # with what it started
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                message = f"git {verb} did not end within {limit_s:g} s and was ended."
                raise GitError(message, hint="See whether the repository answers.") from error
        texts = (piece.decode("utf-8", "surrogateescape") for piece in (out, err))
        return Answer(child.returncode, *texts)

    def run(self, *words: str, limit_s: float = LIMIT_S) -> str:
        """Run git with these words, and return what it printed.

        Raises ``GitError`` as ``ask`` does, and with the reason where it ends badly.
        """
        answer = self.ask(*words, limit_s=limit_s)
        if not answer.is_good:
            what = f"git {words[0]}"
            raise failure(what, answer.err)
        return answer.out


def environment(top: Path, address: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables with which git runs: few of ours, and those that make it harmless.

    It looks for no repository above ``top``.
    """
    kept = {name: value for name, value in environ.items() if KEPT.match(name)}
    transport = transport_of(address) if address else ""
    bounds = {"GIT_ALLOW_PROTOCOL": transport, "GIT_CEILING_DIRECTORIES": str(top.parent)}
    return {**kept, **FIXED, **bounds}


def transport_of(address: str) -> str:
    """Return the only transport that a repository's address needs: https, ssh or file.

    Raises ``GitError`` for an address with another, with a password, or that would be an option.
    """
    shown = without_passwords(address)
    hint = "Write it as https://host/group/project.git, ssh://… or an absolute path."
    if has_password(address):
        message = f"The repository's address {shown} holds a password."
        raise GitError(message, hint="Give credentials as docs/howto/deploy.md says.")
    scheme, colon, _ = address.partition("://")
    if colon and scheme in TRANSPORTS:
        return TRANSPORTS[scheme]
    if not colon and SCP_ADDRESS.fullmatch(address):
        return "ssh"
    if address.startswith("/") and "\n" not in address:
        return "file"
    message = f"The repository's address {shown!r} is of no kind that is used."
    raise GitError(message, hint=hint)


def failure(what: str, said: str) -> GitError:
    """Return the error that says what git complained of, in people's words where they are known."""
    words = " ".join(without_passwords(said).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in words)
    for pattern, meaning, hint in MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return GitError(f"{what} failed: {meaning} ({_short(text)}).", hint=hint)
    return GitError(f"{what} failed: {_short(text)}.")


def _short(text: str) -> str:
    """Return the first complaint, of which others are the consequence."""
    first = next(filter(None, COMPLAINT.split(text)[1:]), text)
    return (first[:LONGEST_REASON].rstrip(".") or "it says nothing").strip()


def _end_with_parent() -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
