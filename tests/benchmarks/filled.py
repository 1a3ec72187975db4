"""A project that has processed many runs already, written through the store's own interface.

``python filled.py PROJECT RUNS`` gives the project in the folder PROJECT that many runs, each done
in all its workflows, as if cycles had done it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.compose import Project, open_project
from autoctrl.handlers.modules import find_modules, load_module
from autoctrl.machine.cycle import Cycle
from autoctrl.model.actor import CYCLE
from autoctrl.model.campaign import PROMPT
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey, run_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from autoctrl.handlers.handler import Handler
    from autoctrl.ports import Record

BATCH = 10_000


def handlers_of(project: Project) -> list[Handler]:
    """Return the handlers of all workflows of a project."""
    return [handler for path in find_modules(project.folder) for handler in load_module(path)]


def records_of(number: int, workflows: Sequence[str], now: datetime) -> Iterator[Record]:
    """Give what is written of one run on its way to done in some workflows."""
    yield RunRecord(number, {}, is_closed=True, time=now, actor=CYCLE)
    for workflow in workflows:
        task = new_task(TaskKey(PROMPT, workflow, run_unit(number)), (number,), now)
        yield task
        yield (task := task.moved(TaskStatus.PROCESSING, now))
        yield task.moved(TaskStatus.DONE, now)


def fill(project: Project, runs: int, *, since: int = 1, batch: int = BATCH) -> None:
    """Write runs ``since`` to ``runs``, done in all workflows, and let each workflow's cycle take
    note of them.
    """
    handlers = handlers_of(project)
    workflows = [handler.workflow for handler in handlers]
    now = project.clock.now()
    for first in range(since, runs + 1, batch):
        numbers = range(first, min(first + batch, runs + 1))
        project.store.append(
            [record for number in numbers for record in records_of(number, workflows, now)]
        )
        for handler in handlers:
            Cycle(handler, project.context(PROMPT)).run()


if __name__ == "__main__":
    with open_project(Path(sys.argv[1])) as opened:
        fill(opened, int(sys.argv[2]))
