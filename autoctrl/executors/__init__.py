"""Where jobs run. ``open_executor`` makes the one that the settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section
from autoctrl.executors.surroundings import Surroundings

if TYPE_CHECKING:
    from autoctrl.config import ExecutorSettings
    from autoctrl.ports import Executor


def open_executor(name: str, section: ExecutorSettings, surroundings: Surroundings) -> Executor:
    """Return the executor ``[executors.<name>]``.

    Raises ``MissingExtra`` if the packages for it are not installed.
    """
    executor: Executor = open_section("executors", name, section, surroundings)
    return executor


__all__ = ["Surroundings", "open_executor"]
