"""The command line on a terminal of its own, as a person at a desk sees it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TERMINAL_S = 200


def in_terminal(folder: Path, *words: str, **variables: str) -> str:
    """Call the command on a terminal of its own and return everything that it showed."""
    screen, end = pty.openpty()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TERM": "xterm",
        "COLUMNS": "120",
        **variables,
    }
    command = [sys.executable, "-m", "autoctrl.cli", *words]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=end, stdout=end, stderr=end
    ) as process:
        os.close(end)
        shown, deadline = b"", time.monotonic() + TERMINAL_S
        while time.monotonic() < deadline:
            has_ended = process.poll() is not None
            is_readable = bool(select.select([screen], [], [], 0 if has_ended else 1)[0])
            if has_ended and not is_readable:
                break
            try:
                shown += os.read(screen, 1 << 16) if is_readable else b""
            except OSError:
                break  # the other end of the terminal was closed
        process.wait(TERMINAL_S)
    os.close(screen)
    return shown.decode()
