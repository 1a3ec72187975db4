"""Commands that begin warm: a process that has imported everything forks for each call.

Most of the time of a short command goes into imports. Where a test is not about how the command
starts, a *warm* process of the same interpreter stands ready: each call is a fork of it with
folder, environment, words and streams of its own, and ends as a program ends. Of that interpreter
it needs only the package under test.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.warm.calling import Call, begin, end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
ROOMS = ("autoctrl.cli", "autoctrl.machine", "autoctrl.views", "autoctrl.compose")
LIBRARIES = ("awkward", "uproot", "hist", "matplotlib.figure", "matplotlib.backends.backend_agg")
PROGRAM = """#!{python} -IS
import sys

sys.path[:0] = [{folder!r}]
from calling import stand_in

sys.exit(stand_in({socket!r}, {name!r}, sys.argv[1:]))
"""
busy_s = 0.0  # of all calls so far, which are no processes of ours


class Said(NamedTuple):
    """What a call gave: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class Warm:
    """A warm process for one program, and a folder that holds the program's stand-in."""

    def __init__(self, python: Path | str, program: str, rooms: Sequence[str]) -> None:
        """Start it; a call waits until it is ready."""
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="warm-"))
        self._path = str(self._folder / "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._path)
            listener.listen(64)
            self._process = subprocess.Popen(
                [python, HERE / "serving.py", str(listener.fileno()), *rooms],
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )
        self.programs = self._folder / "bin"
        self.programs.mkdir()
        text = {"python": python, "folder": str(HERE), "socket": self._path, "name": program}
        (self.programs / program).write_text(PROGRAM.format(**text))
        (self.programs / program).chmod(0o755)
        atexit.register(self.close)

    def call(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Said:
        """Call the program in a folder and wait for it."""
        global busy_s  # noqa: PLW0603 - one account for the whole session
        with ExitStack() as opened:
            files = [opened.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            streams = [one.fileno() for one in files]
            call = Call(self._program, words, str(folder), environment)
            ended = end(begin(self._path, call, streams)[0])
            busy_s += ended.busy_s
            texts = [os.pread(one.fileno(), 1 << 24, 0).decode() for one in files[1:]]
        return Said(ended.code, *texts)

    def close(self) -> None:
        """End it, once."""
        atexit.unregister(self.close)
        self._process.communicate()
        shutil.rmtree(self._folder)


@cache
def our_own() -> Warm:
    """Return the warm process of this interpreter, for the command ``autoctrl``."""
    return Warm(sys.executable, "autoctrl", ROOMS)


@cache
def installed(folder: str, program: str) -> Warm:
    """Return the warm process for a program of the installation whose programs lie in a folder."""
    rooms = {"autoctrl": ROOMS, "autoctrl-camera": (*LIBRARIES, "autoctrl.science")}
    return Warm(f"{folder}/python", program, rooms[program])
