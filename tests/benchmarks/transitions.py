"""How long a store takes to write a thousand transitions at once, as a cycle does it: with its
lease.

``python -m tests.benchmarks.transitions URL BATCHES`` appends to a store's workflow of its own and
prints the seconds (median) of one append of 1000 transitions. Every batch has three of them:
births, moves and ends.
"""

from __future__ import annotations

import os
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from autoctrl.model.campaign import PROMPT
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey, run_unit
from autoctrl.process import SystemClock, this_process
from autoctrl.stores import open_store

if TYPE_CHECKING:
    from autoctrl.ports import Store

TRANSITIONS = 1000
APPENDS = 3
LEASE, LEASE_S = "bench", 60.0


def move(store: Store, workflow: str) -> float:
    """Write the births, moves and ends of new tasks; return the seconds that the moves take."""
    now = SystemClock().now()
    tasks = [
        new_task(TaskKey(PROMPT, workflow, run_unit(number)), (number,), now)
        for number in range(TRANSITIONS)
    ]
    lease = store.lease(LEASE, this_process(), LEASE_S)
    store.append(tasks, lease)
    moved = [task.moved(TaskStatus.PROCESSING, now) for task in tasks]
    began = time.perf_counter()
    store.append(moved, lease)
    took_s = time.perf_counter() - began
    store.append([task.moved(TaskStatus.DONE, now) for task in moved], lease)
    store.lease(LEASE, this_process(), 0)
    return took_s


def main() -> None:
    """Measure the store named on the command line."""
    store = open_store(sys.argv[1])
    try:
        print(
            median(move(store, f"moves{os.getpid()}-{batch}") for batch in range(int(sys.argv[2])))
        )
    finally:
        store.close()


if __name__ == "__main__":
    main()
