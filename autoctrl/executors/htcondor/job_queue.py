"""The jobs of one store in the queue of one schedd: what can be asked, and what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.executors.htcondor.statuses import IDLE, JobSample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from autoctrl.executors.htcondor.batches import Batches, JobBatch
    from autoctrl.executors.htcondor.schedd import Schedd
    from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings

TAKEN_BACK = "taken back: "  # as in ``bindings``: a job removed so is as good as never submitted
NO_LIMIT = -1


class JobId(NamedTuple):
    """One job of a schedd: its cluster, and its row in it."""

    cluster: int
    row: int


class Submitted(NamedTuple):
    """What became of a submission: its cluster, and HTCondor's warnings about it."""

    cluster: int
    warnings: str


class TaggedJob(NamedTuple):
    """A job in the queue that has one of the wanted tags.

    tag        its tag, encoded as in the ads
    id         cluster and row
    status     HTCondor's number
    batch      name of its batch, as the submission wrote it into the ad
    awaited_s  for how long its files have been awaited, -1 if they are not
    """

    tag: str
    id: JobId
    status: int
    batch: str
    awaited_s: int


class Factory(NamedTuple):
    """A cluster whose rows become jobs one after the other.

    cluster   its number
    next_row  the row that becomes a job next
    batch     name of its batch
    trouble   why it does not go on, empty if it does
    """

    cluster: int
    next_row: int
    batch: str
    trouble: str


class GoneJob(NamedTuple):
    """A job that left the queue: its tag, encoded as in the ads, and its cluster and row."""

    tag: str
    id: JobId


class QueueState(NamedTuple):
    """A schedd's name and version, and the statuses of our jobs in it."""

    schedd: str
    version: str
    statuses: Sequence[int]


class Look(NamedTuple):
    """One look at the queue.

    samples    of each job, None for one that has not begun
    factories  by cluster
    """

    samples: Mapping[tuple[int, int], JobSample | None]
    factories: Mapping[int, Factory]


class JobQueue(NamedTuple):
    """The jobs of one store in one schedd; every question raises ``ServiceDown`` without an answer.

    schedd      the process that asks
    name        the schedd's name, as handles have it
    store_id    store whose jobs these are
    deadline_s  how long an answer is waited for
    """

    schedd: Schedd
    name: str
    store_id: str
    deadline_s: float

    def _ask(self, function: str, *arguments: object) -> Any:  # noqa: ANN401 - differs by function
        return self.schedd.call(function, self.deadline_s, self.store_id, *arguments)

    def submit(self, text: str, count: int, deadline_s: float, *, spool: bool) -> Submitted:
        """Submit a description of ``count`` rows. Raises ``SubmitRefused`` for a clear no."""
        return Submitted(*self.schedd.call("submit", deadline_s, text, count, spool))

    def with_tags(self, tags: Sequence[str]) -> list[TaggedJob]:
        """Return the jobs in the queue that have one of these tags."""
        return [
            TaggedJob(tag, JobId(cluster, row), status, batch, awaited_s)
            for tag, cluster, row, status, batch, awaited_s in self._ask("tags", tags)
        ]

    def factories(self) -> list[Factory]:
        """Return the clusters whose rows become jobs one after the other."""
        return [Factory(*fields) for fields in self._ask("factories")]

    def look(self, clusters: Sequence[int], *, is_late: bool) -> Look:
        """Return samples of the jobs of these clusters and, if ``is_late``, their factories."""
        samples, factories = self._ask("poll", clusters, is_late)
        return Look(
            {
                (cluster, row): JobSample(*fields) if fields else None
                for cluster, row, *fields in samples
            },
            {factory.cluster: factory for factory in (Factory(*fields) for fields in factories)},
        )

    def history(self, clusters: Sequence[int], since: int) -> dict[tuple[int, int], JobSample]:
        """Return samples of jobs of these clusters that left the queue since then."""
        newest_first = self._ask("history", clusters, NO_LIMIT, since)
        return {
            (cluster, row): JobSample(*fields) if fields else JobSample(IDLE)
            for cluster, row, *fields in reversed(newest_first)
        }

    def gone(self, batches: Sequence[str], since: int) -> list[GoneJob]:
        """Return the jobs of these batches that left the queue since then."""
        answer = self._ask("gone_tags", batches, NO_LIMIT, since)
        return [GoneJob(tag, JobId(cluster, row)) for tag, cluster, row in answer]

    def remove(self, jobs: Iterable[JobId], reason: str) -> None:
        """Remove jobs that are in the queue."""
        self._ask("remove", [tuple(job) for job in jobs], reason)

    def remove_cluster(self, cluster: int, reason: str) -> None:
        """Remove a whole cluster, with its rows that are not jobs yet."""
        self._ask("remove_cluster", cluster, reason)

    def retrieve(self, jobs: Iterable[JobId], progress: Callable[[], object]) -> None:
        """Bring back the files of completed jobs; the deadline begins anew with any progress."""
        ids = [f"{cluster}.{row}" for cluster, row in jobs]
        self.schedd.call("retrieve", self.deadline_s, ids, progress=progress)

    def state(self) -> QueueState:
        """Return the schedd's name, its version and the statuses of our jobs."""
        return QueueState(*self._ask("ping"))


class Desk(NamedTuple):
    """Where the jobs of one store in one schedd are looked after.

    queue     the jobs in the schedd
    batches   what is kept of the submissions
    settings  ``[executors.<name>]``
    remarks   sentences about what had to be put right; more are added
    now       the time, seconds since 1970
    """

    queue: JobQueue
    batches: Batches
    settings: HTCondorExecutorSettings
    remarks: list[str]
    now: Callable[[], float]

    def batch(self, cluster: int) -> JobBatch | None:
        """Return the batch that became a cluster, None if nobody knows."""
        return self.batches.of(self.queue.name, cluster)

    def link(self, cluster: int, batch: str) -> None:
        """Remember which batch became a cluster."""
        self.batches.link(self.queue.name, cluster, batch)
