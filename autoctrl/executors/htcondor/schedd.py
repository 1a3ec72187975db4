"""HTCondor as seen from here: every call is made by another process and has a deadline.

The deadline begins when that process (``bindings``) can be asked: on a busy machine, loading
HTCondor's library alone can take longer than an answer. The process may hang or be stopped at any
byte of an answer, so both directions of the pipe are waited for piece by piece, each wait with its
limit; the standard library's ``Connection`` waits for the first byte only.
"""

from __future__ import annotations

import marshal
import os
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import ExecutorError, ServiceDown, SubmitRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROGRAM = Path(__file__).with_name("bindings.py")
LENGTH = struct.Struct("<Q")  # of a request or an answer, before it
PIECE_BYTES = 1 << 20
START_S = 120.0  # how long the process that asks may take until it can be asked
SLICE_S = 1.0
LONGEST_WORDS = 300
LOOK = "Look at collector and config in [executors.<name>], and at that configuration."
NOT_ALLOWED = (
    "authenticat",
    "authoriz",
    "permission",
    "denied",
    "not allowed",
    "credential",
    "token",
)
REFUSALS = (
    "failed to create job ad",
    "submit:",
    "submit requirement",
    "exceed",
    "not permitted to submit",
    "parse error",
)


class BindingsAnswer(NamedTuple):
    """What came back: the class of an exception, empty for none, and its text or the answer."""

    error: str
    value: object


class Schedd:
    """One schedd.

    name       its name, empty for the one of HTCondor's configuration
    collector  where it is looked up, empty for that of the configuration
    config     file of the configuration, empty for the usual one
    """

    def __init__(self, name: str, collector: str = "", config: str = "") -> None:
        self.name, self.collector, self.config = name, collector, config
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints = os.memfd_create("calls")
        weakref.finalize(self, os.close, self._complaints)
        self._turn = threading.Lock()

    def call(
        self,
        function: str,
        deadline_s: float,
        *arguments: object,
        progress: Callable[[], object] | None = None,
    ) -> Any:  # noqa: ANN401 - differs from function to function
        """Return what ``bindings.Calls.<function>`` returns.

        ``progress`` returns something that differs as long as the call gets on; then the deadline
        begins anew. Raises ``ServiceDown`` if there is no answer in time or the service cannot do
        it, ``SubmitRefused`` for a clear no.
        """
        with self._turn:
            limit_s = ceil(deadline_s) + 1 if progress is None else 0
            request = marshal.dumps((function, limit_s, arguments))  # type: ignore[arg-type] # plain values only
            try:
                process = self._running()
                answer = self._ask(process, request, Patience(deadline_s, progress))
            except (OSError, EOFError, ValueError) as error:
                self._end()
                words = self._last_words()
                message = f"{self} did not answer: the process that asks it has ended{words}."
                hint = "It is started again for the next question."
                raise ServiceDown(
                    message, hint=LOOK if "configuration" in words.lower() else hint
                ) from error
        if answer.error:
            raise self._error(function, answer.error, str(answer.value))
        return answer.value

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process that asks, once it has said that it can be asked."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = process = self._started()
            self._finalizer = weakref.finalize(self, end, process)
            if process.stdin is None or process.stdout is None:
                raise EOFError
            os.set_blocking(process.stdin.fileno(), False)
            self._read(process.stdout.fileno(), LENGTH.size, Patience(START_S))
        return self._process

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **({"CONDOR_CONFIG": self.config} if self.config else {})}
        return subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), self.name, self.collector],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )

    def _ask(
        self, process: subprocess.Popen[bytes], request: bytes, patience: Patience
    ) -> BindingsAnswer:
        if process.stdin is None or process.stdout is None:
            raise EOFError
        self._write(process.stdin.fileno(), LENGTH.pack(len(request)) + request, patience)
        answers = process.stdout.fileno()
        (size,) = LENGTH.unpack(self._read(answers, LENGTH.size, patience))
        answer = marshal.loads(self._read(answers, size, patience))  # noqa: S302 - from our own child
        return BindingsAnswer(*answer)

    def _write(self, fd: int, data: bytes, patience: Patience) -> None:
        left = memoryview(data)
        while left:
            while not select.select([], [fd], [], patience.slice_s())[1]:
                self._check(patience)
            left = left[os.write(fd, left) :]

    def _read(self, fd: int, size: int, patience: Patience) -> bytes:
        parts = []
        while size:
            while not select.select([fd], [], [], patience.slice_s())[0]:
                self._check(patience)
            part = os.read(fd, min(size, PIECE_BYTES))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _check(self, patience: Patience) -> None:
        """Raise ``ServiceDown`` if it was waited for long enough, and end the process that asks."""
        if patience.is_over():
            self._end()
            message = f"{self} did not answer within {patience.deadline_s:g} s."
            hint = "Nothing is concluded; it is asked again in the next cycle."
            raise ServiceDown(message, hint=hint)

    def _end(self) -> None:
        if self._process is not None:
            self._finalizer()
            self._process = None

    def _last_words(self) -> str:
        lines = os.pread(self._complaints, 1 << 16, 0).decode(errors="replace").strip().splitlines()
        return f" ({lines[-1].strip()[:LONGEST_WORDS]})" if lines else ""

    def close(self) -> None:
        """End the process that asks."""
        with self._turn:
            self._end()

    def __str__(self) -> str:
        return f"The schedd {self.name}" if self.name else "This machine's schedd"

    def _error(self, function: str, kind: str, text: str) -> ExecutorError:
        """Return our error for an exception of the bindings, of class ``kind`` with that text."""
        words = " ".join(text.split()).rstrip(".") or "it gave no reason"
        lower = words.lower()
        if kind == "NoSchedd" or "collector" in lower:
            return self._error_of_pool(kind, words)
        if kind == "RowMismatch" or (function == "submit" and has_any(REFUSALS, lower)):
            return SubmitRefused(f"{self} refused a submission: {words}.")
        if has_any(NOT_ALLOWED, lower):
            hint = "Look at the token or the authentication methods; condor_ping WRITE."
            return ServiceDown(f"{self} does not let us do this ({function}): {words}.", hint=hint)
        message = f"{self} could not do this ({function}): {words}."
        return ServiceDown(message, hint="It is asked again later.")

    def _error_of_pool(self, kind: str, words: str) -> ServiceDown:
        """Return our error where the schedd could not even be looked up."""
        pool = f"The collector {self.collector or 'of the configuration'}"
        if kind == "NoSchedd":
            hint = "Set schedd in [executors.<name>], or start it; condor_status -schedd."
            return ServiceDown(f"{pool} knows no schedd {self.name or 'here'}.", hint=hint)
        message = f"{pool} does not answer: {words}."
        return ServiceDown(message, hint=f"{LOOK} Try condor_status.")


def has_any(signs: Iterable[str], words: str) -> bool:
    """Say whether one of the signs stands in these words."""
    return any(sign in words for sign in signs)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that asks, and close its streams."""
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.wait()


class Patience:
    """How long an answer is waited for; what gets on is waited for again."""

    def __init__(self, deadline_s: float, progress: Callable[[], object] | None = None) -> None:
        self.deadline_s, self.progress = deadline_s, progress
        self._until = time.monotonic() + deadline_s
        self._seen = progress() if progress is not None else None

    def slice_s(self) -> float:
        """Return how long to wait before looking again, seconds."""
        return max(0.0, min(SLICE_S, self._until - time.monotonic()))

    def is_over(self) -> bool:
        """Say whether nothing has happened for so long that nothing will."""
        if time.monotonic() < self._until:
            return False
        now = self.progress() if self.progress is not None else None
        if now == self._seen:
            return True
        self._seen, self._until = now, time.monotonic() + self.deadline_s
        return False
