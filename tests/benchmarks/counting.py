"""What the store does for one idle round, counted instead of timed; and what one record costs.

``python -m tests.benchmarks.counting PROJECT`` prints JSON: ``steps`` of SQLite's virtual machine
for a cycle of every workflow of the project, and for a store of its own µs per record of ``append``
and per task of ``open_tasks``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.compose import open_project
from autoctrl.machine.cycle import Cycle
from autoctrl.model.campaign import PROMPT
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey, run_unit
from autoctrl.stores.sqlite.store import SqliteStore
from tests.benchmarks.filled import handlers_of

if TYPE_CHECKING:
    from autoctrl.ports import Record

RECORDS = 5000
BATCHES = 5
MICROS = 1e6


def count_steps(folder: Path) -> int:
    """Return the steps of one cycle of every workflow of the project in ``folder``, which has
    nothing to do.
    """
    with open_project(folder) as project:
        if not isinstance(project.store, SqliteStore):
            message = f"{folder} keeps no SQLite store"
            raise TypeError(message)
        project.store.connection.count_steps()
        for handler in handlers_of(project):
            Cycle(handler, project.context(PROMPT)).run()
        return project.store.connection.steps


def time_store(folder: Path) -> tuple[float, float]:
    """Return µs per record appended in batches, and µs per task that ``open_tasks`` returns: the
    best of a few.
    """
    with open_project(folder) as project:
        store, now = project.store, project.clock.now()
        appended: list[float] = []
        opened: list[float] = []
        for batch in range(BATCHES):
            numbers = range(batch * RECORDS, (batch + 1) * RECORDS)
            records: list[Record] = [
                new_task(TaskKey(PROMPT, "work", run_unit(n)), (n,), now) for n in numbers
            ]
            began = time.perf_counter()
            store.append(records)
            middle = time.perf_counter()
            found = len(store.open_tasks(PROMPT, "work"))
            appended.append((middle - began) / RECORDS)
            opened.append((time.perf_counter() - middle) / found)
    return min(appended) * MICROS, min(opened) * MICROS


def main() -> None:
    """Print the counts for the project named on the command line."""
    steps = count_steps(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "autoctrl.toml").touch()
        append_us, open_tasks_us = time_store(Path(folder))
    print(json.dumps({"steps": steps, "append_us": append_us, "open_tasks_us": open_tasks_us}))


if __name__ == "__main__":
    main()
