"""Serves the hooks of a project's chat in a process that dies where it is told.

``python -m tests.integration.chat_child PROJECT PORT WHERE``
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.chat.hooks import list_hooks
from autoctrl.chat.workers import Workers
from autoctrl.compose import open_project
from autoctrl.hooks.ledger import FILE_NAME, Ledger
from tests.integration.chat import PATIENCE_S, Listener

if TYPE_CHECKING:
    from collections.abc import Callable


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(call: Callable[..., Any], when: str) -> Callable[..., Any]:
    """Return a call before or after which this process is killed."""

    def killed(*given: Any, **named: Any) -> Any:
        if when == "before":
            die()
        result = call(*given, **named)
        die()
        return result

    return killed


def main() -> None:
    folder, port, where = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    project = open_project(folder)
    listener = Listener()
    ledger, workers = (
        Ledger(project.settings.state_folder / FILE_NAME),
        Workers(patience_s=PATIENCE_S),
    )
    listener.hooks = list_hooks(project, ledger, workers=workers)
    when, _, what = where.partition(" ")
    if what:
        store: Any = project.store
        setattr(store, what, deadly(getattr(store, what), when))
    listener.port = port
    listener.start()
    print("ready", flush=True)  # noqa: T201 - whoever started this waits for it
    threading.Event().wait()


if __name__ == "__main__":
    main()
