"""A ref's settings and handlers are tried in a child that has no token, before anything uses them.

Run as a program, this module is that child: it prints what came of the trial.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.config import load_settings
from autoctrl.errors import AutoctrlError, DeploymentError
from autoctrl.handlers.modules import find_modules
from autoctrl.machine.module_process import Worker
from autoctrl.machine.patience import is_loaded, wait_for
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl
from autoctrl.operations.deployment.limited import last_words, run_limited
from autoctrl.operations.deployment.standing_in import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.config import Settings
    from autoctrl.handlers.handler import Handler

PATIENCE_S = 60.0
LARGEST_FILE = 1 << 26
CPU_LIMIT_S = 600
SHOWN = 5


class Trial(NamedTuple):
    """What came of a trial.

    modules   the workflows that each module declares, by the module's folder
    problems  what is wrong, as sentences
    """

    modules: Mapping[str, list[str]]
    problems: list[str]


def try_out(project: Path) -> Trial:
    """Load the settings and every handler of a checkout, in a child without tokens and store.

    Raises ``DeploymentError`` with all that is wrong, or if the child does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="autoctrl-trial-") as home:
        kept = {name: value for name, value in os.environ.items() if KEPT.match(name)}
        own = {"HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-P", "-m", __name__, str(project)]
        said = run_limited(command, {**kept, **own}, PATIENCE_S + CPU_LIMIT_S)
    trial = _read(said.out)
    if trial is None or said.code != 0:
        message = f"The workflows of {project} could not be tried: {last_words(said)}."
        raise DeploymentError(message)
    if trial.problems:
        further = len(trial.problems) - SHOWN
        more = [f"There are {further} more."] if further > 0 else []
        text = " ".join([*trial.problems[:SHOWN], *more])
        raise DeploymentError(text, hint="Nothing was switched.")
    return trial


def _read(text: str) -> Trial | None:
    try:
        values = json.loads(text)
        return Trial(values["modules"], values["problems"])
    except (ValueError, KeyError, TypeError):
        return None


def main(project: Path) -> int:
    """Be the child: print what came of loading the settings and handlers of a project."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    out = os.dup(1)
    os.dup2(2, 1)  # what a module prints is no answer
    for limit, value in {
        resource.RLIMIT_CPU: CPU_LIMIT_S,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_CORE: 0,
    }.items():
        resource.setrlimit(limit, (value, value))
    try:
        settings = load_settings(project)
        trial = load_handlers(settings)
    except AutoctrlError as error:
        trial = Trial({}, [str(error)])
    os.write(out, json.dumps(trial._asdict()).encode())
    return 0


def load_handlers(settings: Settings) -> Trial:
    """Load every module in a process of its own, and compare it with the settings."""
    limit_s = min(settings.cycle.module_limit_s, PATIENCE_S)
    workers = _start(settings, limit_s)
    problems = [worker.error for worker in workers if worker.error]
    owners: dict[str, Worker] = {}
    for worker in workers:
        for workflow in worker.declares or ():
            problems += _judge(workflow, worker, owners, limit_s)
        worker.close()
    return Trial({worker.name: [*(worker.declares or ())] for worker in workers}, problems)


def _start(settings: Settings, limit_s: float) -> list[Worker]:
    """Return the processes of all modules; one that is not loaded in time has been ended."""
    workers = [Worker(path, _checking(settings)) for path in find_modules(settings.folder)]
    list(wait_for(workers, is_loaded, limit_s))
    for worker in workers:
        if not is_loaded(worker):
            worker.kill(f"Workflow module {worker.label} was not loaded within {limit_s:g} s.")
    return workers


def _judge(workflow: str, worker: Worker, owners: dict[str, Worker], limit_s: float) -> list[str]:
    """Return what is wrong with a workflow of a module, beside others and the settings."""
    first = owners.setdefault(workflow, worker)
    if first is not worker:
        return [f"Workflow '{workflow}' is declared in {first.label} and {worker.label}."]
    if worker.is_over:
        return []
    worker.ask({"workflow": workflow})
    message = next(wait_for([worker], lambda _: False, limit_s), None)
    if message is None:
        return [worker.error or f"Workflow module {worker.label} is silent."]
    problem = message["answer"].get("error", "")
    return [problem] if problem else []


def _checking(settings: Settings) -> Callable[..., dict[str, Any]]:
    def check(
        handler: Handler, request: Mapping[str, Any], alive: Callable[[], None]
    ) -> dict[str, Any]:
        del request, alive
        settings.workflow(handler.workflow, handler.resources)
        return {}

    return check


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
