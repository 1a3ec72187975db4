"""How long a person in the chat waits for an answer, in a store of many tasks.

``python -m tests.benchmarks.chat [RUNS] [ROUNDS]`` prints the median and the 95 % of the answers to
some commands, in seconds, from the request of a fake Mattermost to the end of the answer: through
the listener, the ledger of used requests and the store. Exits with 1 if one takes more than 1 s.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.hooks.limits import Limits
from autoctrl.hooks.rate import Rate
from autoctrl.hooks.server import answering
from autoctrl.model.status import TaskStatus
from tests.benchmarks.filled import records_of
from tests.benchmarks.report import say
from tests.integration.chat import Chat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORKFLOWS = ("w1", "w2", "w3", "w4")
RUNS, ROUNDS, BATCH = 25_000, 40, 5000
FIGURE_S = 1.0


class Waits(NamedTuple):
    """How long one command was answered, seconds each."""

    command: str
    seconds: Sequence[float]

    @property
    def p95(self) -> float:
        """What 95 % of the answers did not exceed."""
        return sorted(self.seconds)[int(0.95 * (len(self.seconds) - 1))]


def fill(chat: Chat, runs: int, failed: int) -> None:
    """Write runs that are done in all workflows; of ``reco`` the first few have failed."""
    now = chat.project.clock.now()
    chat.fails(*range(1, failed + 1))
    for name in WORKFLOWS:
        chat.declares(name)
    for first in range(failed + 1, runs + 1, BATCH):
        numbers = range(first, min(first + BATCH, runs + 1))
        chat.store.append([one for run in numbers for one in records_of(run, WORKFLOWS, now)])


def measure(chat: Chat, rounds: int) -> Iterator[Waits]:
    """Yield how long each command takes; what is retried was not before."""
    for command in ("status", "failed", "why 1 reco", "incidents", "retry {run} reco bench"):
        seconds = []
        for number in range(rounds):
            began = time.perf_counter()
            answer = chat.say(command.format(run=number + 1))
            seconds.append(time.perf_counter() - began)
            assert answer.is_done, answer.message
        yield Waits(command, seconds)


def main() -> int:
    """Print a line for each command; return 1 if one takes too long."""
    runs, rounds = [*map(int, sys.argv[1:]), *(RUNS, ROUNDS)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        chat = Chat(Path(folder))
        say(f"{runs} runs in {len(WORKFLOWS)} workflows")
        fill(chat, runs, rounds)
        chat.open()
        chat.listener.stop()
        listener = socket.create_server(("127.0.0.1", chat.listener.port))
        limits = Limits(rate=Rate(1e6, 1_000_000))
        with answering(chat.listener.hooks, listener, say, limits):
            found = list(measure(chat, rounds))
        assert chat.task(rounds).status is TaskStatus.NEW
        chat.close()
    for one in found:
        print(f"{one.command:<24} median {median(one.seconds):.3f} s, 95 % {one.p95:.3f} s")
    return int(any(one.p95 > FIGURE_S for one in found))


if __name__ == "__main__":
    sys.exit(main())
