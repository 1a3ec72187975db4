"""One request to every wanted workflow of a project, each module in a process of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from autoctrl.errors import UsageError, nearest
from autoctrl.handlers.modules import find_modules
from autoctrl.machine.module_process import Worker
from autoctrl.machine.patience import ModulePatience, Pending, is_loaded, wait_for
from autoctrl.machine.requests import answer_request
from autoctrl.machine.teller import TellingProject
from autoctrl.model.chain import chain_order
from autoctrl.model.condition import ConditionKind, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.config import Settings
    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.model.campaign import Campaign
    from autoctrl.ports import Quota, Source

    Reply = dict[str, Any]

SHORTEST_PAUSE_S = 0.05


class OpenProject(TellingProject, Protocol):
    """What rounds need of a project whose ports are open."""

    settings: Settings

    def sources(self) -> list[Source]:
        """Return the sources of runs that the settings name."""

    def quotas(self) -> dict[str, Quota]:
        """Return the quotas that the settings name, by name."""

    def context(self, campaign: str) -> Context:
        """Return what a cycle of this campaign works with."""


class Inquiry:
    """One request to every wanted workflow, and the replies by workflow."""

    def __init__(
        self,
        project: OpenProject,
        campaign: Campaign,
        workflows: Sequence[str] | None,
        patience: ModulePatience,
        what: str,
    ) -> None:
        """Ask ``workflows`` of ``campaign``, all by default, to do ``what``: cycle or plan."""
        self.project, self.campaign, self.wanted = project, campaign, workflows
        self.patience, self.what = patience, what
        self.replies: dict[str, Reply] = {}
        self.declared = {
            name: worker for worker in patience.slow_workers for name in worker.declares or ()
        }
        self.workers: list[Worker] = []
        self.slow_before = patience.slow_workers
        self.verdicts: list[Verdict] = []

    def load_all(self) -> None:
        """Load every module, with patience, and judge each."""
        try:
            self._start_modules()
            self._read(self.workers, is_loaded, self.project.settings.cycle.module_limit_s)
            self.patience.end_silent(self._late_modules())
            self._judge_modules()
        finally:
            self._close_modules()

    def ask_all(self, *, is_patient: bool) -> Mapping[str, Reply]:
        """Ask in the order of the chain, and return the replies by workflow.

        A module that is not loaded in time holds up nobody: the others go first.
        """
        self._start_modules()
        try:
            self._read(self.workers, is_loaded, self.project.settings.cycle.patience_s)
            self._ask_workflows_of(self.workers)
            if is_patient:
                self._ask_late_modules()
            self._collect_slow(is_patient=is_patient)
            self._judge_modules()
            self._refuse_unknown()
        finally:
            self._close_modules()
        if self.wanted is None or self._misses_workflows():
            return self.replies
        return {name: reply for name, reply in self.replies.items() if name in self.wanted}

    def _start_modules(self) -> None:
        """Go on with the modules that are still being loaded, and start those not at work."""
        patience = self.patience
        self.workers, patience.loading = list(patience.loading), []
        busy = {worker.path for worker in (*self.workers, *patience.slow_workers)}
        for path in find_modules(self.project.settings.folder):
            reason = patience.why_not_started(path)
            if reason:
                self.replies[path.parent.name] = {"error": reason}
                self.verdicts.append(Verdict(ConditionKind.MODULE, path.parent.name, reason))
            elif path not in busy:
                self.workers.append(Worker(path, self._answer))

    def _answer(
        self, handler: Handler, request: Mapping[str, Any], alive: Callable[[], None]
    ) -> Reply:
        """Do one request in the module's process, which has the project open as it was forked."""
        return answer_request(handler, request, self.project.context(self.campaign.name), alive)

    def _ask_workflows_of(self, workers: Iterable[Worker]) -> None:
        """Ask the wanted workflows of these modules, one after the other, each with patience."""
        for workflow in chain_order(self._declare(workers)):
            if not self._is_wanted(workflow):
                continue
            worker = self.declared[workflow]
            if not worker.is_over:
                worker.ask({"do": self.what, "workflow": workflow})
                has_replied = partial(self._has_reply, workflow)
                self._read([worker], has_replied, self.project.settings.cycle.patience_s)
            if workflow not in self.replies:
                self._go_without(worker, workflow)

    def _declare(self, workers: Iterable[Worker]) -> dict[str, list[str]]:
        """Return what the workflows of these modules wait for; a name is taken once."""
        waits: dict[str, list[str]] = {}
        for worker in workers:
            for workflow, after in (worker.declares or {}).items():
                if workflow in self.declared:
                    self._refuse_second(worker, workflow)
                else:
                    self.declared[workflow] = worker
                    waits[workflow] = after
        return waits

    def _refuse_second(self, worker: Worker, workflow: str) -> None:
        text = (
            f"Workflow '{workflow}' is already declared in {self.declared[workflow].label}, so "
            f"the one in {worker.label} was left out. Rename it in one of the two."
        )
        name = worker.name if worker.name != workflow else worker.label
        self.replies[name] = {"error": text}
        self.verdicts.append(Verdict(ConditionKind.MODULE, worker.name, text))

    def _is_wanted(self, workflow: str) -> bool:
        is_chosen = self.wanted is None or workflow in self.wanted
        is_enabled = self.project.settings.workflow(workflow).enabled
        return is_chosen and self.campaign.has(workflow) and is_enabled

    def _go_without(self, worker: Worker, workflow: str) -> None:
        if worker.is_over:
            self.replies[workflow] = {"error": worker.error}
        else:
            self.patience.slow.append(Pending(worker, workflow))

    def _ask_late_modules(self) -> None:
        """Ask the modules that took long to load, while one may declare a wanted workflow."""
        while (late := self._late_modules()) and self._misses_workflows():
            self._read(late, is_loaded, SHORTEST_PAUSE_S)
            self.patience.end_silent(late)
            self._ask_workflows_of([worker for worker in late if is_loaded(worker)])

    def _late_modules(self) -> list[Worker]:
        return [worker for worker in self.workers if not is_loaded(worker)]

    def _misses_workflows(self) -> bool:
        """Say whether a module that is not loaded yet may declare a wanted workflow."""
        return self.wanted is None or not self.declared.keys() >= set(self.wanted)

    def _collect_slow(self, *, is_patient: bool) -> None:
        """Collect what slow modules reply; end those that gave no sign of life for the limit."""
        patience = self.patience
        while patience.slow:
            workers = patience.slow_workers
            self._read(workers, self._has_replied_to_all, SHORTEST_PAUSE_S)
            patience.end_silent(workers)
            for pending in patience.slow:
                if pending.worker.is_over:
                    self.replies.setdefault(pending.workflow, {"error": pending.worker.error})
            patience.slow = [one for one in patience.slow if one.workflow not in self.replies]
            for worker in set(workers).difference(patience.slow_workers):
                worker.close()
            if not is_patient:
                return

    def _has_reply(self, workflow: str, _: Worker) -> bool:
        return workflow in self.replies

    def _has_replied_to_all(self, worker: Worker) -> bool:
        mine = (one.workflow for one in self.patience.slow if one.worker is worker)
        return all(workflow in self.replies for workflow in mine)

    def _read(
        self, workers: Iterable[Worker], is_ready: Callable[[Worker], bool], seconds: float
    ) -> None:
        for message in wait_for(workers, is_ready, seconds):
            self.replies[message["workflow"]] = message["answer"]

    def _refuse_unknown(self) -> None:
        """Raise ``UsageError`` for a wanted workflow that no module declares, if all are loaded."""
        is_unsure = any(worker.error or not is_loaded(worker) for worker in self.workers)
        if self.patience.silent or is_unsure:
            return
        for name in self.wanted or ():
            if name not in self.declared:
                where = self.project.settings.folder / "workflows"
                nearest_name = nearest(name, self.declared)
                message = f"There is no workflow '{name}' in {where}. {nearest_name}"
                raise UsageError(message)

    def _judge_modules(self) -> None:
        """Give a verdict on each module that was loaded or cannot be."""
        pending = self.patience.slow_workers
        self.verdicts += [
            Verdict(ConditionKind.MODULE, worker.name, worker.error)
            for worker in {*self.workers, *self.slow_before}
            if is_loaded(worker) and worker not in pending
        ]

    def _close_modules(self) -> None:
        """Let the modules end that are not needed any more, and say which of them are broken."""
        patience = self.patience
        patience.end_silent(self._late_modules())
        patience.loading = self._late_modules() if self._misses_workflows() else []
        kept = {*patience.loading, *patience.slow_workers}
        for worker in self.workers:
            if worker not in kept:
                self._close_module(worker)

    def _close_module(self, worker: Worker) -> None:
        if worker.error and worker.declares is None and self._misses_workflows():
            self.replies.setdefault(worker.name, {"error": worker.error})
        if is_loaded(worker):
            worker.close()
        else:
            worker.kill("not needed")
