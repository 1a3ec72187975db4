"""A job: one local or batch process working for a version of a task."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from autoctrl.model.actor import CYCLE, Actor
from autoctrl.model.names import LONGEST_FOLDER
from autoctrl.model.software import equip
from autoctrl.model.status import FINAL_JOBS, Failure, JobStatus, Role, check_job
from autoctrl.model.succession import later

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.model.unit import TaskKey

MERGE_INDEX = -1
SHOWN = 40  # letters of a name that is too long


class JobSpec(NamedTuple):
    """What a job does, frozen in its intent and never recomputed.

    argv          the command, word by word, never a shell line
    outputs       file name by output name, relative to the job's folder
    inputs        address by input name
    environment   variables set for the job
    memory_mb     memory asked for
    time_limit_s  wall time after which the job is stopped
    cpus          cores asked for
    executor      name of the executor that runs it
    events        half-open range [first, last) of the input's events, None if not split
    place         where that executor's jobs are, as it was when the intent was written; empty if
                  its name says it all
    avoid         hosts on which earlier attempts were lost; another one is preferred
    setup         steps that make the command's software ready on the node, in their order
    """

    argv: tuple[str, ...]
    outputs: Mapping[str, str]
    inputs: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str]
    memory_mb: int
    time_limit_s: int
    cpus: int
    executor: str
    events: tuple[int, int] | None = None
    place: str = ""
    avoid: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """The words that a node runs: those that set it up, then ``argv``."""
        return equip(self.setup, self.argv)

    @property
    def address(self) -> str:
        """Executor and place as one word: ``local``, ``cern@bigbird14``."""
        return f"{self.executor}@{self.place}" if self.place else self.executor


class FileInfo(NamedTuple):
    """One file that a job wrote, as the wrapper measured it.

    name      the handler's name for it
    url       where it lies
    bytes     its size
    checksum  ``sha256:hex``
    entries   entries by tree, empty if nobody counted
    """

    name: str
    url: str
    bytes: int
    checksum: str
    entries: Mapping[str, int] = {}


class JobKey(NamedTuple):
    """A job of one version of a task; ``index`` is ``MERGE_INDEX`` for the merge."""

    task: TaskKey
    version: int
    index: int  # type: ignore[assignment] # hides tuple.index, which nobody asks of a key


class Ran(NamedTuple):
    """When an attempt ran on its node, aware UTC."""

    begin: datetime
    end: datetime


class JobRecord(NamedTuple):
    """One complete statement about a job; the newest is the job.

    key             task, version, index
    role            part or merge
    attempt         one try within a version, from 1, never reset
    status          where the attempt stands, as last sampled
    time            when this was written, aware UTC
    spec            what it does
    used            attempts counted against the present budget, this one included
    reason          why it waits, failed or was moved, in the executor's own words
    failure         class of the failure, None if there is none
    not_before      do not submit before this time (back-off)
    actor           who caused the record
    sequence        previous + 1 within the job, from 1 over all attempts
    epoch           epoch of the lease under which it was written
    environment     the settings' environment that wrote it
    handle          the executor's name for the job, empty until it is submitted
    starts          how often the executor started this attempt
    host            where it ran
    exit_code       exit code, None if it did not exit
    signal          signal that ended it, None if none did
    wall_s, cpu_s   time it took, seconds
    peak_memory_mb  largest resident memory, MB
    log             address of the log with what it printed
    files           what it wrote, as accepted with its result
    fields          numbers and texts that the job reported about itself
    asked           when the executor was last asked to submit it; None before, and after a refusal
    spent           classes of failure that are tried again only once, and have been
    late            newest attempt whose late result was recorded, 0 if none
    began           when this attempt began on its node, by the node's clock; None if nobody said so
    """

    key: JobKey
    role: Role
    attempt: int
    status: JobStatus
    time: datetime
    spec: JobSpec
    used: int = 1
    reason: str = ""
    failure: Failure | None = None
    not_before: datetime | None = None
    actor: Actor = CYCLE
    sequence: int = 1
    epoch: int = 0
    environment: str = ""
    handle: str = ""
    starts: int = 0
    host: str = ""
    exit_code: int | None = None
    signal: int | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_memory_mb: float | None = None
    log: str = ""
    files: tuple[FileInfo, ...] = ()
    fields: Mapping[str, Any] = {}
    asked: datetime | None = None
    spent: tuple[Failure, ...] = ()
    late: int = 0
    began: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Say whether this attempt is over."""
        return self.status in FINAL_JOBS

    @property
    def ran(self) -> Ran | None:
        """When an attempt that is over began and ended on its node, None if nobody measured it.

        What a node's clock says is kept between the submission and this record; a run that is said
        to have begun before 1970 was not measured.
        """
        if not self.is_final or self.wall_s is None:
            return None
        if not 0 <= self.wall_s <= self.time.timestamp():
            return None
        wall = timedelta(seconds=self.wall_s)
        latest = self.time - wall
        begin = latest if self.began is None else min(self.began, latest)
        if self.asked is not None:
            begin = min(max(begin, self.asked), latest)
        return Ran(begin, begin + wall)

    def __str__(self) -> str:
        """Name the attempt as people read it."""
        return (
            f"{self.key.task} v{self.key.version} job {index_text(self.key.index)}.{self.attempt}"
        )

    def moved(self, status: JobStatus, now: datetime, **changes: Any) -> JobRecord:  # noqa: ANN401 - fields differ in type
        """Return the record of the same attempt that follows this one.

        Raises ``TransitionRefused`` if the attempt is already final.
        """
        check_job(str(self), self.status, status)
        fresh = {"reason": "", "actor": CYCLE}
        return self._replace(
            **{**fresh, **changes},
            status=status,
            time=later(now, self.time),
            sequence=self.sequence + 1,
        )

    def again(self, now: datetime, spec: JobSpec, used: int, **changes: Any) -> JobRecord:  # noqa: ANN401 - as moved
        """Return the intent of the next attempt, which follows this one's final record."""
        return JobRecord(
            key=self.key,
            role=self.role,
            attempt=self.attempt + 1,
            status=JobStatus.SUBMITTING,
            time=later(now, self.time),
            spec=spec,
            used=used,
            sequence=self.sequence + 1,
            environment=self.environment,
            **changes,
        )


def index_text(index: int) -> str:
    """Write a job's index: ``0``, ``1``, … or ``merge``."""
    return "merge" if index == MERGE_INDEX else str(index)


def tag(store_id: str, job: JobRecord) -> str:
    """Return the name by which an executor knows one attempt, unique among all stores.

    ``<store id>/<campaign>/<workflow>/<unit>/v<version>/<index>.<attempt>``
    """
    return f"{store_id}/{attempt_path(job)}"


def version_path(task: TaskKey, version: int) -> str:
    """Relative folder of one version of a task; a group's colon becomes a dash, odd characters are
    percent-encoded.
    """
    return f"{task.campaign}/{task.workflow}/{unit_folder(task.unit)}/v{version}"


def unit_folder(unit: str) -> str:
    """Name of a unit as a folder: ``4521``, ``fill-8222``."""
    return quote(unit.replace(":", "-", 1), safe="-_.")


def describe_unfit(task: TaskKey) -> str:
    """Return why a task cannot have a folder and what to do, empty if it can."""
    for what, folder, remedy in (
        ("campaign", task.campaign, "Create one with a shorter name."),
        ("workflow", task.workflow, "Give it a shorter name."),
        ("group", unit_folder(task.unit), "Give its runs a shorter value, or group by another."),
    ):
        length = len(folder.encode())
        if length > LONGEST_FOLDER:
            return (
                f"the {what} '{folder[:SHOWN]}…' cannot be the name of a folder: it has {length} "
                f"bytes, of which {LONGEST_FOLDER} are allowed. {remedy}"
            )
    return ""


def attempt_path(job: JobRecord) -> str:
    """Relative folder of one attempt; it contains version and attempt, so no file is ever
    overwritten.
    """
    return (
        f"{version_path(job.key.task, job.key.version)}/{index_text(job.key.index)}.{job.attempt}"
    )
