"""Asks a warm process to do what a command does. It begins in no time: few and small imports."""

from __future__ import annotations

import marshal
import os
import signal
import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD_BYTES = 4
KILLED = 128 + signal.SIGKILL
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ended(NamedTuple):
    """How a call ended: exit code, and the processor time of it and its ended processes, in s."""

    code: int
    busy_s: float


class Call(NamedTuple):
    """What a process is given: program, words, folder, environment."""

    program: str
    words: Sequence[str]
    folder: str
    environment: Mapping[str, str]


def begin(path: str, call: Call, streams: Sequence[int]) -> tuple[socket.socket, int]:
    """Let a call begin; return the line on which its end is told, and the number of its process.

    ``path`` is the socket of the warm process, ``streams`` are the descriptors of stdin, stdout and
    stderr.
    """
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    text = marshal.dumps((call.program, [*call.words], call.folder, dict(call.environment)))
    socket.send_fds(line, [len(text).to_bytes(HEAD_BYTES, "big")], list(streams))
    line.sendall(text)
    return line, int.from_bytes(line.recv(HEAD_BYTES), "big")


def end(line: socket.socket) -> Ended:
    """Return how a command has ended once it has; one that was killed says nothing."""
    with line:
        said = b"".join(iter(lambda: line.recv(64), b""))
    code, busy_ms = said.split() if said else (str(KILLED).encode(), b"0")
    return Ended(int(code), int(busy_ms) / 1000)


def stand_in(path: str, name: str, words: Sequence[str]) -> int:
    """Be a command: hand over what this process has, pass signals on, return the exit code."""
    call = Call(name, words, os.getcwd(), os.environ)  # noqa: PTH109 - small imports
    line, process = begin(path, call, (0, 1, 2))
    for number in PASSED_ON:
        signal.signal(number, lambda got, _: os.kill(process, got))
    return end(line).code
