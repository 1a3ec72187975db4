"""Where jobs run. ``open_executor`` makes the one that the settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import SettingsError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.config import LocalExecutorSettings
    from autoctrl.ports import Executor

TYPES = ("local",)


def open_executor(name: str, settings: LocalExecutorSettings, state: Path, store_id: str) -> Executor:
    """Return the executor ``[executors.<name>]`` for one store, which keeps its jobs' folders below ``state``.

    Raises ``SettingsError`` if its type does not exist.
    """
    if settings.type not in TYPES:
        message = f"Executor '{name}' has the type '{settings.type}', which does not exist."
        raise SettingsError(message, hint=nearest(settings.type, TYPES))
    from autoctrl.executors.local import LocalExecutor

    return LocalExecutor(name, state / "jobs" / name, store_id, slots=settings.slots, grace_s=settings.grace_s)
