"""A controller's lives: one works through a project, every port behind a probe that counts calls
and kills at some.

``python -m tests.acceptance.exactly_once.driver`` reads requests, one JSON list a line: the
project's folder and a list of points. Each life is a fork of this process, so that nothing is
imported anew. It answers with the life's exit code; the project's ``calls.json`` then holds how
often each method was called, ``driver.log`` what was complained of.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl import ports, verbs
from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.errors import ExecutorError, StoreError, UsageError
from autoctrl.handlers.modules import find_modules, load_module
from autoctrl.machine.cycle import Cycle
from autoctrl.machine.discover_runs import discover
from autoctrl.machine.heartbeat import beat
from autoctrl.machine.teller import Teller
from autoctrl.model.actor import Actor
from autoctrl.model.status import TaskStatus
from tests.acceptance.exactly_once.laboratory import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.config import Settings
    from autoctrl.handlers.handler import Handler
    from autoctrl.model.task import TaskRecord
    from autoctrl.notifiers.listener import Listener

PATIENCE_S = 400.0  # longer than a slow machine needs to bring a server back, several times
SHORTEST_S, LONGEST_S, GROWTH = 0.01, 1.0, 1.6
COMMAND_S = 250.0
# What every life of the production form would import anew, and takes longer than all else; the
# embedded form lacks it.
SLOW_IMPORTS = ("influxdb_client", "jinja2")
PROTOCOLS = {
    "store": ports.Store,
    "local": ports.Executor,
    "inline": ports.Executor,
    "notifier": ports.Notifier,
    "source": ports.Source,
}


def methods(port: str) -> set[str]:
    """Return what can be asked of a port: its methods, and what is computed when it is read."""
    return {name for name in vars(PROTOCOLS[port]) if not name.startswith("_")}


class Point(NamedTuple):
    """A moment of a life: the ``number``-th call of ``method``, before it or after it.

    ``command`` is what is done then, to somebody else; without one the life ends.
    """

    method: str
    number: int
    when: str
    command: tuple[str, ...] = ()


class Counts:
    """Counts the calls of all ports, and kills the controller or calls a command at points.

    A notifier is at work in a process of its own, which notes its calls in a file.
    """

    def __init__(self, points: Sequence[Point], folder: Path) -> None:
        self.controller = os.getpid()
        self.elsewhere = folder / "calls-elsewhere"
        self.elsewhere.write_text("")
        self.points = {point[:3]: point.command for point in points}
        self.calls: Counter[str] = Counter()
        self.struck = 0

    @property
    def is_disturbed(self) -> bool:
        """Whether somebody else is hurt, so that not every question has an answer."""
        return any(self.points.values())

    def pass_by(self, name: str, when: str) -> None:
        """Note that a call begins or has ended."""
        number = self._count(name, is_new=when == "before")
        command = self.points.get((name, number, when))
        if command:
            self.struck += 1
            subprocess.run(command, check=True, timeout=COMMAND_S)
        elif command is not None:
            os.kill(self.controller, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    def _count(self, name: str, *, is_new: bool) -> int:
        """Return how often a method has been called so far."""
        if os.getpid() == self.controller:
            self.calls[name] += is_new
            return self.calls[name]
        with self.elsewhere.open("a") as file:
            file.write(f"{name}\n" * is_new)
        return self.called_elsewhere()[name]

    def called_elsewhere(self) -> Counter[str]:
        """Return how often other processes have called what."""
        return Counter(self.elsewhere.read_text().split())


class Probe:
    """Stands before a port."""

    def __init__(self, port: Any, name: str, counts: Counts) -> None:
        self._port, self._name, self._counts = port, name, counts

    def __getattr__(self, attribute: str) -> Any:
        if attribute not in methods(self._name):
            return getattr(self._port, attribute)
        full = f"{self._name}.{attribute}"
        if isinstance(vars(PROTOCOLS[self._name])[attribute], property):
            return self._passed(full, lambda: getattr(self._port, attribute))
        method = getattr(self._port, attribute)
        return lambda *words, **named: self._passed(full, lambda: method(*words, **named))

    def _passed(self, name: str, call: Any) -> Any:
        self._counts.pass_by(name, "before")
        answer = call()
        self._counts.pass_by(name, "after")
        return answer


class ProbedProject(Project):
    """A project whose ports stand behind probes."""

    def __init__(self, settings: Settings, counts: Counts) -> None:
        super().__init__(settings)
        self.counts = counts
        self.store: Any = Probe(self.store, "store", counts)
        self.teller = Teller(self, "prompt")
        self._seen = [Probe(source, "source", counts) for source in super().sources()]

    def listener(self, name: str) -> Listener:
        listener = super().listener(name)
        return listener._replace(notifier=Probe(listener.notifier, "notifier", self.counts))

    def executor(self, name: str) -> Any:
        return Probe(super().executor(name), name.partition("@")[0], self.counts)

    def calls(self, *words: Any) -> Any:
        calls = super().calls(*words)
        return Probe(calls, calls.name, self.counts)

    def sources(self) -> list[Any]:
        return self._seen


def work(project: ProbedProject, handlers: list[Handler]) -> None:
    """Make rounds until nothing moves and nothing is processing; give up once nothing at all has
    moved for long.

    A project that is disturbed may have rounds in which some service does not answer.
    """
    since, struck = time.monotonic(), 0
    pause_s = SHORTEST_S
    while True:
        moved = 0
        try:
            moved, processing = make_round(project, handlers)
            if not moved and not processing:
                return
        except (StoreError, ExecutorError):
            if not project.counts.is_disturbed:
                raise
            traceback.print_exc()
        if moved or project.counts.struck > struck:
            since, struck = time.monotonic(), project.counts.struck
        assert time.monotonic() - since < PATIENCE_S, "it does not come to an end"
        pause_s = SHORTEST_S if moved else min(LONGEST_S, pause_s * GROWTH)
        time.sleep(pause_s)


def make_round(project: ProbedProject, handlers: Iterable[Handler]) -> tuple[int, int]:
    """Make a cycle of each workflow; return how much moved, and how many tasks are processing or
    could not be seen.

    Jobs that are stuck are failed by a person.
    """
    project.store.check_writing()
    arrivals = discover(project.store, project.sources(), project.clock)
    assert not arrivals.problems
    summaries = [Cycle(handler, project.context("prompt")).run() for handler in handlers]
    bad = [summary for summary in summaries if summary.error or summary.problems]
    for summary in bad:
        assert project.counts.is_disturbed, summary
        print(summary, file=sys.stderr)  # noqa: T201 - it goes into the life's log
    give_up_stuck(project)
    beat(project.store, "prompt", project.clock.now())
    project.teller.step()
    moved = len(arrivals.new) + sum(summary.moved for summary in summaries)
    return moved, sum(summary.open[1] for summary in summaries) + len(bad)


def give_up_stuck(project: ProbedProject) -> None:
    """Fail what would never end, as a person does: at once, or where servers die only when he sees
    it run.
    """
    request = verbs.Request(
        project.store, project.clock, Actor("alice", "cli"), "it hangs", wait_s=0
    )
    asked = ports.Selection("prompt", ("stuck",), statuses=(TaskStatus.PROCESSING,))
    for task in project.store.tasks(asked):
        if not task.stopping and (
            has_begun(project.folder, task) or not project.counts.is_disturbed
        ):
            with suppress(UsageError):
                verbs.fail(request, task.key.unit, "stuck")


def has_begun(folder: Path, task: TaskRecord) -> bool:
    """Say whether a job of the task has started."""
    name = f"{task.key.campaign}/{task.key.workflow}/{task.key.unit}/"
    return any(line.tag.startswith(name) for line in read_ledger(folder))


def live(folder: str, points: Iterable[Sequence[Any]]) -> None:
    """Work through the project in ``folder`` until nothing is left to do, or until a point that
    ends the life.
    """
    counts = Counts([Point(*point) for point in points], Path(folder))
    with ProbedProject(load_settings(Path(folder)), counts) as project:
        handlers = [
            handler for path in find_modules(project.folder) for handler in load_module(path)
        ]
        work(project, handlers)
        project.teller.finish()
    calls = counts.calls + counts.called_elsewhere()
    Path(folder, "calls.json").write_text(json.dumps(calls))


def fork_life(folder: str, points: Iterable[Sequence[Any]]) -> int:
    """Live in a fork of this process; return its exit code, negative if a signal ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            log = os.open(Path(folder, "driver.log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for stream, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
                os.dup2(file, stream)
            live(folder, points)
            code = 0
        except BaseException:  # noqa: BLE001 - the process ends here, its complaint goes where it can be read
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    for name in SLOW_IMPORTS:
        with suppress(ImportError):
            import_module(name)
    for line in sys.stdin:
        print(fork_life(*json.loads(line)), flush=True)  # noqa: T201 - the answer
