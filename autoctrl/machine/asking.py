"""Questions that may hang for ever, as of a dead network mount: asked in a process of their own.

Not even a kill ends who touches one. So a process that must go on never does: a child does, and is
left behind where it cannot end.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from autoctrl.errors import AutoctrlError
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 20.0
LAST_LOOK_S = 0.01
LONGEST_ANSWER = 1 << 16
FIRST_OWN_FILE = 3  # after the standard ones


class Answer(NamedTuple):
    """What became of a question.

    value    the answer as JSON keeps it, None without one
    problem  why there is none, empty if there is one
    """

    value: Any = None
    problem: str = ""


class Asked:
    """A question that is being asked, in a child that has ``limit_s`` seconds."""

    def __init__(self, ask: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Ask at once. What ``ask`` returns must be such as JSON keeps."""
        self._limit_s = limit_s
        self._deadline = time.monotonic() + limit_s
        self._said = b""
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _answer(ask, writer, parent)
        os.close(writer)
        self._has_closed = False
        self._is_reaped = False

    def is_over(self, wait_s: float = 0.0) -> bool:
        """Say whether it has been answered or will not be, after waiting so long at most."""
        import select

        ends = min(time.monotonic() + wait_s, self._deadline)
        while not self._has_closed:
            left = ends - time.monotonic()
            if not select.select([self._reader], [], [], max(0.0, left))[0]:
                return time.monotonic() >= self._deadline
            self._read()
        return True

    def _read(self) -> None:
        piece = os.read(self._reader, LONGEST_ANSWER)
        self._said += piece
        self._has_closed = not piece

    def finish(self) -> Answer:
        """End the child, as far as it can be ended, and return what it said."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.has_gone(LAST_LOOK_S)
        os.close(self._reader)
        if not self._has_closed:
            return Answer(problem=f"It gave no answer within {self._limit_s:g} s.")
        try:
            return Answer(*json.loads(self._said))
        except ValueError:
            return Answer(problem="The process that asked it ended without an answer.")

    def has_gone(self, wait_s: float = 0.0) -> bool:
        """Say whether the child is gone; one in a system call that never ends stays for ever."""
        ends = time.monotonic() + wait_s
        while not self._is_reaped:
            self._is_reaped = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            if time.monotonic() >= ends:
                break
            time.sleep(LAST_LOOK_S / 10)
        return self._is_reaped


def _answer(ask: Callable[[], object], writer: int, parent: int) -> NoReturn:
    """Ask, in the child, and write down what was said; never return.

    Files of the parent are closed first: a child that stays behind must hold none of its locks.
    """
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.dup2(writer, FIRST_OWN_FILE)
            os.closerange(FIRST_OWN_FILE + 1, os.sysconf("SC_OPEN_MAX"))
            os.dup2(2, 1)  # what it prints must not mix with the command's own output
            os.write(FIRST_OWN_FILE, json.dumps(_ask(ask)).encode())
    finally:
        os._exit(0)


def _ask(ask: Callable[[], object]) -> Answer:
    try:
        return Answer(ask())
    except AutoctrlError as error:
        return Answer(problem=str(error))
    except Exception as error:  # noqa: BLE001 - a package that is not ours may raise anything
        return Answer(problem=f"{type(error).__name__}: {error}")
