"""The stores that must keep the contract, one line each, and what the suite asks of any of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tests.contract import worker

if TYPE_CHECKING:
    from collections.abc import Callable


class Member(Protocol):
    """A client that works beside the test."""

    def stop(self) -> None: ...
    def go_on(self) -> None: ...
    def cut(self) -> None: ...
    def wait(self) -> None: ...


class ThreadMember:
    """A client in a thread; it cannot be killed, so it gives up at its next look around."""

    def __init__(self, *words: str) -> None:
        self._is_cut = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=words, daemon=True)
        self._thread.start()

    def _run(self, *words: str) -> None:
        try:
            worker.run(*words, is_cut=self._is_cut.is_set)
        except BaseException as error:  # noqa: BLE001 - it is raised again in wait
            self._error = error

    def stop(self) -> None:
        """Do nothing: a thread waits by itself."""

    def go_on(self) -> None:
        """Do nothing: a thread goes on by itself."""

    def cut(self) -> None:
        self._is_cut.set()

    def wait(self) -> None:
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error


class ProcessMember:
    """A client in a process of its own."""

    def __init__(self, *words: str) -> None:
        root = Path(__file__).parents[2]
        self._is_cut = False
        self._process = subprocess.Popen([sys.executable, "-m", "tests.contract.worker", *words], cwd=root)

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def cut(self) -> None:
        self._is_cut = True
        self._process.kill()

    def wait(self) -> None:
        try:
            code = self._process.wait(timeout=60)
        finally:
            self._process.kill()
        assert code == 0 or (self._is_cut and code == -signal.SIGKILL)


class Subject(NamedTuple):
    """A store under test: its URL for a folder of this test alone, and how its clients live."""

    url: Callable[[Path], str]
    member: Callable[..., Member]


STORES = {
    "memory": Subject(lambda folder: f"memory:{folder}", ThreadMember),
    "sqlite": Subject(lambda folder: f"sqlite:{folder}/store.db", ProcessMember),
}


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.005)
