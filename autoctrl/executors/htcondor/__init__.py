"""Jobs of an HTCondor pool: ``type = "htcondor"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import Adapter
from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings

if TYPE_CHECKING:
    from autoctrl.executors.surroundings import Surroundings
    from autoctrl.ports import Executor


def open_htcondor(
    name: str, section: HTCondorExecutorSettings, surroundings: Surroundings
) -> Executor:
    """Return the executor of this table; raises ``MissingExtra`` without jinja2."""
    from autoctrl.executors.htcondor.executor import HTCondorExecutor

    return HTCondorExecutor(
        name,
        surroundings.jobs_folder(name),
        surroundings.store_id,
        section,
        folder=surroundings.project,
        place=surroundings.place,
        templates=surroundings.templates,
        hints=surroundings.hints,
    )


ADAPTER = Adapter(HTCondorExecutorSettings, open_htcondor)
