"""The warm process: it has imported everything, and forks for each call.

``python serving.py SOCKET-DESCRIPTOR MODULE...`` answers until its stdin ends.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import marshal
import os
import pkgutil
import resource
import select
import signal
import socket
import sys
import threading
import time
import traceback
from typing import NoReturn

HEAD_BYTES = 4
STREAMS = 3
PROGRAMS = {
    "autoctrl": ("autoctrl.cli", "main"),
    "autoctrl-camera": ("autoctrl.science.camera.cli", "main"),
}


def warm_up(names: list[str]) -> None:
    """Import modules, and those in their packages, as far as the installation has what they need;
    those imported later share none of it.
    """
    for name in names:
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            inside = getattr(module, "__path__", None) if name.startswith("autoctrl") else None
            warm_up([f"{name}.{one.name}" for one in pkgutil.iter_modules(inside or [])])
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket) -> None:
    """Answer calls, one process each, until stdin ends."""
    while True:
        ready, _, _ = select.select([listener.fileno(), 0], [], [], 1.0)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if 0 in ready:
            return
        if listener.fileno() in ready:
            line, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                answer(line)
            line.close()


def answer(line: socket.socket) -> NoReturn:
    """Be the program that is asked for."""
    head, streams, _, _ = socket.recv_fds(line, HEAD_BYTES, STREAMS)
    text = b""
    while len(text) < int.from_bytes(head, "big"):
        text += line.recv(1 << 16)
    name, words, folder, environment = marshal.loads(text)  # noqa: S302 - of our own tests
    put_on(name, words, folder, environment, streams)
    line.sendall(os.getpid().to_bytes(HEAD_BYTES, "big"))
    code = run(name)
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    busy_s = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    line.sendall(f"{code} {busy_s * 1000:.0f}".encode())
    os._exit(code)


def put_on(
    name: str, words: list[str], folder: str, environment: dict[str, str], streams: list[int]
) -> None:
    """Make folder, environment, words and streams those of the call."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for target, given in enumerate(streams):
        os.dup2(given, target)
        os.close(given)
    sys.argv = [name, *words]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor
    sys.stdout, sys.stderr = (
        open(one, "w", encoding="utf-8", errors=errors, buffering=1, closefd=False)  # noqa: SIM115
        for one, errors in ((1, "strict"), (2, "backslashreplace"))
    )


def run(name: str) -> int:
    """Call the program, and return the exit code as the interpreter would end with it."""
    module, function = PROGRAMS[name]
    try:
        code = getattr(importlib.import_module(module), function)()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as at the end of any program
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
        code = 1
    for finish in (threading._shutdown, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        finish()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    return int(code or 0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    descriptor, *rooms = sys.argv[1:]
    warm_up(rooms)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(socket.socket(fileno=int(descriptor)))
