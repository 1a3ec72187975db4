"""Asks a program of a storage service; its complaints are no part of the answer."""

from __future__ import annotations

import os
import selectors
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

    Raises ``QuotaError``, with this ``hint``, if it is not there, fails, or prints more than 1 MiB.
    Whoever calls is a process without threads that is ended in time, and the program with it. A
    child that the program leaves behind is not waited for.
    """
    try:
        program = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - there are no threads
        )
    except OSError as error:
        message = f"The program {words[0]} cannot be run: {error.strerror}."
        raise QuotaError(message, hint="It must be installed, and on the PATH.") from error
    with program:
        said, complaint = (text.decode(errors="backslashreplace") for text in _read_both(program))
    if program.returncode:
        reason = " ".join((complaint.strip() or said).split())[:LONGEST_REASON]
        message = (
            f"{words[0]} failed with exit code {program.returncode}: "
            f"{reason or 'it did not say why'}"
        )
        raise QuotaError(message, hint=hint)
    return said


def _read_both(program: subprocess.Popen[bytes]) -> list[bytes]:
    """Return what a program has printed to stdout and stderr by its end."""
    said: dict[int, bytes] = {}
    with (
        selectors.DefaultSelector() as selector,
        os.fdopen(os.pidfd_open(program.pid), "rb", buffering=0) as end,
    ):
        selector.register(end, selectors.EVENT_READ)
        for stream in filter(None, (program.stdout, program.stderr)):
            said[selector.register(stream, selectors.EVENT_READ).fd] = b""
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if ready == {end.fileno()}:  # it has ended, and nothing is left to be read
                return [*said.values()]
            for pipe in said.keys() & ready:
                piece = os.read(pipe, LONGEST_ANSWER)
                said[pipe] += piece
                if not piece:
                    selector.unregister(pipe)
            if max(map(len, said.values())) > LONGEST_ANSWER:
                program.kill()
                message = "The program prints without end."
                raise QuotaError(message, hint="Run it by hand and see what it says.")


def _die_with_parent() -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
