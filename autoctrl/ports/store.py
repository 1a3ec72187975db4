"""Where records are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from autoctrl.model.job import JobRecord
    from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
    from autoctrl.model.run import RunRecord
    from autoctrl.model.status import TaskStatus
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


class RunNumbers(NamedTuple):
    """Numbers of runs, and how far the store's list of runs has got, as in ``RunList``."""

    numbers: list[int]
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
    values    numbers by name that people may follow over time; a store need not keep them
    """

    campaign: str
    time: datetime
    owner: str
    values: Mapping[str, float] = {}


class Store(Protocol):
    """Where records are kept. Append-only: no record is ever overwritten or forgotten.

    Twenty-one methods: one writes records, twelve read them, two are about leases, two about
    heartbeats, two say whether anything may be or was written, and two are about the service
    itself. ``store_id`` is random, made with the store.
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

    def each_task(self, selection: Selection) -> Iterator[TaskRecord]:
        """Yield what ``tasks`` returns, in no particular order, one after the other: for whoever
        wants to know something of very many. A local store holds one at a time.
        """

    def units(self, campaign: str, workflow: str) -> list[str]:
        """Return the names of all units that a workflow has tasks of, in no particular order."""

    def history(self, task: TaskKey) -> list[Record]:
        """Return every task, job, output and fields record of one task, oldest first."""

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs that were written after position ``since``, and the present position.

        ``numbers`` narrows the answer to those runs; an empty one asks for the position alone.
        """

    def run_numbers(self, since: int = 0) -> RunNumbers:
        """Return the numbers of the runs that were written after position ``since``, each at least
        once in no particular order, and the present position.
        """

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind."""

    def each_mark(self, kind: str, campaign: str) -> Iterator[MarkRecord]:
        """Yield what ``marks`` returns of one campaign, as ``each_task`` does."""

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

    def revision(self) -> Hashable | None:
        """Return a value that is another one once anything has been written, by whomever.

        None where telling costs as much as reading.
        """

    def check_writing(self) -> None:
        """Raise ``StoreError`` if it was opened for reading alone; no server is asked."""

    def ping(self) -> str:
        """Return one line about the service. Raises ``StoreError`` with a hint."""

    def close(self) -> None:
        """Close files and connections."""


@runtime_checkable
class Showing(Store, Protocol):
    """A store that keeps tables for people beside its records, derived from them."""

    def rebuild(self, campaign: str) -> int:
        """Derive the tables of a campaign anew; return the number of its tasks.

        Raises ``StoreError``.
        """


class Tables(Protocol):
    """The bucket of a store, as Grafana asks it."""

    server: str
    org: str
    bucket: str

    def ask(self, text: str, *, is_flux: bool) -> list[dict[str, str]]:
        """Return the rows of an answer, each by the names of its columns.

        Raises ``StoreError`` if the query is refused.
        """
