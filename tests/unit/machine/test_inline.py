"""Functions as jobs: called in a child process, at least once, each with a deadline."""

from __future__ import annotations

import math
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.executors.inline import InlineExecutor
from autoctrl.executors.inline.executor import measure
from autoctrl.handlers.inline import InlineHandler
from autoctrl.model.job import FileInfo
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.ports import JobOrder, JobResult
from tests.unit.given import SPEC, view
from tests.unit.machine.room import Room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.model.task import Task


def call(
    folder: Path, function: object, *runs: int, limit_s: int = 20, **outputs: str
) -> dict[str, JobResult]:
    """Call the function for these runs in one submission; return the results by run."""
    calls = executor(folder, function)
    spec = SPEC._replace(time_limit_s=limit_s, outputs=outputs)
    orders = [JobOrder(tag(run), spec, str(folder / f"out{run}")) for run in runs or (7,)]
    assert calls.submit(orders) == {order.tag: order.tag for order in orders}
    return {order.tag.split("/")[3]: calls.results[order.tag] for order in orders}


def executor(folder: Path, function: Any) -> InlineExecutor:
    return InlineExecutor(folder / ".autoctrl", function, lambda unit: view(int(unit)))


def tag(run: int) -> str:
    return f"s1/prompt/dq/{run}/v1/0.1"


def test_a_function_reads_its_task_and_returns_fields(tmp_path: Path) -> None:
    """Fields come back as floats and texts, outputs with size and checksum."""

    def work(task: Task) -> dict[str, Any]:
        Path(task.outputs["plot"]).write_text("12345")
        return {"run": task.run, "ok": True, "note": "fine"}

    done = call(tmp_path, work, plot="p.txt")["7"]
    assert (done.exit_code, done.failure, done.reason, done.fields) == (
        0,
        None,
        "",
        {"run": 7.0, "ok": 1.0, "note": "fine"},
    )
    (made,) = done.files
    assert (made.name, made.url, made.bytes) == ("plot", str(tmp_path / "out7" / "p.txt"), 5)
    assert made.checksum.startswith("sha256:5994471a")


def test_one_bad_call_does_not_touch_the_others(tmp_path: Path) -> None:
    """An error, an exit, a killed process and an endless call fail alone, each with its reason."""

    def work(task: Task) -> None:
        if task.run == 1:
            message = "no"
            raise ValueError(message)
        if task.run == 2:
            raise SystemExit(4)
        if task.run == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if task.run == 4:
            os._exit(5)

    made = call(tmp_path, work, 1, 2, 3, 4, 5)
    assert [(made[run].exit_code, made[run].signal, made[run].reason) for run in "12345"] == [
        (1, None, "ValueError: no"),
        (1, None, "SystemExit: 4"),
        (None, 9, "the function ended its process: signal SIGKILL"),
        (5, None, "the function ended its process: exit code 5"),
        (0, None, ""),
    ]
    assert {made[run].failure for run in "34"} == {Failure.USER}


def test_a_call_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """At its deadline, as a failure of the class time limit; what comes after it is still
    called.
    """
    made = call(
        tmp_path,
        lambda task: threading.Event().wait(60) if task.run == 1 else None,
        1,
        2,
        limit_s=0,
    )
    assert (made["1"].failure, made["1"].reason) == (
        Failure.TIME,
        "the function took more than 0 s",
    )
    assert len(made) == 2


@pytest.mark.parametrize("text", [None, ""])
def test_an_output_that_was_not_written_fails_the_call(tmp_path: Path, text: str | None) -> None:
    """Missing or empty, it is the class output, and nothing is published."""

    def work(task: Task) -> None:
        if text is not None:
            Path(task.outputs["plot"]).write_text(text)

    done = call(tmp_path, work, plot="p.txt")["7"]
    assert (done.failure, done.reason, done.files) == (
        Failure.OUTPUT,
        "output plot is missing or empty",
        (),
    )


def test_what_a_function_prints_is_its_log(tmp_path: Path) -> None:
    """Each call has its own; one that prints nothing has none, and the results may be forgotten
    while logs stay.
    """
    calls = executor(
        tmp_path, lambda task: os.write(1, b"run 1\n") and None if task.run == 1 else None
    )
    calls.submit([JobOrder(tag(run), SPEC, str(tmp_path)) for run in (1, 2)])
    assert (calls.log(tag(1)), calls.log(tag(2)), calls.log(tag(1), "stderr")) == (
        "run 1\n",
        "",
        "",
    )
    reports = calls.poll([tag(1), tag(2), tag(3)])
    assert [reports[tag(run)].status for run in (1, 2, 3)] == [
        JobStatus.DONE,
        JobStatus.DONE,
        JobStatus.LOST,
    ]
    assert reports[tag(1)].log == str(calls.log_path(tag(1)))
    calls.acknowledge([tag(1)])
    assert (calls.result(tag(1)), calls.log(tag(1))) == (None, "run 1\n")
    assert calls.find([tag(1), tag(3)]) == {tag(1): tag(1)}
    calls.remove([tag(1)])
    assert calls.ping() == "functions run in this process"


def test_an_executor_without_a_function_only_shows_logs(tmp_path: Path) -> None:
    """A call through it is a failure, not a crash."""
    calls = InlineExecutor(tmp_path)
    calls.submit([JobOrder(tag(7), SPEC, str(tmp_path))])
    assert calls.results[tag(7)].reason == "RuntimeError: this executor has no function to call"


@pytest.mark.parametrize("answer", [5, [("a", 1)], "text"])
def test_a_function_returns_a_dictionary_or_nothing(tmp_path: Path, answer: object) -> None:
    """Anything else is an error of the function that says what is allowed."""
    done = call(tmp_path, lambda _: answer)["7"]
    assert (done.failure, done.exit_code) == (None, 1)
    assert "a function returns a dictionary of fields, or None" in done.reason


@pytest.mark.parametrize("bad", [None, "x" * 501, [1], math.nan])
def test_a_field_that_cannot_be_kept_is_left_out_and_named(tmp_path: Path, bad: object) -> None:
    """The work is done, as that of a job that reports such a value."""
    done = call(tmp_path, lambda _: {"good": 1, "bad": bad})["7"]
    assert (done.exit_code, done.fields) == (0, {"good": 1.0})
    assert done.reason.endswith(": bad")


def test_a_missing_file_measures_as_missing(tmp_path: Path) -> None:
    """It has no size and no checksum."""
    assert measure("a", str(tmp_path / "gone")) == FileInfo("a", str(tmp_path / "gone"), -1, "")


def test_a_cycle_of_functions_ends_in_the_same_cycle(tmp_path: Path) -> None:
    """Born, called, accepted: with many tasks and chunks, all are done when the cycle is."""
    room = Room(tmp_path)
    for number in range(1, 61):
        room.has_run(number)
    summary = room.cycle(InlineHandler("count", lambda task: {"n": task.run}))
    assert (summary.counts["finish"], summary.open, summary.failed) == (60, (0, 0), ())
    assert room.task("count", "60").status is TaskStatus.DONE


def test_a_function_that_fails_is_told_once(tmp_path: Path) -> None:
    """User code is not repeated, unless its code was declared; the alert carries the log."""

    def work(task: Task) -> None:
        os.write(1, b"before\n")
        raise RuntimeError(task.unit)

    room = Room(tmp_path)
    room.has_run(1)
    summary = room.cycle(InlineHandler("count", work))
    assert summary.failed == ("run 1 / count: job 0.1 failed (user code): RuntimeError: 1",)
    room.cycle(InlineHandler("count", work))
    (alarm,) = room.alarms
    log = Path(alarm.partition("logs: ")[2])
    assert log.read_text().startswith("before\n")


def test_an_interrupted_call_counts_as_an_attempt_and_is_made_again(tmp_path: Path) -> None:
    """A call that had begun is found by the next cycle; after the back-off the function is called
    once more.
    """
    room = Room(tmp_path)
    room.has_run(1)
    handler = InlineHandler("count", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_cycle(room, handler, begins=True)
    assert room.history("count")[-1].status is JobStatus.SUBMITTING
    room.cycle(handler)
    first, second = room.history("count")[-2:]
    assert (first.status, first.failure, first.reason) == (
        "lost",
        "node",
        "the cycle that ran it was interrupted",
    )
    assert (second.attempt, second.used) == (2, 2)
    room.cycle(handler, pass_s=60)
    assert room.task("count").status is TaskStatus.DONE


def test_a_call_that_never_began_does_not_count(tmp_path: Path) -> None:
    """It only had its intent when the cycle ended, so the next cycle makes it as the same
    attempt.
    """
    room = Room(tmp_path)
    room.has_run(1)
    handler = InlineHandler("count", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_cycle(room, handler, begins=False)
    room.cycle(handler)
    last = room.history("count")[-1]
    assert (last.status, last.attempt, last.used) == (JobStatus.DONE, 1, 1)


def test_what_began_is_forgotten_once_it_is_settled(tmp_path: Path) -> None:
    """The list of begun calls keeps those that the next cycle has to ask for, and no older ones."""
    earlier = executor(tmp_path, lambda _: None)
    earlier.submit([JobOrder(tag(run), SPEC, str(tmp_path)) for run in (1, 2)])
    calls = executor(tmp_path, lambda _: None)
    assert calls.find([tag(2), tag(3)]) == {tag(2): tag(2)}
    calls.submit([JobOrder(tag(3), SPEC, str(tmp_path))])
    assert calls.started.known(tag(1)) == {tag(2), tag(3)}


def _interrupted_cycle(room: Room, handler: InlineHandler, *, begins: bool) -> None:
    """Make a cycle that ends, as by SIGINT, between the intent and the call, or in the call."""
    from autoctrl.machine.cycle import Cycle

    class Interrupting(InlineExecutor):
        def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
            if begins:
                super().submit(orders)
            raise KeyboardInterrupt

    def open_interrupting(*_: object) -> InlineExecutor:
        return Interrupting(room.context.state_folder)

    Cycle(handler, room.context._replace(calls=open_interrupting)).run()
