"""What the machine asks of the world: store, executor, notifier, source, clock.

Adapters implement these, no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from autoctrl.model.job import FileInfo, JobRecord, JobSpec
    from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
    from autoctrl.model.run import RunRecord, Value
    from autoctrl.model.severity import Severity
    from autoctrl.model.status import Failure, JobStatus, TaskStatus
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey

    Record = TaskRecord | JobRecord | OutputRecord | FieldsRecord | MarkRecord | RunRecord


class Selection(NamedTuple):
    """Which tasks or outputs are meant; None means all.

    campaign   one campaign
    workflows  names of workflows
    units      units
    statuses   statuses (tasks only)
    """

    campaign: str
    workflows: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    statuses: tuple[TaskStatus, ...] | None = None


class OpenTask(NamedTuple):
    """A task that is new or processing, with the newest record of every job of its present version,
    by index.
    """

    task: TaskRecord
    jobs: tuple[JobRecord, ...]


class Hint(NamedTuple):
    """What a job said of itself last, from its worker node: for people, never a transition.

    version, job, attempt  which attempt of the task's jobs; the job as ``0``, ``1``, … or ``merge``
    time                   when, by the node's clock
    status                 in the job's words, empty if it gave only numbers
    values                 numbers and short texts by name
    """

    version: int
    job: str
    attempt: int
    time: datetime
    status: str
    values: Mapping[str, float | str]


class RunList(NamedTuple):
    """Runs, and how far the store's list of runs has got.

    records   the newest record of each run, by number
    position  grows with every run record that is written; 0 is before the first
    """

    records: list[RunRecord]
    position: int


class Lease(NamedTuple):
    """Mutual exclusion between processes.

    name     what is held: ``<campaign>/<workflow>`` or ``runs``
    owner    who holds it, unique to the process; where its name ends as ``process.this_process``
             has it, a store on the same machine ends the lease once that process is dead
    epoch    counts the holders of this name, from 1
    expires  when it ends unless renewed, aware UTC, for people; the store judges by its own clock
    """

    name: str
    owner: str
    epoch: int
    expires: datetime


class Heartbeat(NamedTuple):
    """That rounds are made, also when nothing moves.

    campaign  whose rounds
    time      when one ended, aware UTC; the last one may have ended up to a minute later
    owner     who made it, as ``process.this_process`` spells it
    """

    campaign: str
    time: datetime
    owner: str


class Store(Protocol):
    """Where records are kept. Append-only: no record is ever overwritten or forgotten.

    Fifteen methods: one writes records, eight read them, two are about leases, two about
    heartbeats, and two are about the service itself. ``store_id`` is random, made with the store.
    """

    store_id: str

    @property
    def remarks(self) -> Sequence[str]:
        """What went wrong without any loss since this was last read, as sentences for people."""

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        """Write all records or none, durably.

        Each task, job, run and mark record must carry the sequence that follows the newest one of
        its identity, in the order given. Raises ``Conflict`` if one does not, ``LeaseLost`` if
        ``lease`` is given and no longer held or has less left than the store's margin,
        ``StoreError`` if the store cannot write.
        """

    def open_tasks(self, campaign: str, workflow: str | None = None) -> list[OpenTask]:
        """Return every task that is new or processing, by workflow and unit.

        What this costs depends on what is open, not on what is done.
        """

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        """Return the newest record of every selected task, ordered by workflow and unit."""

    def history(self, task: TaskKey) -> list[Record]:
        """Return every task, job, output and fields record of one task, oldest first."""

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs that were written after position ``since``, and the present position.

        ``numbers`` narrows the answer to those runs; an empty one asks for the position alone.
        """

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind."""

    def find_outputs(self, selection: Selection) -> list[OutputRecord]:
        """Return the newest record of every copy of the selected tasks' outputs.

        All versions are included, ordered by task and version.
        """

    def records(self) -> Iterator[Record]:
        """Yield every record ever written, in an order in which an empty store accepts them.

        Each call yields them in the same order, and as they were when the first was asked for.
        """

    def moment(self) -> AbstractContextManager[object]:
        """Allow the store to answer all questions within the block as of one moment.

        A store on another machine then needs fewer requests; a local one always reads afresh.
        """

    def lease(self, name: str, owner: str, seconds: float) -> Lease:
        """Claim or renew the lease for ``seconds`` from now; 0 gives it up.

        Renewing keeps the epoch; a claim after another holder, or after one's own lease ran out,
        raises it. Raises ``LeaseHeld`` (who, until when) if somebody else holds it. Giving up a
        lease that one does not hold does nothing.
        """

    def leases(self) -> dict[str, Lease]:
        """Return every lease that was ever claimed, by name, as its last holder left it.

        ``expires`` of one that was given up is the time when that was done.
        """

    def beat(self, heartbeat: Heartbeat) -> None:
        """Remember that a round was made. It is no record: it replaces the one of its campaign that
        was written before.
        """

    def heartbeats(self) -> dict[str, Heartbeat]:
        """Return the heartbeat of every campaign that ever had one, by campaign."""

    def ping(self) -> str:
        """Return one line about the service. Raises ``StoreError`` with a hint."""

    def close(self) -> None:
        """Close files and connections."""


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
        """Return what the attempt printed to ``stdout`` or ``stderr`` so far, bytes shown as text.

        Raises ``UsageError`` for another stream.
        """

    def describe(self, workflow: str) -> Mapping[str, str]:
        """Return the rendered templates of a workflow's jobs by name, for provenance."""

    def ping(self) -> str:
        """Return one line about the service. Raises ``ServiceDown`` with a hint."""


class Message(NamedTuple):
    """One thing that people are told.

    key       what it is about: equal in all messages about one trouble, so that a notifier can keep
              them together
    severity  how much it matters
    title     one sentence: what is the matter, and on what
    text      further lines, empty if the title says it all
    link      address or path where more can be read, empty if there is none
    """

    key: str
    severity: Severity
    title: str
    text: str = ""
    link: str = ""


class Notifier(Protocol):
    """Who is told.

    Nothing is raised for a service that is down, slow or full: the answer says what was not told,
    and the cycle goes on.
    """

    def tell(self, message: Message) -> str | None:
        """Tell people; return the id by which the message can be changed, None if it was not told.

        An id means something to this notifier alone and lasts beyond the process.
        """

    def change(self, message_id: str, message: Message) -> bool:
        """Replace a message that was told; return whether people can see the new one.

        A notifier that cannot change messages tells the new one beside the old one.
        """

    def ping(self) -> str:
        """Return one line about the service. Raises ``NotifierError`` with a hint."""


class Seen(NamedTuple):
    """One run as a source saw it now.

    number      run number
    attributes  typed values that the source knows; absent ones stay as they are
    is_closed   data taking has ended, as far as the source can tell
    """

    number: int
    attributes: Mapping[str, Value]
    is_closed: bool


class Source(Protocol):
    """Where runs are discovered."""

    name: str

    def discover(self) -> Iterable[Seen]:
        """Return the runs that are there now, by number.

        One that cannot be read is left out and named in ``problems``; nothing is raised for it.
        """

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about what could not be read in the last ``discover``."""


class Clock(Protocol):
    """The time, injected so that tests do not wait."""

    def now(self) -> datetime:
        """Return the present time, aware UTC."""
