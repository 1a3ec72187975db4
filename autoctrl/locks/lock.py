"""The algebra of locks: a lock, both of two, either of two, and any callable as a lock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import WorkflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from autoctrl.locks.lookup import Lookup
    from autoctrl.model.task import Task

    Answer = object  # None, a reason, or a Wait; what else an author's function answers is reported


class Wait(NamedTuple):
    """A reason to wait.

    reason  a sentence without a countdown, so that it changes only when the situation does
    until   when it may pass by itself, aware UTC; None if nobody knows
    """

    reason: str
    until: datetime | None = None


class Lock:
    """A gate for many tasks at once.

    ``after`` names the workflows it waits for, ``latest`` those of which the newest run at or
    before is meant.
    """

    after: frozenset[str] = frozenset()
    latest: frozenset[str] = frozenset()

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Return the reason to wait by unit; a unit that is absent may go."""
        raise NotImplementedError

    def __and__(self, other: Lock | Callable[[Task], Answer]) -> Lock:
        """Wait until both are open."""
        return Both(self, as_lock(other))

    def __rand__(self, other: Callable[[Task], Answer]) -> Lock:
        """Wait until both are open."""
        return Both(as_lock(other), self)

    def __or__(self, other: Lock | Callable[[Task], Answer]) -> Lock:
        """Wait until one of the two is open."""
        return Either(self, as_lock(other))

    def __ror__(self, other: Callable[[Task], Answer]) -> Lock:
        """Wait until one of the two is open."""
        return Either(as_lock(other), self)


class Open(Lock):
    """The lock that never holds anything."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:  # noqa: ARG002 - the contract's signature
        """Hold nothing."""
        return {}


class Both(Lock):
    """Two locks of which each must be open."""

    def __init__(self, left: Lock, right: Lock) -> None:
        """Join two locks."""
        self.left, self.right = left, right
        self.after = left.after | right.after
        self.latest = left.latest | right.latest

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask both; the reasons are joined, and the later of two known times counts."""
        left, right = self.left.check(tasks, look), self.right.check(tasks, look)
        return {
            **left,
            **right,
            **{unit: _joined(left[unit], right[unit]) for unit in left.keys() & right.keys()},
        }


class Either(Lock):
    """Two locks of which one must be open."""

    def __init__(self, left: Lock, right: Lock) -> None:
        """Join two locks."""
        self.left, self.right = left, right
        self.after = left.after | right.after
        self.latest = left.latest | right.latest

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask the second only about what the first holds."""
        left = self.left.check(tasks, look)
        right = (
            self.right.check([task for task in tasks if task.unit in left], look) if left else {}
        )
        return {unit: _alternative(left[unit], right[unit]) for unit in left.keys() & right.keys()}


def _joined(left: Wait, right: Wait) -> Wait:
    until = None if left.until is None or right.until is None else max(left.until, right.until)
    return Wait(f"{left.reason}; {right.reason}", until)


def _alternative(left: Wait, right: Wait) -> Wait:
    times = [until for until in (left.until, right.until) if until is not None]
    return Wait(f"{left.reason}, or {right.reason}", min(times, default=None))


class Custom(Lock):
    """Any callable ``task -> None | reason | Wait`` as a lock, asked within a time limit.

    One that raises makes its tasks wait with the error as the reason; one that hangs holds
    everything that it has not answered, and is left behind.
    """

    def __init__(self, function: Callable[[Task], Answer]) -> None:
        """Keep the callable."""
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask about one task after the other, in a thread of its own, for at most ``look.limit_s``
        seconds.
        """
        answers: dict[str, Wait | None] = {}
        thread = threading.Thread(target=self._ask, args=(tasks, answers), daemon=True)
        thread.start()
        thread.join(look.limit_s)
        silent = Wait(f"lock {self.name} gave no answer within {look.limit_s:g} s")
        given = dict(answers)
        waits = {task.unit: given.get(task.unit, silent) for task in tasks}
        return {unit: wait for unit, wait in waits.items() if wait is not None}

    def _ask(self, tasks: Sequence[Task], answers: dict[str, Wait | None]) -> None:
        for task in tasks:
            try:
                answers[task.unit] = _as_wait(self.function(task))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an author's lock raises is a reason to wait
                answers[task.unit] = Wait(
                    f"lock {self.name} raised {type(error).__name__}: {error}"
                )


def _as_wait(answer: Answer) -> Wait | None:
    if answer is None or isinstance(answer, Wait):
        return answer
    if isinstance(answer, str) and answer:
        return Wait(answer)
    message = f"it answered {answer!r}; a lock answers None, a reason, or Wait(reason, until)"
    raise TypeError(message)


def as_lock(value: object) -> Lock:
    """Return a lock for what an author wrote: nothing, a lock, or a callable.

    Raises ``WorkflowError`` for anything else, a class of lock that was not called among them.
    """
    if value is None:
        return Open()
    if isinstance(value, Lock):
        return value
    if callable(value) and not (isinstance(value, type) and issubclass(value, Lock)):
        return Custom(value)
    message = f"locks={value!r} is no lock."
    raise WorkflowError(
        message,
        hint='Give a lock such as After("reco"), a function of the task, or several joined by &.',
    )
