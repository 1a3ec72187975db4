"""Threads for what takes longer than a person's patience; a bounded number of them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 16
PATIENCE_S = 0.7
GRACE_S = 20.0


class Workers:
    """Threads that do one thing each.

    They end with the process: what they do can be cut off at any point.

    patience_s  how long whoever asks is kept waiting for what one of them does, seconds
    """

    def __init__(self, most: int = MOST, patience_s: float = PATIENCE_S) -> None:
        """Have ``most`` threads at once."""
        self._most, self._busy = most, 0
        self.patience_s = patience_s
        self._changed = threading.Condition()

    def start(self, work: Callable[[], object]) -> bool:
        """Begin to do something, whose errors must be its own; return False if too much is going
        on.
        """
        with self._changed:
            if self._busy >= self._most:
                return False
            self._busy += 1
        threading.Thread(target=self._run, args=(work,), name="chat", daemon=True).start()
        return True

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def finish(self, grace_s: float = GRACE_S) -> bool:
        """Wait until nothing is being done, for so long at most; say whether that is so."""
        deadline = time.monotonic() + grace_s
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._busy, max(0.0, deadline - time.monotonic())
            )
