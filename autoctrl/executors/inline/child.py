"""The process in which functions are called, seen from both of its ends."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from autoctrl.model.job import FileInfo
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autoctrl.executors.inline.started import StartedCalls
    from autoctrl.ports import JobOrder

PIPE_BYTES = 1 << 16


class CallReport(NamedTuple):
    """What a call came to, as it travels from the child to the parent.

    error    why it failed, empty if it did not
    remark   what of its fields was left out, empty if nothing was
    fields   custom fields that the function returned
    files    the declared outputs; of one that is missing the size is -1
    wall_s, cpu_s  seconds
    """

    error: str
    remark: str
    fields: Mapping[str, float | str]
    files: Sequence[FileInfo]
    wall_s: float
    cpu_s: float


class EndedCall(NamedTuple):
    """A call that has ended, and what it printed."""

    call: CallReport
    text: bytes


class Child:
    """A process that makes calls, one after the other, and reports each as soon as it has ended."""

    def __init__(
        self,
        orders: Sequence[JobOrder],
        call: Callable[[JobOrder], CallReport],
        started: StartedCalls,
        printed: Any,  # noqa: ANN401 - a temporary file, which has no public type
    ) -> None:
        """Start it; ``printed`` takes what the calls print."""
        self.printed = printed
        self._shown_bytes = 0
        self._rest = b""
        self._reports, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._reports)
            _be_child(orders, call, started, _Ends(writing, printed.fileno(), parent))
        os.close(writing)

    def reports(self, wait_s: float) -> list[EndedCall] | None:
        """Return the calls that ended since the last look; None if the child itself has ended."""
        if not select.select([self._reports], [], [], wait_s)[0]:
            return []
        piece = os.read(self._reports, PIPE_BYTES)
        if not piece:
            return None
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [self._read(line) for line in lines]

    def _read(self, line: bytes) -> EndedCall:
        end, *values = json.loads(line)
        call = CallReport(*values)
        files = [FileInfo(*file) for file in call.files]
        return EndedCall(call._replace(files=files), self._printed_up_to(end))

    def _printed_up_to(self, end: int) -> bytes:
        begin, self._shown_bytes = self._shown_bytes, end
        return os.pread(self.printed.fileno(), end - begin, begin)

    def unread(self) -> bytes:
        """Return what a call that never ended has printed."""
        return self._printed_up_to(os.fstat(self.printed.fileno()).st_size)

    def end(self, *, is_over: bool) -> int:
        """End the child if it still runs, with everything it started; return its wait status."""
        os.close(self._reports)
        ended, status = os.waitpid(self.pid, 0 if is_over else os.WNOHANG)
        if not ended:
            os.kill(self.pid, signal.SIGKILL)
            status = os.waitpid(self.pid, 0)[1]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return status


class _Ends(NamedTuple):
    """What the child has of its parent: the pipe to it, the file to print to, its number."""

    reports: int
    printed: int
    parent: int


def _be_child(
    orders: Sequence[JobOrder],
    call: Callable[[JobOrder], CallReport],
    started: StartedCalls,
    ends: _Ends,
) -> NoReturn:
    """Make the calls and report each; never return, nor run what the parent registered for exit."""
    try:
        _detach(ends)
        notes = started.open(orders[0].tag)
        with os.fdopen(ends.reports, "w") as pipe:
            for order in orders:
                os.write(notes, f"{order.tag}\n".encode())
                report = call(order)
                sys.stdout.flush()
                sys.stderr.flush()
                printed_bytes = os.lseek(1, 0, os.SEEK_CUR)
                pipe.write(json.dumps([printed_bytes, *report]) + "\n")
                pipe.flush()
    finally:
        os._exit(0)


def _detach(ends: _Ends) -> None:
    """Give the child a session and streams of its own, and let it die with its parent.

    Whoever takes over the work of a parent that died makes the call again.
    """
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != ends.parent:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream in (1, 2):
        os.dup2(ends.printed, stream)
