"""For workflow authors' tests: doubles of the ports, and one task tried without a store."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import NotifierError, ServiceDown, SubmitRefused, UsageError
from autoctrl.executors.inline import InlineExecutor
from autoctrl.executors.logs import check_stream, piece_of_text
from autoctrl.handlers.handler import Resources
from autoctrl.locks.lock import Wait
from autoctrl.model.actor import CYCLE
from autoctrl.model.names import STATE_FOLDER
from autoctrl.model.run import RunRecord
from autoctrl.model.status import Failure, JobStatus
from autoctrl.model.task import InputRef, Task
from autoctrl.model.unit import TaskKey, group_unit, run_unit
from autoctrl.ports import LOG_END, JobOrder, JobReport, JobResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autoctrl.handlers.handler import Handler
    from autoctrl.model.job import FileInfo, JobSpec
    from autoctrl.model.run import Value
    from autoctrl.ports import LogPiece, LogWindow, Message, Seen

START = datetime(2026, 1, 1, tzinfo=UTC)
RESOURCES = Resources("local", 2000, 3600, 1)


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime = START) -> None:
        """Stand at ``start``."""
        self.time = start

    def now(self) -> datetime:
        """Return the time at which it stands, aware UTC."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``; a negative number moves back."""
        self.time += timedelta(seconds=seconds)


class RecordingNotifier:
    """A notifier that keeps what people would have been told.

    told     every message, in order
    shown    what people see now, by id
    is_down  nobody is told anything
    """

    has_safe_repeat = False

    def __init__(self) -> None:
        """Start with nothing told."""
        self.told: list[Message] = []
        self.shown: dict[str, Message] = {}
        self.is_down = False

    def tell(self, message: Message) -> str | None:
        """Keep a message; return its number as its id."""
        if self.is_down:
            return None
        self.told.append(message)
        message_id = str(len(self.told))
        self.shown[message_id] = message
        return message_id

    def change(self, message_id: str, message: Message) -> bool:
        """Show another message instead."""
        if self.is_down:
            return False
        self.shown[message_id] = message
        return True

    def ping(self) -> str:
        """Answer."""
        if self.is_down:
            message = "The recording notifier does not answer."
            raise NotifierError(message)
        return "recording"


class ScriptedSource:
    """A source that sees the runs that the test puts there.

    is_down  nothing can be read
    """

    def __init__(self, name: str = "scripted", *runs: Seen) -> None:
        """Be the source called ``name``."""
        self.name = name
        self.is_down = False
        self.problems: Sequence[str] = ()
        self._runs = {run.number: run for run in runs}
        self._spoilt: dict[int, str] = {}

    def put(self, run: Seen) -> None:
        """Let a run be there, readable."""
        self._runs[run.number] = run
        self._spoilt.pop(run.number, None)

    def spoil(self, number: int, reason: str) -> None:
        """Let a run be unreadable until it is put again."""
        self._spoilt[number] = reason

    def discover(self) -> list[Seen]:
        """Return the readable runs, by number."""
        if self.is_down:
            self.problems = (f"{self.name} cannot be read",)
            return []
        self.problems = [f"run {number}: {reason}" for number, reason in self._spoilt.items()]
        return [run for number, run in sorted(self._runs.items()) if number not in self._spoilt]


class ScriptedExecutor:
    """An executor whose jobs do what the test says.

    orders    everything that was submitted, in order
    removed   handles that were asked to be removed
    is_down   every question is met by silence (``ServiceDown``)
    refusal   text with which submissions are refused, empty to take them
    templates what it says about how it submits

    Jobs are named by the end of their tag, e.g. ``"4521/v1/0.1"``.
    """

    is_immediate = False

    def __init__(self, name: str = "local", *, has_safe_resubmit: bool = False) -> None:
        """Be the executor called ``name``."""
        self.name, self.has_safe_resubmit = name, has_safe_resubmit
        self.orders: list[JobOrder] = []
        self.removed: list[str] = []
        self.acknowledged: list[str] = []
        self.is_down = False
        self.refusal = ""
        self.reports: dict[str, JobReport] = {}
        self.results: dict[str, JobResult] = {}
        self.printed: dict[str, str] = {}
        self.templates: dict[str, str] = {}
        self.place = ""
        self.remarks: Sequence[str] = ()

    def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
        """Take the orders, as idle jobs."""
        self._answer()
        if self.refusal:
            raise SubmitRefused(self.refusal)
        self.orders += orders
        self.reports.update({order.tag: JobReport(JobStatus.IDLE) for order in orders})
        return {order.tag: order.tag for order in orders}

    def find(self, tags: Iterable[str]) -> dict[str, str]:
        """Return the tags that were submitted."""
        self._answer()
        return {tag: tag for tag in tags if tag in self.reports}

    def poll(self, handles: Sequence[str]) -> dict[str, JobReport]:
        """Return what the test said of each job."""
        self._answer()
        return {handle: self.reports[handle] for handle in handles if handle in self.reports}

    def result(self, handle: str) -> JobResult | None:
        """Return the result that the test gave."""
        return self.results.get(handle)

    def remove(self, handles: Sequence[str]) -> None:
        """Remove the jobs at once."""
        self._answer()
        self.removed += handles
        removed = JobReport(JobStatus.REMOVED, failure=Failure.REMOVED)
        self.reports.update(dict.fromkeys(handles, removed))

    def acknowledge(self, handles: Sequence[str]) -> None:
        """Remember that the results are stored."""
        self._answer()
        self.acknowledged += handles

    def log(self, handle: str, stream: str = "stdout") -> str:
        """Return what the test let the job print, else a text that names the job."""
        check_stream(stream, handle)
        printed = self.printed.get(handle, "") if stream == "stdout" else ""
        return printed or f"{stream} of {handle}\n"

    def log_piece(
        self, handle: str, stream: str = "stdout", window: LogWindow = LOG_END
    ) -> LogPiece:
        """Return a part of what ``log`` returns."""
        return piece_of_text(self.log(handle, stream), window)

    def describe(self, workflow: str) -> dict[str, str]:
        """Return the texts in ``templates``."""
        del workflow
        return self.templates

    def ping(self) -> str:
        """Answer."""
        self._answer()
        return "scripted"

    def report(
        self, job: str, status: JobStatus, reason: str = "", failure: Failure | None = None
    ) -> None:
        """Let a job stand so from now on."""
        self.reports[self.tag(job)] = JobReport(status, reason, failure, starts=1, host="node1")

    def finish(
        self,
        job: str,
        *,
        exit_code: int = 0,
        files: Sequence[FileInfo] = (),
        fields: Mapping[str, float | str] | None = None,
        failure: Failure | None = None,
        reason: str = "",
        peak_memory_mb: float = 10.0,
        stdout: str = "",
    ) -> None:
        """Let a job end with this result."""
        handle = self.tag(job)
        self.printed[handle] = stdout
        self.results[handle] = JobResult(
            exit_code,
            None,
            failure,
            reason,
            "node1",
            1,
            1.0,
            0.5,
            peak_memory_mb,
            tuple(files),
            fields or {},
        )
        self.reports[handle] = JobReport(JobStatus.DONE, starts=1, host="node1")

    def tag(self, job: str) -> str:
        """Return the tag that ends with ``job``.

        Raises ``UsageError`` if there is not exactly one.
        """
        tags = [tag for tag in self.reports if tag.endswith(f"/{job}")]
        if len(tags) != 1:
            message = (
                f"{len(tags)} jobs end with '{job}'. Submitted: "
                f"{', '.join(self.reports) or 'none'}."
            )
            raise UsageError(message)
        return tags[0]

    def _answer(self) -> None:
        if self.is_down:
            message = f"executor {self.name} does not answer"
            raise ServiceDown(message)


class Tried(NamedTuple):
    """What a workflow would do with one task.

    is_wanted  the filter admits the run; None while an attribute that decides is missing
    wait       why the jobs cannot be listed yet, None if they can
    jobs       the jobs' specifications
    result     what the function did (inline workflows), None for batch ones
    """

    is_wanted: bool | None
    wait: Wait | None
    jobs: tuple[JobSpec, ...]
    result: JobResult | None


def try_task(
    handler: Handler,
    *,
    run: int,
    attributes: Mapping[str, Value] | None = None,
    inputs: Mapping[str, str | Sequence[str]] | None = None,
    settings: Mapping[str, Any] | None = None,
    events: int | None = None,
    folder: Path | None = None,
) -> Tried:
    """Try a workflow on one closed run, without store, locks or executor.

    A workflow that groups runs gets the group of this run alone. ``inputs`` are paths by input
    name, ``events`` the events of the first one. A function is called with its outputs below
    ``folder``, a temporary one by default. Raises ``UsageError`` for an input that the workflow
    does not have.
    """
    paths = _paths_of(handler, inputs or {})
    record = RunRecord(run, attributes or {}, is_closed=True, time=START, actor=CYCLE)
    task = _task_of(handler, record, settings or {}, paths)
    refs = [InputRef(name, path, 0, events=events) for name in paths for path in paths[name]]
    wanted = handler.where.admits(record.attributes)
    specs = handler.specs(task, RESOURCES, refs, is_closed=True)
    if isinstance(specs, Wait):
        return Tried(wanted, specs, (), None)
    called = None if handler.function is None else _call(handler, task, specs[0], folder)
    return Tried(wanted, None, tuple(specs), called)


def _task_of(
    handler: Handler,
    run: RunRecord,
    settings: Mapping[str, Any],
    paths: Mapping[str, tuple[str, ...]],
) -> Task:
    value = run.attributes.get(handler.group_by or "")
    unit = run_unit(run.number) if value is None else group_unit(handler.group_by or "", value)
    key = TaskKey("prompt", handler.workflow, unit)
    return Task(key, 1, (run.number,), {run.number: run}, settings, paths)


def _paths_of(
    handler: Handler, given: Mapping[str, str | Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    if given.keys() != handler.inputs.keys():
        message = (
            f"Workflow {handler.workflow} has the inputs {sorted(handler.inputs)}; given are "
            f"{sorted(given)}."
        )
        raise UsageError(message)
    return {
        name: (value,) if isinstance(value, str) else tuple(value) for name, value in given.items()
    }


def _call(handler: Handler, task: Task, spec: JobSpec, folder: Path | None) -> JobResult | None:
    with tempfile.TemporaryDirectory() as scratch:
        outputs = folder or Path(scratch)
        calls = InlineExecutor(outputs / STATE_FOLDER, handler.function, lambda _: task)
        tag = f"try/prompt/{handler.workflow}/{task.unit}/v1/0.1"
        calls.submit([JobOrder(tag, spec, str(outputs))])
        return calls.result(tag)


__all__ = [
    "FakeClock",
    "RecordingNotifier",
    "ScriptedExecutor",
    "ScriptedSource",
    "Tried",
    "try_task",
]
