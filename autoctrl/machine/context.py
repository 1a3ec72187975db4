"""What a cycle works with: the ports, the settings and the campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.handlers.handler import Function
    from autoctrl.model.task import Task
    from autoctrl.ports import Clock, Executor, Store


class Context(NamedTuple):
    """The ports of one process, for one campaign.

    store       where records are kept
    executor    opens an executor by its name in the settings
    calls       opens the executor that calls a function; takes the function, what returns the task
                for a unit's folder name, and what is called while a call goes on
    clock       the time
    settings    the project's settings
    campaign    the campaign that the cycle works for
    """

    store: Store
    executor: Callable[[str], Executor]
    calls: Callable[[Function, Callable[[str], Task], Callable[[], object]], Executor]
    clock: Clock
    settings: Settings
    campaign: str

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.settings.folder

    @property
    def environment(self) -> str:
        """Name of the settings' environment, empty for none."""
        return self.settings.environment

    @property
    def output_root(self) -> Path:
        """Folder below which outputs lie."""
        return self.settings.path(self.settings.outputs.root)

    @property
    def state_folder(self) -> Path:
        """Folder of the project's own files: bodies of provenance, jobs' records."""
        return self.settings.state_folder
