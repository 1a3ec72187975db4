"""The algebra of locks: a lock, several joined by ``&`` or ``|``, and any callable as a lock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError, WorkflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from autoctrl.locks.lookup import Lookup
    from autoctrl.model.task import Task

    # None, a reason, or a Wait; anything else that an author's function returns is reported.
    Opinion = object


class Wait(NamedTuple):
    """A reason to wait.

    reason  a sentence without a countdown, so that it changes only when the situation does
    until   when it may pass by itself, aware UTC; None if nobody knows
    """

    reason: str
    until: datetime | None = None


class Lock:
    """A gate: ``reason`` says why a task must wait, ``after`` which workflows that depends on."""

    after: frozenset[str] = frozenset()

    def reason(self, task: Task, look: Lookup) -> str | Wait | None:
        """Return why the task must wait, None if it may go."""
        raise NotImplementedError

    def prepare(self, tasks: Sequence[Task], look: Lookup) -> None:
        """Ask ``look`` at once what ``reason`` will ask about each of the tasks."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Return the reason to wait by unit; a unit that is absent may go."""
        self.prepare(tasks, look)
        answers = {task.unit: self._ask_about(task, look) for task in tasks}
        return {unit: wait for unit, wait in answers.items() if wait is not None}

    def _ask_about(self, task: Task, look: Lookup) -> Wait | None:
        try:
            return as_wait(self.reason(task, look))
        except AutoctrlError:  # a store that does not answer is no reason of this task
            raise
        except Exception as error:  # noqa: BLE001 - whatever an author's lock raises is a reason to wait
            return _raised(type(self).__name__, error)

    def __and__(self, other: Lock | Callable[[Task], Opinion]) -> Lock:
        """Wait until both are open."""
        return AllOf(self, as_lock(other))

    def __rand__(self, other: Callable[[Task], Opinion]) -> Lock:
        """Wait until both are open."""
        return AllOf(as_lock(other), self)

    def __or__(self, other: Lock | Callable[[Task], Opinion]) -> Lock:
        """Wait until one of the two is open."""
        return AnyOf(self, as_lock(other))

    def __ror__(self, other: Callable[[Task], Opinion]) -> Lock:
        """Wait until one of the two is open."""
        return AnyOf(as_lock(other), self)


class Open(Lock):
    """The lock that never holds anything."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:  # noqa: ARG002 - the contract's signature
        """Hold nothing."""
        return {}


class Joined(Lock):
    """Several locks that answer together."""

    def __init__(self, *locks: Lock) -> None:
        """Join the locks; what is joined in the same way already is taken apart first."""
        flat = [lock.locks if type(lock) is type(self) else (lock,) for lock in locks]
        self.locks: tuple[Lock, ...] = tuple(one for several in flat for one in several)
        self.after = frozenset().union(*(lock.after for lock in locks))


class AllOf(Joined):
    """Locks of which every one must be open."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask all; the reasons are joined, and the latest time counts if all times are known."""
        waits: dict[str, Wait] = {}
        for lock in self.locks:
            for unit, wait in lock.check(tasks, look).items():
                waits[unit] = _and(waits[unit], wait) if unit in waits else wait
        return waits


class AnyOf(Joined):
    """Locks of which one must be open."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask each only about what all before it hold; the earliest known time counts."""
        first, *others = self.locks
        held = first.check(tasks, look)
        for lock in others:
            asked = [task for task in tasks if task.unit in held]
            answers = lock.check(asked, look) if asked else {}
            held = {unit: _or(held[unit], wait) for unit, wait in answers.items()}
        return held


class InTurn(Joined):
    """Locks of which every one must be open; the first that holds a task gives the reason."""

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask each only about what those before it let pass."""
        waits: dict[str, Wait] = {}
        for lock in self.locks:
            asked = [task for task in tasks if task.unit not in waits]
            waits |= lock.check(asked, look) if asked else {}
        return waits


def _and(left: Wait, right: Wait) -> Wait:
    until = None if left.until is None or right.until is None else max(left.until, right.until)
    return Wait(f"{left.reason}; {right.reason}", until)


def _or(left: Wait, right: Wait) -> Wait:
    times = [until for until in (left.until, right.until) if until is not None]
    return Wait(f"{left.reason}, or {right.reason}", min(times, default=None))


class Custom(Lock):
    """Any callable ``task -> None | reason | Wait`` as a lock, asked within a time limit.

    One that raises makes its tasks wait with the error as the reason; one that hangs holds
    everything that it has not answered, and is left behind.
    """

    def __init__(self, function: Callable[[Task], Opinion]) -> None:
        """Keep the callable."""
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def check(self, tasks: Sequence[Task], look: Lookup) -> dict[str, Wait]:
        """Ask about one task after the other, in a thread, for at most ``look.limit_s`` seconds."""
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
                answers[task.unit] = as_wait(self.function(task))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an author's lock raises is a reason to wait
                answers[task.unit] = _raised(self.name, error)


def _raised(lock: str, error: BaseException) -> Wait:
    return Wait(f"lock {lock} raised {type(error).__name__}: {error}")


def as_wait(opinion: Opinion) -> Wait | None:
    """Return what a lock said about one task. Raises ``TypeError`` for anything it may not say."""
    if opinion is None or isinstance(opinion, Wait):
        return opinion
    if isinstance(opinion, str) and opinion:
        return Wait(opinion)
    message = f"it answered {opinion!r}; a lock answers None, a reason, or Wait(reason, until)"
    raise TypeError(message)


def as_lock(value: object) -> Lock:
    """Return a lock for what an author wrote: nothing, a lock, or a callable.

    Raises ``WorkflowError`` for anything else, a class of lock that was not called among them.
    """
    if value is None:
        return Open()
    if isinstance(value, Lock):
        return value
    if hasattr(value, "find") and not isinstance(value, str | bytes | type):
        message = f"locks={type(value).__name__}(…) is an input, not a lock."
        raise WorkflowError(
            message, hint='Write inputs={"name": …}: a task waits for what it reads by itself.'
        )
    if callable(value) and not (isinstance(value, type) and issubclass(value, Lock)):
        return Custom(value)
    message = f"locks={value!r} is not a lock."
    raise WorkflowError(
        message,
        hint='Give a lock such as After("reco"), a function of the task, or several joined by &.',
    )
