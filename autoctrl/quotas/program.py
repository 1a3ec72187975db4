"""Asks a program of a storage service; its complaints are no part of the answer."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

from autoctrl.errors import QuotaError
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_ANSWER = 1 << 20
LONGEST_REASON = 300


def run_program(words: Sequence[str], hint: str = "") -> str:
    """Return what a program prints.

    Raises ``QuotaError``, with this ``hint``, if it is not there or fails. Whoever calls is a
    process without threads that is ended in time, and the program with it.
    """
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            preexec_fn=_die_with_parent,
            check=False,
        )
    except OSError as error:
        message = f"The program {words[0]} cannot be run: {error.strerror}."
        raise QuotaError(message, hint="It must be installed, and on the PATH.") from error
    said = done.stdout[:LONGEST_ANSWER].decode(errors="backslashreplace")
    if done.returncode:
        error_text = done.stderr.decode(errors="backslashreplace").strip() or said.strip()
        reason = " ".join(error_text.split())[:LONGEST_REASON] or "it did not say why"
        message = f"{words[0]} failed with exit code {done.returncode}: {reason}"
        raise QuotaError(message, hint=hint)
    return said


def _die_with_parent() -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
