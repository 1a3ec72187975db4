"""The algebra of locks, and locks that authors write themselves."""

from __future__ import annotations

import threading
from itertools import product
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import ServiceDown, WorkflowError
from autoctrl.handlers.inputs import Latest
from autoctrl.locks import After, Has, Lock, Open, Wait, as_lock
from autoctrl.locks.lock import AllOf, InTurn
from tests.unit.given import later, run, view
from tests.unit.locks.looking import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autoctrl.locks import Lookup
    from autoctrl.model.task import Task

TASK = view(1)


def ask(lock: Lock, *tasks: Task, limit_s: float = 5.0) -> dict[str, Wait]:
    return lock.check(tasks or [TASK], World().look(limit_s=limit_s))


def says(answer: object) -> Callable[[Task], object]:
    """Return a lock that always answers the same."""
    return lambda _: answer


def test_nothing_holds_nothing() -> None:
    """A workflow without locks waits for nothing, and a lock that was given stays itself."""
    assert ask(as_lock(None)) == {}
    lock = Open()
    assert as_lock(lock) is lock


@pytest.mark.parametrize("nonsense", [5, "reco", After, Has, ["a"]])
def test_what_is_no_lock_is_refused(nonsense: object) -> None:
    """A text, a list, or a class of lock that was not called is refused with what to write."""
    with pytest.raises(WorkflowError, match=r"is not a lock.*After\("):
        as_lock(nonsense)


def test_an_input_is_not_a_lock() -> None:
    """Who writes ``locks=Latest(…)`` is told where it belongs."""
    with pytest.raises(WorkflowError, match=r"locks=Latest\(…\) is an input, not a lock.*inputs="):
        as_lock(Latest("pedestal"))


class Odd(Lock):
    """Three lines are a lock."""

    def reason(self, task: Task, look: Lookup) -> str | None:
        del look
        return f"run {task.run} is odd" if task.attributes["is_odd"] else None


def test_a_lock_is_one_question_about_one_task() -> None:
    """The loop over tasks is not the author's; what it raises holds the task that it was about."""
    numbered = {number: run(number, is_odd=number % 2 == 1) for number in (1, 2)}
    tasks = [view(1, runs=numbered), view(2, runs=numbered), view(3)]
    assert ask(Odd(), *tasks) == {
        "1": Wait("run 1 is odd"),
        "3": Wait("lock Odd raised KeyError: 'is_odd'"),
    }


def test_a_lock_may_ask_about_many_tasks_in_one_question() -> None:
    """It is told of all of them before it is asked about each."""
    prepared: list[list[str]] = []

    class Prepared(Odd):
        def prepare(self, tasks: Sequence[Task], look: Lookup) -> None:
            del look
            prepared.append([task.unit for task in tasks])

    ask(Prepared(), view(1), view(2))
    assert prepared == [["1", "2"]]


def test_a_lock_that_says_nothing_holds_everything() -> None:
    """A class of lock without a reason is a mistake that shows at once."""
    assert ask(Lock())["1"].reason.startswith("lock Lock raised NotImplementedError")


def test_a_store_that_does_not_answer_is_nobodys_reason() -> None:
    """Its error ends the cycle of this workflow, as anywhere else."""

    class Asking(Lock):
        def reason(self, task: Task, look: Lookup) -> str | None:
            del task, look
            message = "the store does not answer"
            raise ServiceDown(message)

    with pytest.raises(ServiceDown):
        ask(Asking())


@pytest.mark.parametrize(("left", "right"), list(product([None, "left"], [None, "right"])))
def test_both_and_either_follow_logic(left: str | None, right: str | None) -> None:
    """``&`` waits if one waits, ``|`` if both do; the reasons are joined."""
    first, second = as_lock(says(left)), as_lock(says(right))
    both, either = ask(first & second), ask(first | second)
    assert ("1" in both) == bool(left or right)
    assert ("1" in either) == bool(left and right)
    if left and right:
        assert (both["1"].reason, either["1"].reason) == ("left; right", "left, or right")


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [(1, 2, 2, 1), (2, 1, 2, 1), (None, 1, None, 1), (1, None, None, 1), (None, None, None, None)],
)
def test_times_are_joined_as_reasons_are(
    left: int | None, right: int | None, both: int | None, either: int | None
) -> None:
    """Both pass at the later of two known times, either at the earlier one that is known."""
    waits = [Wait("x", None if seconds is None else later(seconds)) for seconds in (left, right)]
    first, second = (as_lock(says(wait)) for wait in waits)
    expected = [None if seconds is None else later(seconds) for seconds in (both, either)]
    assert [ask(lock)["1"].until for lock in (first & second, first | second)] == expected


def test_a_function_joins_from_either_side() -> None:
    """A plain function stands left or right of a lock."""
    closed = says("closed")
    joined = [Open() & closed, closed & Open(), Open() | closed, closed | Open()]
    assert [bool(ask(lock)) for lock in joined] == [True, True, False, False]


def test_either_asks_the_second_only_about_what_the_first_holds() -> None:
    """A costly alternative is asked about no task that may go already."""
    asked: list[str] = []
    cheap = as_lock(lambda task: "odd" if task.run % 2 else None)
    costly = as_lock(lambda task: asked.append(task.unit))
    assert ask(cheap | costly, view(1), view(2), view(3)) == {}
    assert asked == ["1", "3"]


def test_a_composed_lock_knows_all_that_it_waits_for() -> None:
    """The order of the chain sees through ``&`` and ``|``."""
    lock = (After("a", "b") & Has("x")) | After("c")
    assert set(lock.after) == {"a", "b", "c"}


def test_several_locks_are_joined_side_by_side() -> None:
    """Any number of them is one list; what is joined otherwise stays together."""
    first, second, third = (as_lock(says(text)) for text in ("a", "b", "c"))
    joined = first & second & third
    assert isinstance(joined, AllOf)
    assert joined.locks == (first, second, third)
    reasons = [ask(lock)["1"].reason for lock in (joined, first | second | third)]
    assert reasons == ["a; b; c", "a, or b, or c"]
    assert ask((first & second) | third)["1"].reason == "a; b, or c"
    assert ask(first & (second | third))["1"].reason == "a; b, or c"


def test_in_turn_the_first_lock_that_holds_a_task_gives_the_reason() -> None:
    """The others are asked only about what passed those before."""
    asked: list[str] = []
    odd = as_lock(lambda task: "odd" if task.run % 2 else None)

    def small(task: Task) -> str | None:
        asked.append(task.unit)
        return "small" if task.run < 3 else None

    small_only = as_lock(small)
    waits = ask(InTurn(odd, small_only), view(1), view(2), view(4))
    assert waits == {"1": Wait("odd"), "2": Wait("small")}
    assert asked == ["2", "4"]
    assert ask(InTurn(as_lock(says("closed")), small_only)) == {"1": Wait("closed")}
    assert asked == ["2", "4"]


def test_a_lock_that_raises_makes_its_task_wait_with_the_error() -> None:
    """One bad task holds itself alone, and a lock that exits does not end the cycle."""

    def moody(task: Task) -> None:
        if task.run == 1:
            message = "no such magnet"
            raise ValueError(message)
        if task.run == 2:
            raise SystemExit(3)

    waits = ask(as_lock(moody), view(1), view(2), view(3))
    assert {unit: wait.reason for unit, wait in waits.items()} == {
        "1": "lock moody raised ValueError: no such magnet",
        "2": "lock moody raised SystemExit: 3",
    }


def test_a_lock_that_hangs_holds_what_it_has_not_answered() -> None:
    """After the time limit it is left behind; what it had answered before counts."""
    free = threading.Event()

    def slow(task: Task) -> str | None:
        if task.run == 1:
            return "first"
        return None if task.run == 2 else str(free.wait(20))

    waits = ask(as_lock(slow), view(1), view(2), view(3), view(4), limit_s=0.05)
    free.set()
    silent = Wait("lock slow gave no answer within 0.05 s")
    assert waits == {"1": Wait("first"), "3": silent, "4": silent}


@pytest.mark.parametrize("answer", [True, False, 0, "", ["wait"]])
def test_a_lock_that_answers_nonsense_makes_its_task_wait(answer: object) -> None:
    """What is neither None nor a reason is no permission; the reason shows the answer and what is
    allowed.
    """
    reason = ask(as_lock(says(answer)))["1"].reason
    assert f"it answered {answer!r}" in reason
    assert "None, a reason, or Wait" in reason


def test_a_lock_object_goes_by_its_class() -> None:
    """A callable without a name of its own is named by its class."""

    class Magnet:
        def __call__(self, task: Task) -> str:
            raise KeyError(task.unit)

    assert ask(as_lock(Magnet()))["1"].reason == "lock Magnet raised KeyError: '1'"
