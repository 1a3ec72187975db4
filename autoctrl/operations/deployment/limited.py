"""Programs that run what a ref says: they get a time, and may print without end."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_KEPT = 1 << 22
PIECE = 1 << 20  # no pipe holds more
PAUSE_S = 0.1


class Said(NamedTuple):
    """What a program said: its exit code, negative for a signal, and the ends of its outputs."""

    code: int
    out: str
    err: str


def last_words(said: Said) -> str:
    """Return the last line of what a program complained of."""
    lines = said.err.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def run_limited(command: Sequence[str], environment: Mapping[str, str], limit_s: float) -> Said:
    """Run a program until it ends, and end with it what is left of its group.

    Of each output the last ``MOST_KEPT`` bytes are kept; who goes on printing afterwards, with an
    output that was inherited, is not waited for. Raises ``DeploymentError`` where the program
    cannot be started, or is not done in time.
    """
    try:
        child = subprocess.Popen(
            command,
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        message = f"{command[0]} cannot be run: {error.strerror}."
        raise DeploymentError(message) from error
    with child:
        try:
            out, err = _listen(child, limit_s)
        finally:
            os.killpg(child.pid, signal.SIGKILL)  # nobody has asked for its exit code yet
    return Said(child.returncode, out, err)


def _listen(child: subprocess.Popen[bytes], limit_s: float) -> tuple[str, str]:
    """Return the ends of what a program prints. Raises ``DeploymentError`` after ``limit_s``."""
    deadline = time.monotonic() + limit_s
    kept = {stream.fileno(): bytearray() for stream in (child.stdout, child.stderr) if stream}
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            is_over = _has_ended(child.pid)
            for key, _ in selector.select(0 if is_over else PAUSE_S):
                if not _take(key.fd, kept[key.fd]):
                    selector.unregister(key.fd)
            if is_over:
                return _spell(kept)
    message = f"The trial gave no answer within {limit_s:g} s and was ended."
    raise DeploymentError(message, hint="Look for an endless loop in a handler.")


def _has_ended(pid: int) -> bool:
    """Say whether a child has ended; its exit code stays to be asked for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _take(descriptor: int, kept: bytearray) -> bool:
    """Read what is there of an output; say whether more may come."""
    piece = os.read(descriptor, PIECE)
    kept += piece
    if len(kept) > 2 * MOST_KEPT:
        del kept[:-MOST_KEPT]
    return bool(piece)


def _spell(kept: Mapping[int, bytearray]) -> tuple[str, str]:
    out, err = (bytes(buffer).decode(errors="replace") for buffer in kept.values())
    return out, err
