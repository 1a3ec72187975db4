"""One workflow module in a child process of its own, so that a broken one never stops the
others.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from autoctrl.errors import AutoctrlError
from autoctrl.handlers.modules import load_module
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from autoctrl.handlers.handler import Handler

    Message = dict[str, Any]
    Work = Callable[[Handler, Mapping[str, Any], Callable[[], None]], Message]


class Worker:
    """The parent's end of one module: what it declares, what it was asked, what it answered.

    ``declares`` maps its workflows to those that they wait for, None until the module is loaded.
    """

    def __init__(self, path: Path, work: Work) -> None:
        """Start a child that loads the module and then does ``work`` for each request."""
        self.name = path.parent.name
        self.label = f"{self.name}/{path.name}"
        self.path = path
        self.declares: dict[str, list[str]] | None = None
        self.error = ""
        self.is_over = False
        self.last_sign = time.monotonic()
        self._rest = b""
        self._socket, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self._socket.close()
            _be_child(path, theirs, work, parent)
        theirs.close()
        self._socket.settimeout(0)

    def fileno(self) -> int:
        """Return the socket's descriptor, so that ``select`` can wait for this worker."""
        return self._socket.fileno()

    def ask(self, request: Mapping[str, Any]) -> None:
        """Send a request; the answer arrives through ``messages``."""
        self.last_sign = time.monotonic()
        with contextlib.suppress(OSError):
            self._socket.send(json.dumps(request).encode() + b"\n")

    def messages(self) -> list[Message]:
        """Return the answers that have arrived; notice a child that has ended."""
        try:
            piece = self._socket.recv(1 << 20)
        except BlockingIOError:
            return []
        except OSError:
            piece = b""
        self.last_sign = time.monotonic()
        if not piece:
            self._end()
            return []
        *lines, self._rest = (self._rest + piece).split(b"\n")
        answers = [json.loads(line) for line in lines]
        for answer in answers:
            if "declares" in answer:
                self.declares = answer["declares"]
            self.error = answer.get("broken", self.error)
        return [answer for answer in answers if "answer" in answer]

    def silence_s(self) -> float:
        """Return for how long the child has given no sign of life."""
        return time.monotonic() - self.last_sign

    def kill(self, reason: str) -> None:
        """End the child with everything it started."""
        self.error = self.error or reason
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._end()

    def close(self) -> None:
        """Let the child end by itself."""
        if not self.is_over:
            self._hang_up()
            self.is_over = True
            os.waitpid(self.pid, 0)

    def _hang_up(self) -> None:
        # Children forked later hold copies of this end; only a shutdown tells the child that
        # nothing more comes.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _end(self) -> None:
        self._hang_up()
        self.is_over = True
        status = os.waitpid(self.pid, 0)[1]
        if not self.error:
            how = (
                f"was ended by signal {signal.Signals(os.WTERMSIG(status)).name}"
                if os.WIFSIGNALED(status)
                else "exited early"
            )
            self.error = f"The process of workflow module {self.label} {how}."


def _be_child(path: Path, channel: socket.socket, work: Work, parent: int) -> NoReturn:
    """Load the module, declare it, serve requests until the parent closes or dies; never return."""
    code = 0
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.dup2(2, 1)  # what a module prints must not mix with the command's own output
        with channel.makefile("rwb") as stream:
            _serve(path, stream, work)
    except (BrokenPipeError, ConnectionResetError):
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(path: Path, stream: Any, work: Work) -> None:  # noqa: ANN401 - a two-way binary file
    def send(message: Mapping[str, Any]) -> None:
        stream.write(json.dumps(message).encode() + b"\n")
        stream.flush()

    try:
        handlers = {handler.workflow: handler for handler in load_module(path)}
    except AutoctrlError as error:
        send({"broken": str(error)})
        return
    send({"declares": {name: sorted(handler.after) for name, handler in handlers.items()}})
    for line in stream:
        request = json.loads(line)
        name = request["workflow"]
        answer = _answer(work, handlers[name], request, lambda: send({"alive": True}))
        send({"answer": answer, "workflow": name})


def _answer(
    work: Work, handler: Handler, request: Mapping[str, Any], is_alive: Callable[[], None]
) -> Any:  # noqa: ANN401 - what the work returns, as JSON has it
    """Do the work for one request; a fault in one workflow is reported, whatever it is."""
    try:
        return work(handler, request, is_alive)
    except AutoctrlError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - as above
        return {"error": f"{type(error).__name__}: {error}"}
