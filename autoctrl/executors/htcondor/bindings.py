"""The other end of ``schedd``: a process that calls HTCondor's bindings, one call at a time.

Run as a program, never imported by the rest: requests come in on stdin, answers go out on stdout,
both as a length and then ``marshal``; before the first request a length of 0 says that it is ready.
The bindings hold the interpreter's lock while they wait, so
only another process can give up on them. Answers are plain tuples; ``job_queue`` names what is in
them.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import signal
import struct
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

import classad2
import htcondor2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SAMPLE = (
    "ClusterId",
    "ProcId",
    "JobStatus",
    "NumShadowStarts",
    "NumJobReconnects",
    "RemoteHost",
    "LastRemoteHost",
)
LENGTH = struct.Struct("<Q")  # of a request or an answer, before it
UNMADE = ("RemoveReason", "NumShadowStarts")
SPOOLED = ("HoldReasonCode", "StageInFinish", "EnteredCurrentStatus")
REASONS = (*SPOOLED, "HoldReasonSubCode", "HoldReason", "RemoveReason")
FACTORY = ("JobMaterializeNextProcId", "JobMaterializePauseReason")
IDLE, REMOVED, COMPLETED, HELD = 1, 3, 4, 5
SPOOLING = 16
MOST_CLUSTERS = 50
PAUSE_S = 0.1
LONGEST_REASON = 500
# How the reasons begin for which a job was removed before it could start: ours, and a schedd's own
# when it was killed while files were coming in.
TAKEN_BACK = "taken back: "
STAGING = "Staging of job files failed"


class NoSchedd(Exception):
    """The collector knows no schedd of this name."""


class RowMismatch(Exception):
    """HTCondor made other jobs of a submission than was asked for; none of them is left."""


class Calls:
    """The calls; a schedd is looked up once and again after any error."""

    def __init__(self, name: str, collector: str) -> None:
        self.name, self.collector = name, collector
        self._schedd: Any = None

    @property
    def schedd(self) -> Any:  # noqa: ANN401 - the bindings have no types
        """The schedd, looked up where it is not known. Raises ``NoSchedd``."""
        if self._schedd is None:
            pool = htcondor2.Collector(self.collector) if self.collector else htcondor2.Collector()
            wanted = (self.name,) if self.name and self.name != self.local_name() else ()
            ad = pool.locate(htcondor2.DaemonType.Schedd, *wanted)
            if ad is None:
                raise NoSchedd(self.name)
            self._schedd = htcondor2.Schedd(ad)
        return self._schedd

    def forget(self) -> None:
        """Look the schedd up anew next time."""
        self._schedd = None

    def local_name(self) -> str:
        """Return the name of this machine's own schedd, as the configuration has it; asks
        nobody.
        """
        host = str(htcondor2.param.get("FULL_HOSTNAME", ""))
        name = str(htcondor2.param.get("SCHEDD_NAME", "") or "")
        if not name or name == host:
            return host
        return name if "@" in name else f"{name}@{host}"

    def submit(self, text: str, count: int, spool: bool) -> tuple[int, str]:  # noqa: FBT001 - called by position
        """Submit; return cluster and warnings, once the schedd has written down that it has all.

        Raises ``RowMismatch``.
        """
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            result = self.schedd.submit(htcondor2.Submit(text), spool=spool)
        cluster = int(result.cluster())
        try:
            compare(result.first_proc(), result.num_procs(), count)
            if spool:
                self.schedd.spool(result)
        except Exception:
            self._remove([str(cluster)], f"{TAKEN_BACK}not submitted completely")
            raise
        # a schedd that dies while it awaits files forgets that it has them all
        awaits = f"ClusterId == {cluster} && JobStatus == {HELD} && HoldReasonCode == {SPOOLING}"
        while spool and self.schedd.query(awaits, ["ProcId"]):
            time.sleep(PAUSE_S)
        return cluster, "; ".join(str(warning.message) for warning in said)[:LONGEST_REASON]

    def tags(self, store: str, wanted: Sequence[str]) -> list[tuple[str, int, int, int, str, int]]:
        """Return tag, cluster, proc, status and batch of the jobs that have one of these tags.

        Last comes for how long their files have been awaited, -1 if they are not.
        """
        own = ["AutoctrlTag", "AutoctrlBatch"]
        names = ["ClusterId", "ProcId", "JobStatus", *own, *UNMADE, *SPOOLED]
        chosen = set(wanted)
        found = []
        for ad in self.schedd.query(f'AutoctrlStore == "{store}"', names):
            tag = ad.get("AutoctrlTag")
            if tag in chosen and not is_taken_back(ad):
                status, batch = ad["JobStatus"], text(ad, "AutoctrlBatch")
                awaited_s = awaited(ad) if is_spooling(ad) else -1
                found.append((tag, ad["ClusterId"], ad["ProcId"], status, batch, awaited_s))
        return found

    def factories(self, store: str) -> list[tuple[int, int, str, str]]:
        """Return cluster, next row, batch and trouble of clusters that are materialised late."""
        names = ["ClusterId", "AutoctrlBatch", *FACTORY]
        constraint = (
            f'AutoctrlStore == "{store}" && JobMaterializeNextProcId isnt undefined && ProcId '
            "is undefined"
        )
        option = htcondor2.QueryOpt.IncludeClusterAd
        ads = self.schedd.query(constraint, names, opts=option)
        return [factory(ad) for ad in ads if "ProcId" not in ad]

    def poll(self, store: str, clusters: Sequence[int], late: bool) -> tuple[list[Any], list[Any]]:  # noqa: FBT001 - as above
        """Return samples of the jobs of clusters, by cluster, and their factories; one question."""
        constraint = f'AutoctrlStore == "{store}"'
        if len(clusters) <= MOST_CLUSTERS:
            constraint += f" && {among(clusters)}"
        names = [*SAMPLE, *REASONS, *(FACTORY if late else ())]
        option = htcondor2.QueryOpt.IncludeClusterAd if late else htcondor2.QueryOpt.Default
        samples: list[Any] = []
        factories: list[Any] = []
        for ad in self.schedd.query(constraint, names, opts=option):
            if late and "ProcId" not in ad:
                factories.append(factory(ad))
            else:
                samples.append(sample(ad, ad["ProcId"]))
        return samples, factories

    def history(self, store: str, clusters: Sequence[int], limit: int, since: int) -> list[Any]:
        """Return samples of jobs that left the queue since then (s since 1970), newest first."""
        ads = self.gone(store, among(clusters), limit, since)
        return [sample(ad, ad["ProcId"]) for ad in ads]

    def gone_tags(
        self, store: str, batches: Sequence[str], limit: int, since: int
    ) -> list[tuple[str, int, int]]:
        """Return tag, cluster and proc of jobs of these batches that left the queue."""
        each = [f'AutoctrlBatch == "{batch}"' for batch in batches]
        ads = self.gone(store, f"({' || '.join(each)})", limit, since)
        left = [ad for ad in ads if not is_taken_back(ad)]
        return [(text(ad, "AutoctrlTag"), ad["ClusterId"], ad["ProcId"]) for ad in left]

    def gone(self, store: str, condition: str, limit: int, since: int) -> list[Any]:
        """Return what the history knows, read back to the first job that left before ``since``."""
        stop = classad2.ExprTree(f"CompletionDate < {since} && EnteredCurrentStatus < {since}")
        names = [*SAMPLE, *REASONS, *UNMADE, "AutoctrlTag"]
        constraint = f'AutoctrlStore == "{store}" && {condition}'
        return list(self.schedd.history(constraint, names, match=limit, since=stop))

    def remove(self, store: str, handles: Sequence[tuple[int, int]], reason: str) -> None:
        """Remove jobs of this store that are in the queue."""
        clusters = sorted({cluster for cluster, _ in handles})
        constraint = f'AutoctrlStore == "{store}"'
        if len(clusters) <= MOST_CLUSTERS:
            constraint += f" && {among(clusters)}"
        ads = self.schedd.query(constraint, ["ClusterId", "ProcId"])
        there = {(ad["ClusterId"], ad["ProcId"]) for ad in ads}
        ids = [f"{cluster}.{proc}" for cluster, proc in handles if (cluster, proc) in there]
        if ids:
            self._remove(ids, reason)

    def remove_cluster(self, store: str, cluster: int, reason: str) -> None:
        """Remove a whole cluster of this store, rows that are not materialised too."""
        constraint = f'ClusterId == {cluster} && AutoctrlStore == "{store}"'
        self._remove(constraint, reason)

    def _remove(self, what: list[str] | str, reason: str) -> None:
        # a reason that is a bare string would be ignored
        self.schedd.act(htcondor2.JobAction.Remove, what, (reason, 0))

    def retrieve(self, ids: list[str]) -> None:
        """Bring the files of completed jobs back."""
        self.schedd.retrieve(ids)

    def ping(self, store: str) -> tuple[str, str, list[int]]:
        """Return the schedd's name, its version and the statuses of our jobs."""
        ads = self.schedd.query(f'AutoctrlStore == "{store}"', ["JobStatus"])
        words = str(self.schedd._version).split()  # noqa: SLF001 - nothing else has it
        version = words[1] if len(words) > 1 else ""
        return self.name or self.local_name(), version, [ad["JobStatus"] for ad in ads]


def compare(first: int, made: int, wanted: int) -> None:
    """Raise ``RowMismatch`` unless each row became one job, in order."""
    if (first, made) != (0, wanted):
        message = f"{wanted} rows became {made} jobs from {first} on"
        raise RowMismatch(message)


def is_taken_back(ad: Any) -> bool:  # noqa: ANN401 - as above
    """Say whether a job was removed before it could start: it is as good as never submitted."""
    has_started = number(ad.get("NumShadowStarts")) > 0
    return not has_started and text(ad, "RemoveReason").startswith((TAKEN_BACK, STAGING))


def among(clusters: Iterable[int]) -> str:
    """Return the condition that a job is of one of these clusters."""
    return f"({' || '.join(f'ClusterId == {cluster}' for cluster in clusters)})"


def sample(ad: Any, proc: int) -> tuple[Any, ...]:  # noqa: ANN401 - as above
    """Return cluster, proc and the fields of ``statuses.JobSample``, none for a job not begun."""
    status = ad["JobStatus"]
    # NumJobStarts comes late, or never for a job that is evicted at once
    shadows = number(ad.get("NumShadowStarts"))
    if status == IDLE and not shadows:
        return ad["ClusterId"], proc
    # a schedd that was restarted gives its jobs new shadows
    starts = shadows - number(ad.get("NumJobReconnects"))
    host = (text(ad, "RemoteHost") or text(ad, "LastRemoteHost")).rpartition("@")[2]
    if status == HELD:
        code = number(ad.get("HoldReasonCode"))
        codes = code, awaited(ad) if code == SPOOLING else number(ad.get("HoldReasonSubCode"))
        return (ad["ClusterId"], proc, status, starts, host, *codes, text(ad, "HoldReason"))
    reason = text(ad, "RemoveReason") if status == REMOVED else ""
    return (ad["ClusterId"], proc, status, starts, host, 0, 0, reason)


def is_spooling(ad: Any) -> bool:  # noqa: ANN401 - as above
    """Say whether a job waits for its files."""
    return bool(ad["JobStatus"] == HELD and ad.get("HoldReasonCode") == SPOOLING)


def awaited(ad: Any) -> int:  # noqa: ANN401 - as above
    """Return for how many seconds, by its own clock, the schedd has awaited the files of a job."""
    if number(ad.get("StageInFinish")):
        return 0
    return max(0, number(ad.get("ServerTime")) - number(ad.get("EnteredCurrentStatus")))


def factory(ad: Any) -> tuple[int, int, str, str]:  # noqa: ANN401 - as above
    """Return cluster, next row, batch and trouble, as the cluster's own ad has them."""
    next_row, trouble = (ad.get("JobMaterializeNextProcId"), text(ad, "JobMaterializePauseReason"))
    return ad["ClusterId"], number(next_row), text(ad, "AutoctrlBatch"), trouble


def number(value: object) -> int:
    """Return a whole number, 0 for anything else: an undefined attribute is a value of its own."""
    return value if type(value) is int else 0


def text(ad: Any, name: str) -> str:  # noqa: ANN401 - as above
    """Return an attribute that is a string, empty if it is not."""
    value = ad.get(name)
    return value[:LONGEST_REASON] if isinstance(value, str) else ""


def serve(calls: Calls, requests: BinaryIO, answers: BinaryIO) -> None:
    """Say that requests can come; answer them until there are no more."""
    answers.write(LENGTH.pack(0))
    answers.flush()
    while head := requests.read(LENGTH.size):
        function, limit_s, arguments = marshal.loads(requests.read(*LENGTH.unpack(head)))  # noqa: S302 - from our own parent
        signal.alarm(limit_s)  # also if the parent is stopped and does not watch
        try:
            answer = ("", getattr(calls, function)(*arguments))
        except Exception as error:  # noqa: BLE001 - the parent raises what it means
            calls.forget()
            answer = (type(error).__name__, str(error))
        signal.alarm(0)
        data = marshal.dumps(answer)
        answers.write(LENGTH.pack(len(data)))
        answers.write(data)
        answers.flush()


def main() -> None:
    """Serve the parent; die with it, even in the middle of a call."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever else prints does not get among the answers
        serve(Calls(sys.argv[1], sys.argv[2]), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
