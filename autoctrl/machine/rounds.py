"""Rounds over all workflows of a project: discover runs, then one cycle of each, every module in
its own process.
"""

from __future__ import annotations

import select
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.compose import Project
from autoctrl.errors import LeaseHeld, UsageError, nearest
from autoctrl.handlers.modules import find_modules
from autoctrl.machine.cycle import Cycle, Summary
from autoctrl.machine.discover_runs import Arrivals, discover
from autoctrl.machine.module_process import Worker
from autoctrl.model.chain import chain_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.handlers.handler import Handler
    from autoctrl.model.campaign import Campaign

SHORTEST_PAUSE_S = 0.05
RETRY_S = 3600.0


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
    summaries  one per workflow, in the order of the chain; a module that could not be loaded goes
               by its folder's name
    """

    arrivals: Arrivals
    summaries: tuple[Summary, ...]

    @property
    def moved(self) -> int:
        """Number of records written."""
        return (
            len(self.arrivals.new)
            + len(self.arrivals.changed)
            + sum(s.moved for s in self.summaries)
        )

    @property
    def processing(self) -> int:
        """Number of tasks in processing afterwards."""
        return sum(summary.open[1] for summary in self.summaries)


class Silence(NamedTuple):
    """Why a module is not started again for now.

    error    what is said of it
    changed  when a file beside it was last changed, ns
    at       when it was ended, by the monotonic clock
    """

    error: str
    changed: int
    at: float


class Rounds:
    """Rounds over one project and campaign; a module that is slow in one round may finish in a
    later one.
    """

    def __init__(
        self,
        settings: Settings,
        campaign: str,
        workflows: Sequence[str] | None = None,
        project: Project | None = None,
    ) -> None:
        """Work for these workflows of ``campaign``, all by default; ``project`` is opened each
        round if not given.
        """
        self.settings, self.campaign, self.workflows = settings, campaign, workflows
        self.slow: list[tuple[Worker, str]] = []
        self.loading: list[Worker] = []
        self.silent: dict[Path, Silence] = {}
        self._project = project

    @property
    def is_busy(self) -> bool:
        """Whether a module still works for an earlier round, or is still being loaded."""
        return bool(self.slow or self.loading)

    def discover(self) -> Arrivals:
        """Ask the sources for runs; another process that does the same is no error."""
        with self._opened() as project:
            find_campaign(project.store, self.campaign)
            try:
                return discover(project.store, project.sources(), project.clock)
            except LeaseHeld:
                return Arrivals((), (), ())

    @contextmanager
    def _opened(self) -> Iterator[Project]:
        """Have the project open; the modules' processes inherit it, and need not ask again what the
        store is.
        """
        if self._project is not None:
            yield self._project
            return
        with Project(self.settings) as project:
            self._project = project
            try:
                yield project
            finally:
                self._project = None

    def cycle(self, *, is_patient: bool = True) -> Round:
        """Discover, then make one cycle of every workflow.

        ``is_patient`` waits for modules that are slow, to their time limit; else they go on beside
        the next round.
        """
        with self._opened():
            arrivals = self.discover()
            summaries = self.ask_all({"do": "cycle"}, is_patient=is_patient)
        return Round(arrivals, tuple(_summary(name, answer) for name, answer in summaries.items()))

    def plan(self) -> tuple[list[Planned], list[str]]:
        """Return every task that would move or wait now, and what could not be found out; nothing
        is written.
        """
        planned: list[Planned] = []
        problems: list[str] = []
        for name, answer in self.ask_all({"do": "plan"}).items():
            if answer.get("error"):
                problems.append(f"{name}: {answer['error']}")
            planned += [Planned(*row) for row in answer.get("planned", ())]
            problems += answer.get("problems", ())
        return planned, problems

    def ask_all(
        self, request: Mapping[str, Any], *, is_patient: bool = True
    ) -> dict[str, dict[str, Any]]:
        """Send a request to every wanted workflow, in the order of the chain; return the answers by
        workflow.

        A module that is not loaded in time holds up nobody: the others go first.
        """
        with self._opened() as project:
            campaign = find_campaign(project.store, self.campaign)
            return self._ask_modules(campaign, request, is_patient=is_patient)

    def _ask_modules(
        self, campaign: Campaign, request: Mapping[str, Any], *, is_patient: bool
    ) -> dict[str, dict[str, Any]]:
        answers: dict[str, dict[str, Any]] = {}
        workers, self.loading = self._workers(answers), []
        declared = {name: worker for worker, _ in self.slow for name in worker.declares or ()}
        try:
            self._await(workers, _is_loaded, self.settings.cycle.patience_s, answers)
            self._ask(workers, declared, campaign, request, answers)
            while (
                is_patient
                and (late := [w for w in workers if not _is_loaded(w)])
                and self._is_missing(declared)
            ):
                self._await(late, _is_loaded, SHORTEST_PAUSE_S, answers)
                self._end_silent(late)
                self._ask(
                    [worker for worker in late if _is_loaded(worker)],
                    declared,
                    campaign,
                    request,
                    answers,
                )
            self._finish_slow(answers, is_patient=is_patient)
            self._check_wanted(declared, workers)
        finally:
            self._close(workers, declared, answers)
        if self.workflows is None or self._is_missing(declared):
            return answers
        return {name: answer for name, answer in answers.items() if name in self.workflows}

    def _workers(self, answers: dict[str, dict[str, Any]]) -> list[Worker]:
        """Return the modules that are still being loaded, and start those that are not at work."""
        workers = list(self.loading)
        busy = {worker.path for worker in (*workers, *(worker for worker, _ in self.slow))}
        for path in find_modules(self.settings.folder):
            silence = self.silent.get(path)
            if (
                silence is not None
                and silence.changed == _changed(path)
                and time.monotonic() - silence.at < RETRY_S
            ):
                answers[path.parent.name] = {"error": silence.error}
            elif path not in busy:
                self.silent.pop(path, None)
                workers.append(Worker(path, self._work))
        return workers

    def _ask(
        self,
        workers: Iterable[Worker],
        declared: dict[str, Worker],
        campaign: Campaign,
        request: Mapping[str, Any],
        answers: dict[str, dict[str, Any]],
    ) -> None:
        """Ask the wanted workflows of these modules, one after the other, each with patience."""
        patience_s = self.settings.cycle.patience_s
        for worker, workflow in _ordered(workers, declared, answers):
            is_chosen = self.workflows is None or workflow in self.workflows
            if not (
                is_chosen and campaign.has(workflow) and self.settings.workflow(workflow).enabled
            ):
                continue
            if not worker.is_over:
                worker.ask({**request, "workflow": workflow})
                self._await(
                    [worker], partial(_has_answered, workflow, answers), patience_s, answers
                )
            if worker.is_over and workflow not in answers:
                answers[workflow] = {"error": worker.error}
            elif workflow not in answers:
                self.slow.append((worker, workflow))

    def _is_missing(self, declared: Mapping[str, Worker]) -> bool:
        """Say whether a module that is not loaded yet may declare a wanted workflow."""
        return self.workflows is None or not declared.keys() >= set(self.workflows)

    def _check_wanted(self, declared: Mapping[str, Worker], workers: Sequence[Worker]) -> None:
        if self.silent or any(worker.error or not _is_loaded(worker) for worker in workers):
            return
        for name in self.workflows or ():
            if name not in declared:
                where = self.settings.folder / "workflows"
                message = f"There is no workflow '{name}' in {where}. {nearest(name, declared)}"
                raise UsageError(message)

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
        """Collect what slow modules answered; end those that gave no sign of life for the time
        limit.
        """
        while self.slow:
            workers = list({worker.pid: worker for worker, _ in self.slow}.values())
            self._await(
                workers,
                lambda worker: _is_answered(worker, self.slow, answers),
                SHORTEST_PAUSE_S,
                answers,
            )
            self._end_silent(workers)
            for worker, workflow in self.slow:
                if worker.is_over:
                    answers.setdefault(workflow, {"error": worker.error})
            self.slow = [(worker, name) for worker, name in self.slow if name not in answers]
            still = {worker for worker, _ in self.slow}
            for worker in workers:
                if worker not in still:
                    worker.close()
            if not is_patient:
                return

    def _end_silent(self, workers: Iterable[Worker]) -> None:
        """End the modules that gave no sign of life for the time limit, and leave them alone until
        they change.
        """
        limit = self.settings.cycle.module_limit_s
        for worker in workers:
            if worker.is_over or worker.silence_s() <= limit:
                continue
            doing = "in its cycle" if _is_loaded(worker) else "while it was loaded"
            worker.kill(
                f"Workflow module {worker.name}/{worker.path.name} gave no sign of life "
                f"for {limit:g} s {doing} "
                "and was ended. Look for an endless loop or a service that does not answer; "
                "it is started again when a file beside it changes, or after an hour."
            )
            self.silent[worker.path] = Silence(
                worker.error, _changed(worker.path), time.monotonic()
            )

    def _close(
        self,
        workers: Sequence[Worker],
        declared: Mapping[str, Worker],
        answers: dict[str, dict[str, Any]],
    ) -> None:
        """Let the modules end that are not needed any more, and say which of them are broken."""
        still_slow = {worker for worker, _ in self.slow}
        self._end_silent(worker for worker in workers if not _is_loaded(worker))
        self.loading = [
            worker for worker in workers if not _is_loaded(worker) and self._is_missing(declared)
        ]
        for worker in workers:
            if worker in self.loading or worker in still_slow:
                continue
            if worker.error and worker.declares is None and self._is_missing(declared):
                answers.setdefault(worker.name, {"error": worker.error})
            if _is_loaded(worker):
                worker.close()
            else:
                worker.kill("not needed")

    def close(self) -> None:
        """End what is still at work for an earlier round."""
        for worker in {*self.loading, *(worker for worker, _ in self.slow)}:
            worker.kill("the rounds are over")
        self.loading, self.slow = [], []

    def _work(
        self, handler: Handler, request: Mapping[str, Any], alive: Callable[[], None]
    ) -> dict[str, Any]:
        """Do one request in the child, with the project as it was open when the child was
        forked.
        """
        with self._opened() as project:
            cycle = Cycle(handler, project.context(self.campaign), alive)
            if request["do"] == "cycle":
                return cycle.run()._asdict()
            actions, problems = cycle.look_ahead()
            rows = [
                Planned(
                    handler.workflow,
                    action.task.unit,
                    action.kind,
                    action.text,
                    bool(action.records or action.submit),
                )
                for action in actions
            ]
            return {"planned": rows, "problems": problems}


def _ordered(
    workers: Iterable[Worker], declared: dict[str, Worker], answers: dict[str, dict[str, Any]]
) -> list[tuple[Worker, str]]:
    """Return the modules' workflows so that each comes after those that it waits for; a name is
    taken once.
    """
    graph: dict[str, list[str]] = {}
    for worker in workers:
        for workflow, after in (worker.declares or {}).items():
            if workflow in declared:
                first = declared[workflow]
                text = (
                    f"Workflow '{workflow}' is declared in {first.name}/{first.path.name} "
                    "already, so that of "
                    f"{worker.name}/{worker.path.name} was left out. Rename it in one of the two."
                )
                answers[
                    worker.name if worker.name != workflow else f"{worker.name}/{worker.path.name}"
                ] = {"error": text}
                continue
            declared[workflow] = worker
            graph[workflow] = after
    return [(declared[name], name) for name in chain_order(graph)]


def _is_loaded(worker: Worker) -> bool:
    """Say whether the module has declared its workflows, or never will."""
    return worker.declares is not None or worker.is_over


def _changed(path: Path) -> int:
    """Return when the module or a file beside it was last changed, ns."""
    return max((file.stat().st_mtime_ns for file in path.parent.glob("*.py")), default=0)


def _has_answered(workflow: str, answers: Mapping[str, Any], _: Worker) -> bool:
    return workflow in answers


def _is_answered(
    worker: Worker, slow: Iterable[tuple[Worker, str]], answers: Mapping[str, Any]
) -> bool:
    return all(name in answers for mine, name in slow if mine is worker)


def _summary(name: str, answer: Mapping[str, Any]) -> Summary:
    if set(answer) == {"error"}:
        return Summary(name, error=answer["error"])
    return Summary(**{**answer, "open": tuple(answer["open"])})
