"""Jobs as detached processes of this machine: ``type = "local"``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, ExecutorSettings, setting

if TYPE_CHECKING:
    from autoctrl.executors.surroundings import Surroundings
    from autoctrl.ports import Executor


@dataclass(frozen=True)
class LocalExecutorSettings(ExecutorSettings):
    """``[executors.<name>]`` with ``type = "local"``: processes on this machine."""

    slots: int = setting("Jobs that may run at once; 0 takes all usable cores.", 0, least=0)
    grace_s: float = setting(
        "Time that a job has between SIGTERM and SIGKILL, seconds.", 10.0, least=0
    )

    def count_slots(self) -> int:
        """Return how many jobs may run at once."""
        return self.slots or len(os.sched_getaffinity(0))


def open_local(name: str, section: LocalExecutorSettings, surroundings: Surroundings) -> Executor:
    """Return the executor of this table."""
    from autoctrl.executors.local.executor import LocalExecutor

    return LocalExecutor(
        name,
        surroundings.jobs_folder(name),
        surroundings.store_id,
        slots=section.slots,
        grace_s=section.grace_s,
        hints=surroundings.hints,
    )


ADAPTER = Adapter(LocalExecutorSettings, open_local)
