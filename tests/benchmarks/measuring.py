"""What a command costs: wall time, CPU time and peak memory of the process and all that it waited
for.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LIMIT_S = 900.0
LAST_CHARACTERS = 2000


class Sample(NamedTuple):
    """One measurement of one command.

    wall_s    seconds from start to end
    cpu_s     seconds of processor time, children included
    peak_mib  largest resident memory of any single process in it, MiB
    """

    wall_s: float
    cpu_s: float
    peak_mib: float


def measure(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Sample:
    """Run a command to its end in ``folder``. Raises ``RuntimeError`` with its last words if it
    fails or hangs.

    This process must stay smaller than what it measures: between fork and exec a child counts as
    large as its parent.
    """
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=printed, stderr=printed
        )
        killer = threading.Timer(LIMIT_S, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            words = printed.read().decode(errors="replace")[-LAST_CHARACTERS:]
            message = f"{' '.join(map(str, command))} ended with {process.returncode}: {words}"
            raise RuntimeError(message)
    return Sample(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
