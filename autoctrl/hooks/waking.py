"""What is done when something was delivered: the loops are woken, or jobs of Jenkins triggered."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError, JenkinsError
from autoctrl.machine.wake import wake_loops

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autoctrl.config import Settings

    Deed = Callable[[], None]

KEPT = "What was told is kept; the next cycle finds it."


def choose_wake(
    settings: Settings, trigger: Callable[[str], object], tell: Callable[[str], None]
) -> Deed:
    """Return what wakes the cycles, as ``[hooks] wake`` says; ``trigger`` triggers a job by name.

    It may be called by several threads at once and returns soon; what fails is told in a line, for
    what was delivered is on disk, and the next cycle finds it.
    """
    if settings.hooks.wake == "jenkins":
        return Folded(partial(_trigger_all, settings.hooks.wake_jobs.split(), trigger, tell), tell)
    return partial(_attempt, partial(wake_loops, settings.state_folder), tell)


class Folded:
    """Does a deed in a thread of its own.

    Whoever asks while it is being done has it done once more after that, however many ask.
    """

    def __init__(self, deed: Deed, tell: Callable[[str], None]) -> None:
        self._deed, self._tell = deed, tell
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        """Ask for the deed."""
        self._wanted.set()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="wake", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            _attempt(self._deed, self._tell)


def _attempt(deed: Deed, tell: Callable[[str], None]) -> None:
    try:
        deed()
    except (AutoctrlError, OSError) as error:
        tell(f"hooks: the cycle was not woken: {error}")


def _trigger_all(
    jobs: Sequence[str], trigger: Callable[[str], object], tell: Callable[[str], None]
) -> None:
    """Trigger one job after the other.

    One that fails is told and stops no other, but for a Jenkins that cannot be asked now.
    """
    for place, job in enumerate(jobs):
        try:
            trigger(job)
        except (AutoctrlError, OSError) as error:
            is_away = isinstance(error, JenkinsError) and error.is_passing
            left = jobs[place:] if is_away else [job]
            tell(f"hooks: Jenkins was not asked for {' and '.join(left)}: {error} {KEPT}")
            if is_away:
                return
