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
from urllib.parse import urlsplit

from autoctrl.ports import Selection
from tests.contract import worker
from tests.contract.samples import task
from tests.proxy import Proxy, slow_writes

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    import pytest

    from autoctrl.ports import Store
    from tests.services import Influx

SLOW_S = 0.03


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
        self._thread.join(timeout=580)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error


class ProcessMember:
    """A client in a process of its own."""

    def __init__(self, *words: str) -> None:
        root = Path(__file__).parents[2]
        self._is_cut = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.worker", *words], cwd=root
        )

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def cut(self) -> None:
        self._is_cut = True
        self._process.kill()

    def wait(self) -> None:
        try:
            code = self._process.wait(timeout=580)
        finally:
            self._process.kill()
        assert code == 0 or (self._is_cut and code == -signal.SIGKILL)


class Effort(NamedTuple):
    """How much the tests ask of a store.

    clients      how many contend at once
    killed       how many of them are killed in the middle
    transitions  that each must win
    leases       that each must win
    long_leases  that each must win with ``--long``
    lease_s      for how long each is claimed
    appends      every how many leases a task is moved under it
    contested    which part of the leases must have been asked for by others at the same time
    pause_s      how long to wait at most before asking again for the lease; longer if the answer
                 took long
    batch        how many tasks a client that may be killed appends at once
    examples     how many records of each kind make a round trip
    short_s      a lease that one write fits in, and that a test then waits for to run out
    """

    clients: int = 8
    killed: int = 3
    transitions: int = 500
    leases: int = 500
    long_leases: int = 500
    lease_s: float = 0.5
    appends: int = 1
    contested: float = 0.0
    pause_s: float = 0.004
    batch: int = 500
    examples: int = 40
    short_s: float = 1.0


class Subject(NamedTuple):
    """A store under test: its URL for a test alone, how its clients live, what is asked of it.

    ``ways`` gives the URLs by which its clients take turns to reach it.
    """

    url: Callable[[Path, pytest.FixtureRequest], str]
    member: Callable[..., Member]
    effort: Effort = Effort()
    ways: Callable[[str, ExitStack], list[str]] = lambda url, _: [url]


def influx(name: str) -> Callable[[Path, pytest.FixtureRequest], str]:
    """Return how to get the URL of a fresh bucket of a server, its token in a file of the test."""

    def url(folder: Path, request: pytest.FixtureRequest) -> str:
        server: Influx = request.getfixturevalue(name)
        return bucket_url(server, server.fresh_bucket(), folder)

    return url


def bucket_url(server: Influx, bucket: str, folder: Path, *, through: str = "") -> str:
    """Return the URL of a store in a bucket; ``through`` is a proxy's address in place of the
    server's.
    """
    token = folder / "token"
    token.write_text(server.token)
    place = urlsplit(through or server.url).netloc
    return f"influxdb://{place}/{server.org}/{bucket}?token_file={token}"


def fast_and_slow(url: str, stack: ExitStack) -> list[str]:
    """Return two direct ways to a server and one over a proxy that lets writes arrive late."""
    parts = urlsplit(url)
    proxy = stack.enter_context(Proxy(f"http://{parts.netloc}"))
    proxy.plan = slow_writes(SLOW_S)
    return [url, url, parts._replace(netloc=urlsplit(proxy.url).netloc).geturl()]


# Fewer leases than locally: each is a turn of three writes and two readings. 80 for each of four
# clients are about 250 claims, nearly all contested; --long makes a thousand. Fewer examples: a
# body is JSON text, and unit tests try its round trip on a hundred records of a kind.
REMOTE = Effort(
    clients=4,
    killed=1,
    transitions=20,
    leases=80,
    long_leases=325,
    lease_s=5.0,
    appends=8,
    contested=0.5,
    pause_s=0.05,
    batch=100,
    examples=8,
    short_s=2.0,
)
# The same code speaks to both servers. The older one compiles every question anew, which takes it
# thrice as long; half as many claims and transitions are contested just as often.
OLDER = REMOTE._replace(transitions=10, leases=40)
STORES = {
    "memory": Subject(lambda folder, _: f"memory:{folder}", ThreadMember),
    "sqlite": Subject(lambda folder, _: f"sqlite:{folder}/store.db", ProcessMember),
    "influxdb1": Subject(influx("influxdb1"), ProcessMember, OLDER, fast_and_slow),
    "influxdb2": Subject(influx("influxdb2"), ProcessMember, REMOTE, fast_and_slow),
}


# Between which stores a history is moved: from the model to each kind, and from each kind back.
MOVES = [("memory", name) for name in STORES] + [(name, "memory") for name in list(STORES)[1:]]


def append_in_a_fork(store: Store) -> None:
    """Append from a forked child and then from here; fail if either could not."""
    store.append([task("1")])
    child = os.fork()
    if child == 0:
        try:
            store.append([task("2")])
        except BaseException:  # noqa: BLE001 - the child must end here, whatever happened
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    store.append([task("3")])
    assert len(store.tasks(Selection("prompt"))) == 3


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.005)
