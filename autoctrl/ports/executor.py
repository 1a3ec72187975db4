"""Where jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.job import FileInfo, JobSpec
    from autoctrl.model.status import Failure, JobStatus


class JobOrder(NamedTuple):
    """One attempt, as handed to an executor.

    tag     its identity
    spec    what it does
    folder  where its outputs belong: a directory of this attempt alone
    """

    tag: str
    spec: JobSpec
    folder: str


class JobReport(NamedTuple):
    """What an executor knows of one attempt now.

    status   as sampled; ``done`` or ``failed`` only once the wrapper's result can be read
    reason   the executor's own words, empty if none
    failure  the class, where the executor knows it without the result (held, memory, removed, …)
    starts   how often it was started
    host     where it runs or ran
    log      where its log lies
    """

    status: JobStatus
    reason: str = ""
    failure: Failure | None = None
    starts: int = 0
    host: str = ""
    log: str = ""


class JobResult(NamedTuple):
    """What the wrapper wrote when the attempt ended.

    exit_code       None if it did not exit by itself
    signal          None if no signal ended it
    failure         ``time limit`` or ``memory`` if the wrapper stopped it, ``output`` if one is
                    missing or empty
    reason          a sentence about the failure, empty if none
    host            where it ran
    starts          which start of the attempt this is
    wall_s, cpu_s   seconds
    peak_memory_mb  MB
    files           the declared outputs that exist
    fields          custom fields that the job reported
    began           when it began, by the node's clock; None if nobody said so
    """

    exit_code: int | None
    signal: int | None
    failure: Failure | None
    reason: str
    host: str
    starts: int
    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    files: tuple[FileInfo, ...]
    fields: Mapping[str, float | str]
    began: datetime | None = None


class LogWindow(NamedTuple):
    """Which part of a log is wanted: what follows ``begin`` or, where that is None, what comes
    before ``end``; both in bytes.

    begin   where the part begins
    end     where it ends, None for the log's end
    length  at most so many bytes
    line    number of the line at ``begin``, where that is known: then nothing before it is read
    """

    begin: int | None = None
    end: int | None = None
    length: int = 64 * 1024
    line: int | None = None


LOG_END = LogWindow()


class LogPiece(NamedTuple):
    """A part of a log, of whole lines where it has any.

    text   as ``Executor.log`` shows it
    begin  where it begins in the log, in bytes
    end    where it ends: what is printed next begins here
    size   of the log now, in bytes
    line   number of its first line from 1, None if it is too far inside to be counted
    """

    text: str
    begin: int = 0
    end: int = 0
    size: int = 0
    line: int | None = 1


class Executor(Protocol):
    """Where jobs run.

    name               as in the settings
    has_safe_resubmit  submitting one tag twice is known to start it once; else a ``submitting``
                       record is submitted again only after an answer newer than the deadline
    is_immediate       ``submit`` runs the attempts to their end before it returns (functions)
    """

    name: str
    has_safe_resubmit: bool
    is_immediate: bool

    @property
    def place(self) -> str:
        """Where its jobs are beyond the name, as jobs' records keep it."""

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences about what it had to put right since they were last read."""

    def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
        """Submit attempts; return the handle by tag.

        A tag that was refused on its own is absent. Raises ``SubmitRefused`` if all were refused
        with the reason, ``ServiceDown`` if there is no answer (nothing is known then).
        """

    def find(self, tags: Iterable[str]) -> dict[str, str]:
        """Return the handle of each tag that the executor knows, alive or finished.

        Raises ``ServiceDown``.
        """

    def poll(self, handles: Sequence[str]) -> dict[str, JobReport]:
        """Return a report for each handle.

        One that is absent was not answered for. Raises ``ServiceDown``.
        """

    def result(self, handle: str) -> JobResult | None:
        """Return what the wrapper wrote, None if there is nothing (yet)."""

    def remove(self, handles: Sequence[str]) -> None:
        """Ask that the attempts be ended; poll says when they are. Raises ``ServiceDown``."""

    def acknowledge(self, handles: Sequence[str]) -> None:
        """Say that the results are stored: all but the logs of these attempts may be forgotten."""

    def log(self, handle: str, stream: str = "stdout") -> str:
        """Return what the attempt printed to ``stdout`` or ``stderr`` so far, bytes shown as text;
        of a very large log the middle is left out.

        Raises ``UsageError`` for another stream, ``ServiceDown`` if the log cannot be read.
        """

    def log_piece(
        self, handle: str, stream: str = "stdout", window: LogWindow = LOG_END
    ) -> LogPiece:
        """Return a part of what the attempt printed so far, by default the end, at no cost that
        grows with the log. Raises as ``log``.
        """

    def describe(self, workflow: str) -> Mapping[str, str]:
        """Return the rendered templates of a workflow's jobs by name, for provenance."""

    def ping(self) -> str:
        """Return one line about the service. Raises ``ServiceDown`` with a hint."""
