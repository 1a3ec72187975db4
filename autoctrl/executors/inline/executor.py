"""The executor that calls one handler's function, within the cycle that submits the calls."""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.executors.inline.child import CallReport, Child
from autoctrl.executors.inline.started import StartedCalls
from autoctrl.executors.logs import check_stream, read_log, read_piece, reading_log
from autoctrl.files import digest_of
from autoctrl.model.fields import Fields, choose_fields
from autoctrl.model.job import FileInfo
from autoctrl.model.names import INLINE, JOBS
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import LOG_END, JobReport, JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.executors.inline.child import EndedCall
    from autoctrl.model.task import Task
    from autoctrl.ports import JobOrder, LogPiece, LogWindow

TICK_S = 0.5
INTERRUPTED = "the cycle that ran it was interrupted"


class CallProgress(NamedTuple):
    """How far a child came.

    done        how many calls were reported
    since       when the call that follows them began, by the monotonic clock
    is_overdue  that call has taken longer than it may
    """

    done: int
    since: float
    is_overdue: bool = False


class InlineExecutor:
    """Calls one handler's function in this cycle.

    A call that was started and has no result was interrupted in an earlier cycle; one that was not
    started is unknown.
    """

    name = INLINE
    has_safe_resubmit = True
    is_immediate = True
    place = ""
    remarks: Sequence[str] = ()

    def __init__(
        self,
        state_folder: Path,
        function: Callable[[Task], Any] | None = None,
        view: Callable[[str], Task] | None = None,
        tick: Callable[[], object] = lambda: None,
    ) -> None:
        """Call ``function``; ``view`` returns the task of a unit, ``tick`` keeps the lease.

        Without a function it only shows the logs of former calls, kept below ``state_folder``.
        """
        self.folder = state_folder / JOBS / INLINE
        self.function, self.view, self.tick = function, view, tick
        self.results: dict[str, JobResult] = {}
        self.printed: set[str] = set()
        self.started = StartedCalls(self.folder)
        self.asked: set[str] | None = set()
        self.host = socket.gethostname()

    def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
        """Make all calls; one that ends the child process fails alone, a new one makes the rest."""
        left = list(orders)
        if self.asked is not None and orders:
            self.started.keep_only(orders[0].tag, self.asked)
            self.asked = None  # what is started from now on belongs to this cycle
        while left:
            left = left[self._run_child(left) :]
        return {order.tag: order.tag for order in orders}

    def find(self, tags: Iterable[str]) -> dict[str, str]:
        """Return the handle of each call that this cycle made or an earlier one started."""
        asked = list(tags)
        if self.asked is not None:
            self.asked.update(asked)
        unknown = next((tag for tag in asked if tag not in self.results), None)
        started = set() if unknown is None else self.started.known(unknown)
        return {tag: tag for tag in asked if tag in self.results or tag in started}

    def poll(self, handles: Sequence[str]) -> dict[str, JobReport]:
        """Return a report for each; ``lost`` for a call of an earlier cycle."""
        return {handle: self._report(handle) for handle in handles}

    def _report(self, handle: str) -> JobReport:
        result = self.results.get(handle)
        if result is None:
            return JobReport(JobStatus.LOST, INTERRUPTED, Failure.NODE, starts=1)
        log = str(self.log_path(handle)) if handle in self.printed else ""
        return JobReport(JobStatus.DONE, starts=1, host=result.host, log=log)

    def result(self, handle: str) -> JobResult | None:
        """Return the result of a call of this cycle."""
        return self.results.get(handle)

    def remove(self, handles: Sequence[str]) -> None:
        """Do nothing: a call is over before anybody can ask."""

    def acknowledge(self, handles: Sequence[str]) -> None:
        """Forget the results; logs are kept."""
        for handle in handles:
            self.results.pop(handle, None)

    def log(self, handle: str, stream: str = "stdout") -> str:
        """Return what the function printed; both streams are kept as ``stdout``.

        Raises ``UsageError`` for another stream, ``ServiceDown`` if the log cannot be read.
        """
        check_stream(stream, handle)
        with reading_log(handle):
            return read_log(self.folder, *self._logs(handle, stream))

    def log_piece(
        self, handle: str, stream: str = "stdout", window: LogWindow = LOG_END
    ) -> LogPiece:
        """Return a part of what the function printed. Raises as ``log``."""
        check_stream(stream, handle)
        with reading_log(handle):
            return read_piece(self.folder, *self._logs(handle, stream), window=window)

    def _logs(self, handle: str, stream: str) -> tuple[Path, ...]:
        return (self.log_path(handle),) if stream == "stdout" else ()

    def describe(self, workflow: str) -> dict[str, str]:
        """Return nothing: a call is its function."""
        del workflow
        return {}

    def ping(self) -> str:
        """Say that functions run here."""
        return "functions run in this process"

    def log_path(self, handle: str) -> Path:
        """Return where the log of an attempt lies."""
        return self.folder / handle / "stdout"

    def _run_child(self, orders: Sequence[JobOrder]) -> int:
        """Make calls in one child until all are made or it ends; return how many have a result."""
        import tempfile

        with tempfile.TemporaryFile() as printed:
            child = Child(orders, self.call, self.started, printed)
            progress = CallProgress(0, time.monotonic(), is_overdue=True)
            try:
                progress = self._collect(child, orders)
            finally:
                status = child.end(is_over=progress.done == len(orders))
            if progress.done == len(orders):
                return progress.done
            order = orders[progress.done]
            result = result_of_broken_call(self.host, status, progress, order.spec.time_limit_s)
            self._keep(order, result, child.unread())
            return progress.done + 1

    def _collect(self, child: Child, orders: Sequence[JobOrder]) -> CallProgress:
        """Take in reports until the child ends or a call exceeds its limit."""
        done, began = 0, time.monotonic()
        ticked = began
        while done < len(orders):
            left_s = began + orders[done].spec.time_limit_s - time.monotonic()
            if left_s <= 0:
                return CallProgress(done, began, is_overdue=True)
            reports = child.reports(min(left_s, TICK_S))
            if reports is None:
                break
            for report in reports:
                self._take(orders[done], report)
                done += 1
            now = time.monotonic()
            began = now if reports else began
            if now - ticked > TICK_S:
                self.tick()
                ticked = time.monotonic()
        return CallProgress(done, began)

    def _take(self, order: JobOrder, report: EndedCall) -> None:
        """Turn the report of a call that ended by itself into its result."""
        call = report.call
        failure = None
        reason = call.error or call.remark
        empty = [file.name for file in call.files if file.bytes < 1]
        if empty:
            failure, reason = Failure.OUTPUT, f"output {empty[0]} is missing or empty"
        result = JobResult(
            exit_code=1 if call.error else 0,
            signal=None,
            failure=failure,
            reason=reason,
            host=self.host,
            starts=1,
            wall_s=call.wall_s,
            cpu_s=call.cpu_s,
            peak_memory_mb=0.0,
            files=() if call.error or failure else tuple(call.files),
            fields=call.fields,
        )
        self._keep(order, result, report.text)

    def _keep(self, order: JobOrder, result: JobResult, text: bytes) -> None:
        self.results[order.tag] = result
        if text:
            self.printed.add(order.tag)
            path = self.log_path(order.tag)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)

    def call(self, order: JobOrder) -> CallReport:
        """Call the function for one order; whatever it raises is the reason of its failure."""
        began, cpu = time.monotonic(), time.process_time()
        error, fields, files = "", Fields({}, ""), []
        try:
            paths = self._output_paths(order)
            fields = choose_fields(as_mapping(self._answer(order, paths)))
            files = [measure(name, path) for name, path in paths.items()]
        except BaseException as raised:  # noqa: BLE001 - SystemExit too is a failure of the author's
            traceback.print_exc()
            words = f"{type(raised).__name__}: {raised}"
            # Names of files may hold bytes that are no text; no store takes those.
            error = words.encode("utf-8", "backslashreplace").decode()
            fields = Fields({}, "")
        wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
        return CallReport(error, fields.remark, fields.values, files, wall_s, cpu_s)

    def _output_paths(self, order: JobOrder) -> dict[str, str]:
        folder = Path(order.folder)
        paths = {name: str(folder / file) for name, file in order.spec.outputs.items()}
        if paths:
            folder.mkdir(parents=True, exist_ok=True)
        return paths

    def _answer(self, order: JobOrder, paths: dict[str, str]) -> object:
        if self.function is None or self.view is None:
            message = "this executor has no function to call"
            raise RuntimeError(message)
        task = self.view(order.tag.split("/")[3])
        return self.function(task._replace(inputs=order.spec.inputs, outputs=paths))


def result_of_broken_call(
    host: str, status: int, progress: CallProgress, limit_s: int
) -> JobResult:
    """Return the result of a call that took its process with it."""
    wall_s = time.monotonic() - progress.since
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    if progress.is_overdue:
        failure, reason = Failure.TIME, f"the function took more than {limit_s} s"
    else:
        how = f"signal {signal.Signals(number).name}" if number is not None else f"exit code {code}"
        failure, reason = Failure.USER, f"the function ended its process: {how}"
    return JobResult(code, number, failure, reason, host, 1, wall_s, 0.0, 0.0, (), {})


def as_mapping(answer: object) -> Mapping[Any, object]:
    """Return what a function returned as fields; raises ``TypeError`` for what cannot be fields."""
    if answer is None:
        return {}
    if isinstance(answer, dict):
        return answer
    message = (
        f"it returned {type(answer).__name__}; a function returns a dictionary of fields, or None"
    )
    raise TypeError(message)


def measure(name: str, path: str) -> FileInfo:
    """Return size and SHA-256 of an output; the size of one that is missing is -1."""
    try:
        digest = digest_of(path)
    except OSError:
        return FileInfo(name, path, -1, "")
    return FileInfo(name, path, digest.bytes, digest.checksum)
