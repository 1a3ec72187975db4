"""Run jobs as detached processes on this machine; they outlive the controller.

Everything known of a job lies in its folder, so any controller can go on where another was killed.
What a SIGKILL at any instruction of the controller, of a slot's process or of the wrapper can leave
behind:

========================================  ===========  ============================================
folder of the job                         reported as  what happens next
========================================  ===========  ============================================
none, or no readable ``spec.json``        unknown      ``find`` omits it, so it is submitted again
the same, asked for by its handle         lost         nothing
``spec.json``, not queued                 idle         ``find`` and ``poll`` queue it again
``spec.json``, queued                     idle         a free slot takes it
``remove``, no ``claim``                  removed      ``poll`` claims it, so that it never starts
``claim`` that says void                  removed      nothing, it never starts
``claim`` locked, its wrapper alive       running      the wrapper goes on
``claim`` locked, its wrapper dead        running      ``poll`` kills what still holds the lock
``claim`` not locked, a process is left   running      ``poll`` kills it
``claim`` not locked, nothing is left     lost         after a last look for the result
the same, with ``remove``                 removed      nothing
``result.json``                           as it says   nothing
(any, but of another store)               lost         nothing, it is never touched
========================================  ===========  ============================================

An entry of the queue whose job is claimed or gone is dropped by the next process that serves a
slot. Drafts (``claim.<pid>.<random>`` and the like) are never read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.errors import ServiceDown, SubmitRefused
from autoctrl.executors.environment import hint_variables, job_environment, select_inherited
from autoctrl.executors.job_folder import (
    LOGS,
    choose_log,
    claim_void,
    is_locked,
    read_json,
    read_last_words,
    read_own_result,
    report_of_result,
    write_spec,
)
from autoctrl.executors.local import leftovers
from autoctrl.executors.local.pool import Pool, mark
from autoctrl.executors.logs import check_stream, read_log, read_piece, reading_log
from autoctrl.model.status import Failure, JobStatus
from autoctrl.node import hint, wrapper
from autoctrl.ports import LOG_END, JobReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autoctrl.ports import JobOrder, JobResult, LogPiece, LogWindow

REMOVED = "removed before it started"
UNFIT = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}  # the name is at fault, not the disk


class LocalExecutor:
    """An ``Executor`` of detached processes, at most ``slots`` at once (0: one for each core).

    jobs      folder of the jobs' folders, those of each store apart
    store_id  store whose jobs these are; two executors for one store and folder share its slots and
              its queue
    grace_s   seconds between SIGTERM and SIGKILL for a job that is to end
    hints     variables that tell a job where to leave hints
    """

    has_safe_resubmit = True
    is_immediate = False
    place = ""
    remarks: Sequence[str] = ()

    def __init__(
        self,
        name: str,
        jobs: Path,
        store_id: str,
        *,
        slots: int = 0,
        grace_s: float = 10.0,
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.jobs = jobs.absolute()
        self.store_id = store_id
        self.grace_s = grace_s
        self.environment = {
            **select_inherited(os.environ, f"{sys.prefix}/bin"),
            **hint_variables(hints, hint.__file__),
        }
        self.pool = Pool(
            self.jobs / store_id, slots or len(os.sched_getaffinity(0)), self.environment
        )

    def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
        """Write the attempts' folders, queue them and fill free slots; return the handles by tag.

        Raises ``SubmitRefused`` if every folder belongs to somebody else, ``ServiceDown`` if none
        can be written.
        """
        handles: dict[str, str] = {}
        refusals: list[str] = []
        try:
            self.pool.open()
            queued = self.pool.queued()
            for order in orders:
                refusal = self._write(order, queued)
                if refusal:
                    refusals.append(refusal)
                else:
                    handles[order.tag] = handle_of(order.tag)
        except OSError as error:
            message = (
                f"Executor {self.name} cannot write the jobs' folders below {self.jobs}: "
                f"{error.strerror}."
            )
            raise ServiceDown(message, hint="Make room there, or make it writable.") from error
        if refusals and not handles:
            raise SubmitRefused(refusals[0])
        self.pool.start()
        return handles

    def _write(self, order: JobOrder, queued: set[str]) -> str:
        """Write one job's folder and queue it; return why it was refused, empty if it was not."""
        handle = handle_of(order.tag)
        if not self._is_ours(handle):
            return f"The job {order.tag} does not belong to the store {self.store_id}."
        folder = self.jobs / handle
        try:
            _make_folder(folder)
        except OSError as error:
            if error.errno not in UNFIT:
                raise
            return (
                f"No folder can be made for the job {order.tag}: {error.strerror}. Shorten the "
                "name of its campaign, workflow or group, or move the project to a shorter path."
            )
        if write_spec(folder, self._spec(order)):
            self.pool.enqueue(handle)
            return ""
        owner = read_json(folder / wrapper.SPEC).get("tag")
        if owner != order.tag:
            return (
                f"{folder} already holds the job {owner}, not {order.tag}. Move that folder away."
            )
        self._repair(handle, queued)
        return ""

    def _spec(self, order: JobOrder) -> dict[str, object]:
        spec = order.spec
        return {
            "schema": wrapper.SCHEMA,
            "tag": order.tag,
            "argv": list(spec.command),
            "workdir": str(Path(order.folder).absolute()),
            "outputs": dict(spec.outputs),
            "environment": job_environment(self.environment, spec.environment, spec.cpus),
            "memory_mb": spec.memory_mb,
            "time_limit_s": spec.time_limit_s,
            "grace_s": self.grace_s,
        }

    def find(self, tags: Iterable[str]) -> dict[str, str]:
        """Return the handle of each tag whose folder is complete."""
        queued = self.pool.queued()
        found = {}
        for tag in tags:
            handle = handle_of(tag)
            if (
                self._is_ours(handle)
                and read_json(self.jobs / handle / wrapper.SPEC).get("tag") == tag
            ):
                self._repair(handle, queued)
                found[tag] = handle
        return found

    def poll(self, handles: Sequence[str]) -> dict[str, JobReport]:
        """Return a report for each handle, and fill free slots.

        Raises ``ServiceDown`` if the folder has vanished.
        """
        if any(map(self._is_ours, handles)):
            self._check_reachable()
        queued = self.pool.queued()
        reports = {}
        for handle in handles:
            with contextlib.suppress(OSError):  # no answer for this one, so nothing is concluded
                reports[handle] = (
                    self._report(handle, queued) if self._is_ours(handle) else report_copied(handle)
                )
        self.pool.start()
        return reports

    def _report(self, handle: str, queued: set[str]) -> JobReport:
        folder = self.jobs / handle
        report = self._ended(folder)
        if report is not None:
            return report
        claim = read_json(folder / wrapper.CLAIM)
        if not claim:
            return self._unclaimed(handle, folder, queued)
        if "void" in claim:
            return report_unstarted(JobStatus(claim["void"]), claim["reason"])
        running = JobReport(
            JobStatus.RUNNING,
            starts=claim["start"],
            host=claim["host"],
            log=str(folder / "stdout.log"),
        )
        if is_locked(folder / wrapper.CLAIM):
            if leftovers.is_here(claim) and not leftovers.is_wrapper_alive(claim):
                leftovers.end(claim)
            return running
        if leftovers.is_here(claim) and leftovers.end(claim):
            return running
        # the result may have been written since we looked
        return self._ended(folder) or self._lost(folder, claim)

    def _ended(self, folder: Path) -> JobReport | None:
        result = read_own_result(folder)
        return None if result is None else report_of_result(result, choose_log(folder))

    def _unclaimed(self, handle: str, folder: Path, queued: set[str]) -> JobReport:
        if (folder / wrapper.REMOVE).exists():  # whoever asked was killed before the claim
            claim_void(folder, "", JobStatus.REMOVED, REMOVED)
            return self._report(handle, queued)
        if not (folder / wrapper.SPEC).exists():
            return report_unstarted(JobStatus.LOST, f"its folder {folder} is gone")
        spec = folder / wrapper.SPEC
        if mark(handle) not in queued and read_json(spec).get("schema") != wrapper.SCHEMA:
            return report_unstarted(JobStatus.LOST, f"its description {spec} cannot be read")
        self._repair(handle, queued)
        return JobReport(JobStatus.IDLE)

    def _repair(self, handle: str, queued: set[str]) -> None:
        """Queue a job that a killed controller wrote down and did not queue."""
        if mark(handle) not in queued and not (self.jobs / handle / wrapper.CLAIM).exists():
            self.pool.enqueue(handle)

    def _lost(self, folder: Path, claim: Mapping[str, Any]) -> JobReport:
        starts, host, log = claim["start"], claim["host"], choose_log(folder)
        if (folder / wrapper.REMOVE).exists():
            return JobReport(
                JobStatus.REMOVED, "removed while it ran", Failure.REMOVED, starts, host, log
            )
        reason = "its wrapper ended without a result"
        if not leftovers.is_here(claim):
            reason = f"{host} was restarted while it ran"
        reason += read_last_words(folder / LOGS["stderr"])
        return JobReport(JobStatus.LOST, reason, Failure.NODE, starts, host, log)

    def result(self, handle: str) -> JobResult | None:
        """Return what the wrapper wrote, None if there is nothing yet or it is another job's."""
        return read_own_result(self.jobs / handle) if self._is_ours(handle) else None

    def remove(self, handles: Sequence[str]) -> None:
        """Ask that the attempts be ended; a queued one never starts.

        Returns at once. Raises ``ServiceDown``.
        """
        for handle in filter(self._is_ours, handles):
            folder = self.jobs / handle
            try:
                self._remove(folder)
            except OSError as error:
                message = f"Executor {self.name} cannot write into {folder}: {error.strerror}."
                raise ServiceDown(message, hint="Make room there, or make it writable.") from error

    def _remove(self, folder: Path) -> None:
        if not folder.is_dir() or read_own_result(folder) is not None:
            return
        (folder / wrapper.REMOVE).touch()
        tag = str(read_json(folder / wrapper.SPEC).get("tag", ""))
        if claim_void(folder, tag, JobStatus.REMOVED, REMOVED):
            return
        claim = read_json(folder / wrapper.CLAIM)
        if "void" in claim or not leftovers.is_here(claim):
            return  # a wrapper on another machine sees the file ``remove``
        if leftovers.is_wrapper_alive(claim):
            leftovers.ask_to_stop(claim)
        else:
            leftovers.end(claim)

    def acknowledge(self, handles: Sequence[str]) -> None:
        """Do nothing: a finished job has left the queue, and costs but the space of its folder."""

    def log(self, handle: str, stream: str = "stdout") -> str:
        """Return what the attempt printed so far; of a very large log the middle is left out.

        Raises ``UsageError`` for another stream, ``ServiceDown`` if the log cannot be read.
        """
        check_stream(stream, handle)
        with reading_log(handle):
            return read_log(self.jobs, self.jobs / handle / LOGS[stream])

    def log_piece(
        self, handle: str, stream: str = "stdout", window: LogWindow = LOG_END
    ) -> LogPiece:
        """Return a part of what the attempt printed so far. Raises as ``log``."""
        check_stream(stream, handle)
        with reading_log(handle):
            return read_piece(self.jobs, self.jobs / handle / LOGS[stream], window=window)

    def describe(self, workflow: str) -> dict[str, str]:
        """Return nothing: a local job is its command."""
        del workflow
        return {}

    def ping(self) -> str:
        """Return how many slots are taken and how many jobs wait.

        Raises ``ServiceDown`` if the folder is of no use.
        """
        try:
            self.pool.open()
            if not os.access(self.jobs, os.W_OK):
                raise PermissionError(13, "it is not writable")
            busy = self.pool.busy()
        except OSError as error:
            message = f"Executor {self.name} cannot use {self.jobs}: {error.strerror}."
            raise ServiceDown(message, hint="Make room there, or make it writable.") from error
        return (
            f"{busy} of {self.pool.slots} slots taken, {len(self.pool.queued())} jobs queued, "
            f"in {self.jobs}"
        )

    def _is_ours(self, handle: str) -> bool:
        """Say whether a job is our store's; one of the store it is a copy of is left alone."""
        return handle.startswith(f"{self.store_id}/")

    def _check_reachable(self) -> None:
        """Raise ``ServiceDown`` if our folder has vanished: nothing is known then."""
        if self.pool.folder.is_dir():
            return
        message = (
            f"Executor {self.name} cannot find the folder {self.pool.folder}: a file system may "
            "not be mounted."
        )
        raise ServiceDown(message, hint="Nothing is concluded about its jobs until it is back.")


def _make_folder(folder: Path) -> None:
    with contextlib.suppress(FileExistsError):
        try:
            folder.mkdir()
        except FileNotFoundError:
            folder.mkdir(parents=True)


def handle_of(tag: str) -> str:
    """Return the folder of an attempt below that of all jobs: its tag, which tells whose it is.

    Raises ``SubmitRefused`` if that would lie elsewhere.
    """
    words = tag.split("/")
    is_inside = len(words) > 1 and not {"", ".", ".."}.intersection(words)
    if not is_inside or any(word.startswith(".") for word in words[:2]):
        message = f"The tag '{tag}' cannot be the name of a folder."
        raise SubmitRefused(message)
    return tag


def report_copied(handle: str) -> JobReport:
    """Return the report of a job of the store of which ours is a copy; the original goes on."""
    owner = handle.partition("/")[0]
    return JobReport(
        JobStatus.LOST,
        f"it belongs to the store {owner}, of which this one is a copy",
        Failure.NODE,
    )


def report_unstarted(status: JobStatus, reason: str) -> JobReport:
    """Return the report of a job that never started and never will."""
    return JobReport(
        status, reason, Failure.REMOVED if status is JobStatus.REMOVED else Failure.NODE
    )
