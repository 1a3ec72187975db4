"""Which jobs of given tags a schedd has, in whatever state a killed controller left them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.executors.htcondor.statuses import REMOVED
from autoctrl.executors.htcondor.submit import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.executors.htcondor.batches import Batch
    from autoctrl.executors.htcondor.executor import HTCondorExecutor
    from autoctrl.executors.htcondor.schedd import Schedd

    Place = tuple[int, int]  # cluster and row
    Found = tuple[str, int, int, int, str, int]  # as ``calls.Calls.tags`` returns it

DAY_S = 86400
MARGIN_S = 2  # a process that submits ends itself at the deadline, rounded up, and a second


def find(
    tags: Sequence[str], executor: HTCondorExecutor, schedd: Schedd, name: str
) -> dict[str, Place]:
    """Return cluster and row of each tag that is known. Raises ``ServiceDown``.

    A cluster that nobody remembers and whose files are awaited does not count: as long as somebody
    may be sending them it is left alone, then it is removed.
    """
    wanted = {encoded(tag): tag for tag in tags}
    deadline_s = executor.settings.query_deadline_s
    seen: list[Found] = schedd.call("tags", deadline_s, executor.store_id, list(wanted))
    awaited = {
        job[1]: job[5] for job in seen if job[5] >= 0 and executor.batches.of(name, job[1]) is None
    }
    limit_s = executor.settings.submit_deadline_s + MARGIN_S
    cut = sorted(cluster for cluster, awaited_s in awaited.items() if awaited_s > limit_s)
    for cluster in cut:
        reason = "taken back: its files were not taken in completely"  # see calls.TAKEN_BACK
        schedd.call("remove_cluster", deadline_s, executor.store_id, cluster, reason)
        executor.noted.append(
            f"cluster {cluster} of {name} was cut off while its files were taken in; it was removed"
        )
    kept, younger = chosen([job for job in seen if job[1] not in awaited])
    if younger:
        schedd.call(
            "remove",
            deadline_s,
            executor.store_id,
            younger,
            "taken back: an older job has the same tag",
        )
        executor.noted.append(
            f"{len(younger)} jobs of {name} had the tag of an older one; the younger were removed"
        )
    for _, cluster, _, _, batch, _ in kept.values():
        executor.batches.link(name, cluster, batch)
    found = {tag: (job[1], job[2]) for tag, job in kept.items()}
    missing = [tag for tag in wanted if tag not in found]
    if missing:
        found |= unseen(missing, executor, schedd, name, list(awaited))
    return {wanted[tag]: place for tag, place in found.items()}


def chosen(jobs: Sequence[Found]) -> tuple[dict[str, Found], list[Place]]:
    """Return one job for each tag, the oldest that is not being removed, and the living others."""
    kept: dict[str, Found] = {}
    younger: list[Place] = []
    for job in sorted(jobs, key=lambda job: (job[3] == REMOVED, job[1], job[2])):
        if job[0] not in kept:
            kept[job[0]] = job
        elif job[3] != REMOVED:
            younger.append((job[1], job[2]))
    return kept, younger


def unseen(
    tags: Sequence[str], executor: HTCondorExecutor, schedd: Schedd, name: str, cut: Sequence[int]
) -> dict[str, Place]:
    """Return tags that were written down as submitted and are not in the queue: not materialised
    yet, or gone.
    """
    known: dict[str, tuple[Batch, dict[str, int]]] = {}
    for batch in executor.batches.recent():
        rows = batch.tags(tags)
        if rows:
            known[batch.folder.name] = (batch, rows)
    if not known:
        return {}
    deadline_s = executor.settings.query_deadline_s
    found: dict[str, Place] = {}
    if any(batch.is_late for batch, _ in known.values()):
        for cluster, following, _, batch_name, _ in schedd.call(
            "factories", deadline_s, executor.store_id, []
        ):
            if batch_name in known:
                executor.batches.link(name, cluster, batch_name)
                rows = known[batch_name][1]
                found |= {tag: (cluster, row) for tag, row in rows.items() if row >= following}
    left = len(tags) - len(found)
    if left:
        since = int(min(batch.created for batch, _ in known.values())) - DAY_S
        gone = schedd.call("gone_tags", deadline_s, executor.store_id, list(known), -1, since)
        for tag, cluster, row in gone:
            batch_name = next(
                (each for each, (_, rows) in known.items() if rows.get(tag) == row), ""
            )
            if batch_name and tag not in found and cluster not in cut:
                executor.batches.link(name, cluster, batch_name)
                found[tag] = (cluster, row)
    return found
