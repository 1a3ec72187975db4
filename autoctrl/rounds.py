"""Rounds over all workflows of a project: discover runs, then one cycle of each, every module in its own process."""

from __future__ import annotations

import graphlib
import select
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.compose import Project
from autoctrl.errors import LeaseHeld, UsageError, nearest
from autoctrl.handlers.arrivals import Arrivals, discover
from autoctrl.handlers.context import owner
from autoctrl.handlers.cycle import Cycle, Summary
from autoctrl.handlers.discovery import find_modules
from autoctrl.locks.lookup import lineage_of
from autoctrl.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.config import Settings
    from autoctrl.handlers.handler import Handler

SHORTEST_PAUSE_S = 0.05
PAUSE_GROWTH = 1.5
LOOP_LEASE_S = 30.0
DAY_S = 86400.0


class Planned(NamedTuple):
    """One action that a cycle would take, or a reason to wait.

    workflow  the workflow
    unit      the unit
    action    kind of action
    text      what would happen, or why it waits
    moves     something would be written or started
    """

    workflow: str
    unit: str
    action: str
    text: str
    moves: bool


class Round(NamedTuple):
    """What one round did.

    arrivals   runs that were discovered
    summaries  one per workflow, in the order of the chain; a module that could not be loaded goes by its folder's name
    """

    arrivals: Arrivals
    summaries: tuple[Summary, ...]

    @property
    def moved(self) -> int:
        """Number of records written."""
        return len(self.arrivals.new) + len(self.arrivals.changed) + sum(s.moved for s in self.summaries)

    @property
    def processing(self) -> int:
        """Number of tasks in processing afterwards."""
        return sum(summary.open[1] for summary in self.summaries)


class Rounds:
    """Rounds over one project and campaign; a module that is slow in one round may finish in the next."""

    def __init__(self, settings: Settings, campaign: str, workflows: Sequence[str] | None = None) -> None:
        """Work for these workflows of ``campaign``, all by default."""
        self.settings, self.campaign, self.workflows = settings, campaign, workflows
        self.slow: list[tuple[Worker, str]] = []

    def discover(self) -> Arrivals:
        """Ask the sources for runs; another process that does the same is no error."""
        with Project(self.settings) as project:
            lineage_of(project.store, self.campaign)
            try:
                return discover(project.store, project.sources(), project.clock)
            except LeaseHeld:
                return Arrivals((), (), ())

    def cycle(self, *, is_patient: bool = True) -> Round:
        """Discover, then make one cycle of every workflow.

        ``is_patient`` waits for modules that are slow, to their time limit; else they go on beside the next round.
        """
        arrivals = self.discover()
        summaries = self.ask_all({"do": "cycle"}, is_patient=is_patient)
        return Round(arrivals, tuple(_summary(name, answer) for name, answer in summaries.items()))

    def plan(self) -> tuple[list[Planned], list[str]]:
        """Return every task that would move or wait now, and what could not be found out; nothing is written."""
        planned: list[Planned] = []
        problems: list[str] = []
        for name, answer in self.ask_all({"do": "plan"}).items():
            if answer.get("error"):
                problems.append(f"{name}: {answer['error']}")
            planned += [Planned(*row) for row in answer.get("planned", ())]
            problems += answer.get("problems", ())
        return planned, problems

    def ask_all(self, request: Mapping[str, Any], *, is_patient: bool = True) -> dict[str, dict[str, Any]]:
        """Send a request to every wanted workflow, in the order of the chain; return the answers by workflow."""
        busy = {worker.path for worker, _ in self.slow}
        modules = [path for path in find_modules(self.settings.folder) if path not in busy]
        workers = [Worker(path, self._work) for path in modules]
        answers: dict[str, dict[str, Any]] = {}
        try:
            self._await(workers, lambda worker: worker.declares is not None, self.settings.cycle.patience_s, answers)
            for worker, workflow in self._ordered(workers, answers):
                if worker.is_over:
                    continue
                worker.ask({**request, "workflow": workflow})
                self._await(
                    [worker], partial(_has_answered, workflow, answers), self.settings.cycle.patience_s, answers
                )
                if workflow not in answers and not worker.is_over:
                    self.slow.append((worker, workflow))
            self._finish_slow(answers, is_patient=is_patient)
        finally:
            self._close(workers, answers)
        return answers

    def _ordered(self, workers: Sequence[Worker], answers: dict[str, dict[str, Any]]) -> list[tuple[Worker, str]]:
        """Return the wanted workflows with their workers so that each comes after those that it waits for."""
        declared: dict[str, Worker] = {}
        graph: dict[str, list[str]] = {}
        for worker in workers:
            for workflow, after in (worker.declares or {}).items():
                if workflow in declared:
                    first = declared[workflow].name
                    text = f"workflow '{workflow}' is declared by {first} already; rename it in one of the two."
                    answers[worker.name if worker.name != workflow else f"{worker.name}/handler.py"] = {"error": text}
                    continue
                declared[workflow] = worker
                graph[workflow] = after
        self._check_wanted(declared, workers)
        return [(declared[name], name) for name in chain_order(graph) if self._is_wanted(name)]

    def _check_wanted(self, declared: Mapping[str, Worker], workers: Sequence[Worker]) -> None:
        for name in self.workflows or ():
            if name not in declared and not any(worker.error for worker in workers):
                message = (
                    f"There is no workflow '{name}' in {self.settings.folder / 'workflows'}. {nearest(name, declared)}"
                )
                raise UsageError(message)

    def _is_wanted(self, workflow: str) -> bool:
        with Project(self.settings) as project:
            campaign = lineage_of(project.store, self.campaign)[0]
        is_chosen = self.workflows is None or workflow in self.workflows
        return is_chosen and campaign.has(workflow) and self.settings.workflow(workflow).enabled

    def _await(
        self,
        workers: Iterable[Worker],
        is_ready: Callable[[Worker], bool],
        patience_s: float,
        answers: dict[str, dict[str, Any]],
    ) -> None:
        """Read messages until every worker is ready or over, for at most ``patience_s``."""
        deadline = time.monotonic() + patience_s
        waiting = [worker for worker in workers if not worker.is_over and not is_ready(worker)]
        while waiting and (left := deadline - time.monotonic()) > 0:
            for worker in select.select(waiting, [], [], left)[0]:
                for message in worker.messages():
                    answers[message["workflow"]] = message["answer"]
            waiting = [worker for worker in waiting if not worker.is_over and not is_ready(worker)]

    def _finish_slow(self, answers: dict[str, dict[str, Any]], *, is_patient: bool) -> None:
        """Collect what slow modules answered; end those that gave no sign of life for the time limit."""
        limit = self.settings.cycle.module_limit_s
        while self.slow:
            workers = [worker for worker, _ in self.slow]
            self._await(workers, lambda worker: _is_answered(worker, self.slow, answers), SHORTEST_PAUSE_S, answers)
            for worker, workflow in self.slow:
                if worker.silence_s() > limit:
                    worker.kill(f"Workflow {workflow} gave no sign of life for {limit:g} s and was ended.")
                if worker.is_over:
                    answers.setdefault(workflow, {"error": worker.error})
            self.slow = [(worker, name) for worker, name in self.slow if name not in answers]
            if not is_patient:
                return

    def _close(self, workers: Sequence[Worker], answers: dict[str, dict[str, Any]]) -> None:
        still_slow = {worker for worker, _ in self.slow}
        for worker in workers:
            if worker in still_slow:
                continue
            if worker.declares is None and not worker.is_over:
                worker.kill(f"Workflow module {worker.name}/{worker.path.name} was not loaded in time.")
            missing = set(worker.declares or ()) - answers.keys() if worker.error else set()
            for name in missing if worker.declares else {worker.name}:
                if worker.error:
                    answers.setdefault(name, {"error": worker.error})
            worker.close()

    def _work(self, handler: Handler, request: Mapping[str, Any], alive: Callable[[], None]) -> dict[str, Any]:
        """Do one request in the child: it opens the project anew, nothing of the parent's is used."""
        with Project(self.settings) as project:
            cycle = Cycle(handler, project.context(self.campaign), alive)
            if request["do"] == "cycle":
                return cycle.run()._asdict()
            actions, problems = cycle.look_ahead()
            rows = [
                Planned(
                    handler.workflow, action.task.unit, action.kind, action.text, bool(action.records or action.submit)
                )
                for action in actions
            ]
            return {"planned": rows, "problems": problems}


def _has_answered(workflow: str, answers: Mapping[str, Any], _: Worker) -> bool:
    return workflow in answers


def _is_answered(worker: Worker, slow: Iterable[tuple[Worker, str]], answers: Mapping[str, Any]) -> bool:
    return all(name in answers for mine, name in slow if mine is worker)


def _summary(name: str, answer: Mapping[str, Any]) -> Summary:
    if set(answer) == {"error"}:
        return Summary(name, error=answer["error"])
    return Summary(**{**answer, "open": tuple(answer["open"])})


def chain_order(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the workflows so that each comes after those that it waits for; a circle is left in the order of names."""
    known = {name: [after for after in graph[name] if after in graph] for name in sorted(graph)}
    try:
        return list(graphlib.TopologicalSorter(known).static_order())
    except graphlib.CycleError:
        return sorted(graph)


def loop(
    settings: Settings,
    campaign: str,
    *,
    workflows: Sequence[str] | None = None,
    every_s: float = 10.0,
    until_idle: bool = False,
    on_round: Callable[[Round], None] = lambda _: None,
) -> bool:
    """Make round after round; return whether a task failed for good or a cycle could not work in the last ones.

    While something moves or runs, rounds follow one another quickly; else every ``every_s`` seconds. ``until_idle``
    ends when nothing moved and nothing is processing. Raises ``LeaseHeld`` if another loop works for this campaign.
    """
    rounds = Rounds(settings, campaign, workflows)
    with Project(settings) as project:
        name = f"loop/{campaign}"
        project.store.lease(name, owner(), LOOP_LEASE_S)
        is_bad, pause_s = False, SHORTEST_PAUSE_S
        try:
            while True:
                done = rounds.cycle(is_patient=until_idle)
                on_round(done)
                is_bad = is_bad or any(summary.failed for summary in done.summaries)
                if until_idle and not done.moved and not done.processing and not rounds.slow:
                    return is_bad or any(summary.error for summary in done.summaries)
                pause_s = _next_pause(done, pause_s, every_s)
                _wait(project, name, pause_s)
        finally:
            project.store.lease(name, owner(), 0)


def _next_pause(done: Round, pause_s: float, every_s: float) -> float:
    if done.moved:
        return min(SHORTEST_PAUSE_S, every_s)
    return min(pause_s * PAUSE_GROWTH, every_s) if done.processing else every_s


def _wait(project: Project, name: str, pause_s: float) -> None:
    """Sleep, keeping the loop's lease."""
    ends = time.monotonic() + pause_s
    project.store.lease(name, owner(), LOOP_LEASE_S)
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, LOOP_LEASE_S / 3))
        project.store.lease(name, owner(), LOOP_LEASE_S)
