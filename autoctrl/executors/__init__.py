"""Where jobs run. ``open_executor`` makes the one that the settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import LocalExecutorSettings
from autoctrl.model.names import JOBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autoctrl.config import HTCondorExecutorSettings
    from autoctrl.ports import Executor


def open_executor(
    name: str,
    settings: LocalExecutorSettings | HTCondorExecutorSettings,
    state: Path,
    store_id: str,
    *,
    place: str = "",
    templates: Sequence[Path] = (),
    hints: Mapping[str, str] | None = None,
) -> Executor:
    """Return the executor ``[executors.<name>]`` for one store, which keeps its jobs' folders below
    ``state``.

    ``state`` lies in the project's folder, from which relative paths of the settings count;
    ``place`` is where the jobs are that are meant, where that is not where the settings point now;
    ``templates`` are the folders in which a project overrides the packaged templates; ``hints`` the
    variables that tell a job where to leave hints. Raises ``MissingExtra`` if the packages for it
    are not installed.
    """
    folder = state / JOBS / name
    if isinstance(settings, LocalExecutorSettings):
        from autoctrl.executors.local.executor import LocalExecutor

        return LocalExecutor(
            name, folder, store_id, slots=settings.slots, grace_s=settings.grace_s, hints=hints
        )
    from autoctrl.executors.htcondor import HTCondorExecutor

    return HTCondorExecutor(
        name,
        folder,
        store_id,
        settings,
        folder=state.parent,
        place=place,
        templates=templates,
        hints=hints,
    )
