"""Which jobs of given tags a schedd has, in whatever state a killed controller left them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.executors.htcondor.job_queue import TAKEN_BACK, JobId
from autoctrl.executors.htcondor.statuses import REMOVED
from autoctrl.executors.htcondor.submit import encode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from autoctrl.executors.htcondor.batches import JobBatch
    from autoctrl.executors.htcondor.job_queue import Desk, TaggedJob

DAY_S = 86400
MARGIN_S = 2  # a process that submits ends itself at the deadline, rounded up, and a second


class WrittenDown(NamedTuple):
    """A batch of the last days, and its rows that have one of the wanted tags, by tag."""

    batch: JobBatch
    rows: Mapping[str, int]


def find(tags: Sequence[str], desk: Desk) -> dict[str, JobId]:
    """Return cluster and row of each tag that is known. Raises ``ServiceDown``.

    A cluster that nobody remembers and whose files are awaited does not count: as long as somebody
    may be sending them it is left alone, then it is removed.
    """
    wanted = {encode(tag): tag for tag in tags}
    jobs = desk.queue.with_tags(list(wanted))
    awaited = awaited_clusters(jobs, desk)
    remove_cut_off(awaited, desk)
    found = keep_oldest([job for job in jobs if job.id.cluster not in awaited], desk)
    missing = [tag for tag in wanted if tag not in found]
    if missing:
        found |= find_outside_queue(missing, awaited, desk)
    return {wanted[tag]: job for tag, job in found.items()}


def awaited_clusters(jobs: Sequence[TaggedJob], desk: Desk) -> dict[int, int]:
    """Return for how long the files of clusters that nobody remembers have been awaited."""
    return {
        job.id.cluster: job.awaited_s
        for job in jobs
        if job.awaited_s >= 0 and desk.batch(job.id.cluster) is None
    }


def remove_cut_off(awaited: Mapping[int, int], desk: Desk) -> None:
    """Remove the clusters whose files were awaited for longer than anybody may be sending them."""
    limit_s = desk.settings.submit_deadline_s + MARGIN_S
    for cluster in sorted(cluster for cluster, waited_s in awaited.items() if waited_s > limit_s):
        reason = f"{TAKEN_BACK}its files were not taken in completely"
        desk.queue.remove_cluster(cluster, reason)
        desk.remarks.append(
            f"cluster {cluster} of {desk.queue.name} was cut off while its files were taken in; "
            "it was removed"
        )


def keep_oldest(jobs: Sequence[TaggedJob], desk: Desk) -> dict[str, JobId]:
    """Return one job for each tag, and remove the younger ones that have it too."""
    oldest, younger = split_by_age(jobs)
    if younger:
        desk.queue.remove(younger, f"{TAKEN_BACK}an older job has the same tag")
        desk.remarks.append(
            f"{len(younger)} jobs of {desk.queue.name} had the tag of an older one; "
            "the younger were removed"
        )
    for job in oldest.values():
        desk.link(job.id.cluster, job.batch)
    return {tag: job.id for tag, job in oldest.items()}


def split_by_age(jobs: Sequence[TaggedJob]) -> tuple[dict[str, TaggedJob], list[JobId]]:
    """Return one job for each tag, the oldest that is not being removed, and the living others."""
    kept: dict[str, TaggedJob] = {}
    younger: list[JobId] = []
    for job in sorted(jobs, key=lambda job: (job.status == REMOVED, job.id)):
        if job.tag not in kept:
            kept[job.tag] = job
        elif job.status != REMOVED:
            younger.append(job.id)
    return kept, younger


def find_outside_queue(
    tags: Sequence[str], awaited: Collection[int], desk: Desk
) -> dict[str, JobId]:
    """Return tags that were written down as submitted and are not in the queue.

    They are rows that are not jobs yet, or jobs that left; those of ``awaited`` clusters do not
    count.
    """
    rows_by_batch = {batch: batch.tags(tags) for batch in desk.batches.recent()}
    known = {
        batch.folder.name: WrittenDown(batch, rows) for batch, rows in rows_by_batch.items() if rows
    }
    if not known:
        return {}
    found = find_unmade(known, desk)
    if len(found) < len(tags):
        gone = find_gone(known, awaited, desk)
        found |= {tag: job for tag, job in gone.items() if tag not in found}
    return found


def find_unmade(known: Mapping[str, WrittenDown], desk: Desk) -> dict[str, JobId]:
    """Return the rows, by tag, that are not jobs yet; ``known`` is by name of the batch."""
    found: dict[str, JobId] = {}
    if not any(written.batch.is_late for written in known.values()):
        return found
    for factory in desk.queue.factories():
        written = known.get(factory.batch)
        if written is not None:
            desk.link(factory.cluster, factory.batch)
            unmade = {tag: row for tag, row in written.rows.items() if row >= factory.next_row}
            found |= {tag: JobId(factory.cluster, row) for tag, row in unmade.items()}
    return found


def find_gone(
    known: Mapping[str, WrittenDown], awaited: Collection[int], desk: Desk
) -> dict[str, JobId]:
    """Return the jobs, by tag, that left the queue; the newest of each tag."""
    since = int(min(written.batch.created for written in known.values())) - DAY_S
    found: dict[str, JobId] = {}
    for job in desk.queue.gone(list(known), since):
        batch = next((name for name, it in known.items() if it.rows.get(job.tag) == job.id.row), "")
        if batch and job.tag not in found and job.id.cluster not in awaited:
            desk.link(job.id.cluster, batch)
            found[job.tag] = job.id
    return found
