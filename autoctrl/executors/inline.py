"""Calls of Python functions as jobs: in a child process, one after the other, each with a
deadline.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from autoctrl.executors.begun import Begun
from autoctrl.files import digest_of
from autoctrl.model.job import FileInfo
from autoctrl.model.names import INLINE, JOBS
from autoctrl.model.status import Failure, JobStatus
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl
from autoctrl.ports import JobReport, JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.model.task import Task
    from autoctrl.ports import JobOrder

TICK_S = 0.5
LONGEST_TEXT = 500
INTERRUPTED = "the cycle that ran it was interrupted"


class Child(NamedTuple):
    """A process that makes calls, the end of the pipe that it reports to, and the file with what it
    prints.
    """

    pid: int
    reports: int
    printed: Any


class InlineExecutor:
    """Calls one handler's function in this cycle.

    An attempt that has begun and has no result was interrupted in an earlier cycle; one that has
    not begun is unknown.
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
        """Call ``function``; ``view`` returns the task behind a unit's folder name, ``tick`` keeps
        the lease meanwhile.

        Without a function it only shows the logs of former calls, kept below ``state_folder``.
        """
        self.folder, self.function, self.view, self.tick = (
            state_folder / JOBS / INLINE,
            function,
            view,
            tick,
        )
        self.results: dict[str, JobResult] = {}
        self.printed: set[str] = set()
        self.begun = Begun(self.folder)
        self.asked: set[str] | None = set()
        self._read_up_to = 0
        self.host = socket.gethostname()

    def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
        """Make all calls; one that ends the child process fails alone, the rest go on in a new
        one.
        """
        left = list(orders)
        if self.asked is not None and orders:
            self.begun.keep_only(orders[0].tag, self.asked)
            self.asked = None  # what begins from now on belongs to this cycle
        while left:
            left = left[self._run_child(left) :]
        return {order.tag: order.tag for order in orders}

    def find(self, tags: Iterable[str]) -> dict[str, str]:
        """Know the calls that were made in this cycle or begun in an earlier one."""
        asked = list(tags)
        if self.asked is not None:
            self.asked.update(asked)
        unknown = next((tag for tag in asked if tag not in self.results), None)
        begun = set() if unknown is None else self.begun.known(unknown)
        return {tag: tag for tag in asked if tag in self.results or tag in begun}

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
        """Return what the function printed; both streams are kept as ``stdout``."""
        place = self.log_path(handle)
        return (
            place.read_text(errors="backslashreplace")
            if stream == "stdout" and place.exists()
            else ""
        )

    def describe(self, workflow: str) -> dict[str, str]:
        """Return nothing: a call is its function."""
        del workflow
        return {}

    def ping(self) -> str:
        """Say that functions run here."""
        return "functions run in this process"

    def log_path(self, handle: str) -> Path:
        """Place of the log of an attempt."""
        return self.folder / handle / "stdout"

    def _run_child(self, orders: Sequence[JobOrder]) -> int:
        """Make calls in one child until all are made or it ends; return how many have a result."""
        import tempfile

        with tempfile.TemporaryFile() as printed:
            child = self._fork(orders, printed)
            done, began, ended_by = self._collect(child, orders)
            status = _reap(child.pid, is_over=done == len(orders))
            if done < len(orders):
                order, wall_s = orders[done], time.monotonic() - began
                result = _broken(self.host, status, ended_by, order.spec.time_limit_s, wall_s)
                printed.seek(self._read_up_to)
                self._keep(order, result, printed.read())
                done += 1
        return done

    def _fork(self, orders: Sequence[JobOrder], printed: Any) -> Child:  # noqa: ANN401 - a binary file
        self._read_up_to = 0
        reports, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reports)
            self._be_child(orders, writing, printed, parent)
        os.close(writing)
        return Child(pid, reports, printed)

    def _be_child(
        self,
        orders: Sequence[JobOrder],
        writing: int,
        printed: Any,  # noqa: ANN401
        parent: int,
    ) -> NoReturn:
        """Make the calls, report each; never return and never run what the parent registered for
        its exit.

        It dies with the parent: whoever takes the parent's work over calls again.
        """
        try:
            os.setsid()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for stream in (1, 2):
                os.dup2(printed.fileno(), stream)
            end, begun = 0, self.begun.open(orders[0].tag)
            with os.fdopen(writing, "w") as pipe:
                for order in orders:
                    os.write(begun, f"{order.tag}\n".encode())
                    answer = self._call(order)
                    sys.stdout.flush()
                    sys.stderr.flush()
                    begin, end = end, os.lseek(1, 0, os.SEEK_CUR)
                    answer["printed"] = [begin, end]
                    pipe.write(json.dumps(answer) + "\n")
                    pipe.flush()
        finally:
            os._exit(0)

    def _call(self, order: JobOrder) -> dict[str, Any]:
        began, cpu = time.monotonic(), time.process_time()
        reason, fields, files = "", {}, []
        try:
            if self.function is None or self.view is None:
                message = "this executor has no function to call"
                raise RuntimeError(message)  # noqa: TRY301 - reported like any error of a call
            folder = Path(order.folder)
            paths = {name: str(folder / file) for name, file in order.spec.outputs.items()}
            if paths:
                folder.mkdir(parents=True, exist_ok=True)
            task = self.view(order.tag.split("/")[3])
            fields = checked_fields(
                self.function(task._replace(inputs=order.spec.inputs, outputs=paths))
            )
            files = [measure(name, path) for name, path in paths.items()]
        except BaseException as error:  # noqa: BLE001 - SystemExit and friends of an author's function are its failure
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        return {
            "reason": reason,
            "fields": fields,
            "files": files,
            "wall_s": time.monotonic() - began,
            "cpu_s": time.process_time() - cpu,
        }

    def _collect(self, child: Child, orders: Sequence[JobOrder]) -> tuple[int, float, str]:
        """Read reports until the child ends or a call exceeds its deadline.

        Returns how many calls were reported, when the current one began, and ``time`` if it was
        stopped for that.
        """
        done, began, ticked = 0, time.monotonic(), time.monotonic()
        rest = b""
        try:
            while done < len(orders):
                left = began + orders[done].spec.time_limit_s - time.monotonic()
                if left <= 0:
                    return done, began, "time"
                if select.select([child.reports], [], [], min(left, TICK_S))[0]:
                    piece = os.read(child.reports, 1 << 16)
                    if not piece:
                        return done, began, ""
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        self._take(orders[done], json.loads(line), child)
                        done += 1
                    began = time.monotonic() if lines else began
                if time.monotonic() - ticked > TICK_S:
                    self.tick()
                    ticked = time.monotonic()
        finally:
            os.close(child.reports)
        return done, began, ""

    def _take(self, order: JobOrder, answer: Mapping[str, Any], child: Child) -> None:
        begin, end = answer["printed"]
        self._read_up_to = end
        text = os.pread(child.printed.fileno(), end - begin, begin) if end > begin else b""
        files = tuple(FileInfo(*file) for file in answer["files"])
        empty = [file.name for file in files if file.bytes < 1]
        reason, failure = answer["reason"], None
        if not reason and empty:
            failure, reason = Failure.OUTPUT, f"output {empty[0]} is missing or empty"
        result = JobResult(
            exit_code=1 if answer["reason"] else 0,
            signal=None,
            failure=failure,
            reason=reason,
            host=self.host,
            starts=1,
            wall_s=answer["wall_s"],
            cpu_s=answer["cpu_s"],
            peak_memory_mb=0.0,
            files=() if reason else files,
            fields=answer["fields"],
        )
        self._keep(order, result, text)

    def _keep(self, order: JobOrder, result: JobResult, text: bytes | str) -> None:
        self.results[order.tag] = result
        if text:
            self.printed.add(order.tag)
            place = self.log_path(order.tag)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())


def _reap(pid: int, *, is_over: bool) -> int:
    """End the child if it still runs, with everything it started, and return its wait status."""
    if not is_over:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
    else:
        status = os.waitpid(pid, 0)[1]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return status


def _broken(host: str, status: int, ended_by: str, limit_s: int, wall_s: float) -> JobResult:
    """Return the result of a call that took its process with it."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    failure = Failure.TIME if ended_by == "time" else Failure.USER
    how = f"signal {signal.Signals(number).name}" if number is not None else f"exit code {code}"
    reason = (
        f"the function took more than {limit_s} s"
        if ended_by == "time"
        else f"the function ended its process: {how}"
    )
    return JobResult(code, number, failure, reason, host, 1, wall_s, 0.0, 0.0, (), {})


def checked_fields(answer: object) -> dict[str, float | str]:
    """Return the custom fields that a function returned; numbers become floats.

    Raises ``TypeError`` for anything that is no dictionary of numbers and short texts.
    """
    if answer is None:
        return {}
    if not isinstance(answer, dict):
        message = (
            f"it returned {type(answer).__name__}; a function returns a dictionary of fields, "
            "or None"
        )
        raise TypeError(message)
    fields: dict[str, float | str] = {}
    for name, value in answer.items():
        if isinstance(value, str) and len(value) <= LONGEST_TEXT:
            fields[str(name)] = value
        elif isinstance(value, int | float) and math.isfinite(value):
            fields[str(name)] = float(value)
        else:
            kinds = f"finite numbers or texts of up to {LONGEST_TEXT} characters"
            what = value if isinstance(value, float) else type(value).__name__
            message = f"field '{name}' is {what}; fields are {kinds}"
            raise TypeError(message)
    return fields


def measure(name: str, path: str) -> tuple[str, str, int, str]:
    """Return name, place, size in bytes (-1 if it is missing) and SHA-256 of a file."""
    try:
        digest = digest_of(path)
    except OSError:
        return name, path, -1, ""
    return name, path, digest.bytes, digest.checksum
