"""One look at many jobs: what the queue says, then the history, then the files that came back."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.errors import ExecutorError, ServiceDown
from autoctrl.executors.htcondor.results import (
    NODE_LOG,
    find_complete,
    find_log,
    is_settled,
    report_ended,
    settle,
)
from autoctrl.executors.htcondor.statuses import (
    COMPLETED,
    NOT_STARTED,
    REMOVED,
    SPOOLING,
    report_left,
    report_lost,
    report_sample,
)
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import JobReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from autoctrl.executors.htcondor.batches import JobBatch
    from autoctrl.executors.htcondor.job_queue import Desk, Factory, JobId
    from autoctrl.executors.htcondor.statuses import JobSample
    from autoctrl.executors.htcondor.submit import JobRow

DAY_S = 86400
AT_ONCE = 100  # jobs whose files are fetched by one call
VISIBLE_S = 30.0  # what a node wrote to a shared file system may be seen here later than its end
NEVER = JobReport(JobStatus.REMOVED, "removed before it started", Failure.REMOVED)


class Poll:
    """One poll of one schedd; ``wanted`` holds handles by cluster and row."""

    def __init__(self, desk: Desk, wanted: Mapping[JobId, str]) -> None:
        self.desk, self.queue, self.wanted = desk, desk.queue, wanted
        self.found: dict[str, JobReport] = {}
        self.missed = desk.batches.missed()
        self.clusters = sorted({job.cluster for job in wanted})
        self.known = {cluster: desk.batch(cluster) for cluster in self.clusters}
        self.removals = {
            cluster: batch.removals() for cluster, batch in self.known.items() if batch is not None
        }

    def reports(self) -> dict[str, JobReport]:
        """Return what is known now. Raises ``ServiceDown`` if the schedd does not answer."""
        is_late = any(batch is not None and batch.is_late for batch in self.known.values())
        look = self.queue.look(self.clusters, is_late=is_late)
        missing = {job for job in self.wanted if job not in look.samples}
        finished = self._report_queued(look.samples)
        missing -= self._report_unmade(missing, look.factories)
        self._report_finished(finished, self._fetch(finished))
        if missing:
            self._report_gone(missing)
        self._remember(finished)
        return self.found

    def _report_queued(
        self, samples: Mapping[tuple[int, int], JobSample | None]
    ) -> dict[JobId, JobSample]:
        """Report the jobs in the queue that have not ended; return those that have."""
        finished: dict[JobId, JobSample] = {}
        late: list[JobId] = []  # became jobs after they were removed
        for job, handle in self.wanted.items():
            if job not in samples:
                continue
            sample = samples[job]
            if sample is None:
                is_removed = self._is_never_to_start(job)
                self.found[handle] = NEVER if is_removed else NOT_STARTED
                late += [job] if is_removed else []
            elif self._has_ended(job, sample):
                finished[job] = sample
            else:
                self.found[handle] = self._report_living(job, sample)
        if late:
            self.queue.remove(late, NEVER.reason)
        return finished

    def _is_never_to_start(self, job: JobId) -> bool:
        return job.row in self.removals.get(job.cluster, ())

    def _has_ended(self, job: JobId, sample: JobSample) -> bool:
        """Say whether a job has completed, or is leaving the queue because it was acknowledged."""
        return sample.status == COMPLETED or (sample.status == REMOVED and self._is_judged(job))

    def _report_living(self, job: JobId, sample: JobSample) -> JobReport:
        if sample.code == SPOOLING and sample.subcode > self.desk.settings.lost_after_s:
            return JobReport(JobStatus.HELD, f"{sample.reason}, which never ended", Failure.NODE)
        report = report_sample(sample)
        batch = self.known.get(job.cluster)
        if batch is not None and not batch.travels and report.starts:
            return report._replace(log=find_log(batch.job_folder(job.row)))
        return report

    def _report_unmade(
        self, missing: Iterable[JobId], factories: Mapping[int, Factory]
    ) -> set[JobId]:
        """Report rows that are not jobs yet; return them."""
        unmade = set()
        for job in missing:
            factory = factories.get(job.cluster)
            if factory is None or job.row < factory.next_row:
                continue
            unmade.add(job)
            report = NOT_STARTED
            if factory.trouble:
                report = JobReport(JobStatus.IDLE, f"not materialised: {factory.trouble}")
            self.found[self.wanted[job]] = NEVER if self._is_never_to_start(job) else report
        return unmade

    def _fetch(self, finished: Iterable[JobId]) -> dict[JobId, str]:
        """Bring back the files of finished jobs, as long as there is time.

        Returns why those of some are not here.
        """
        absent: dict[JobId, str] = {}
        began = time.monotonic()
        jobs = [job for job in finished if self._is_to_fetch(job)]
        chunks = [jobs[first : first + AT_ONCE] for first in range(0, len(jobs), AT_ONCE)]
        while chunks:
            chunk = chunks.pop(0)
            if time.monotonic() - began > self.queue.deadline_s:
                absent |= dict.fromkeys(chunk, "it has ended; its files are fetched next time")
                continue
            problem = self._retrieve(chunk)
            if problem and len(chunk) > 1:  # one of them is the trouble
                chunks[:0] = [[job] for job in chunk]
            elif problem:
                absent[chunk[0]] = f"it has ended; its files cannot be fetched: {problem}"
        return absent

    def _retrieve(self, jobs: Sequence[JobId]) -> str:
        """Bring back the files of these jobs; return why that is not possible, empty if it is."""
        try:
            self.queue.retrieve(jobs, partial(self._bytes_of, jobs))
        except ExecutorError as error:
            return str(error)
        return ""

    def _is_judged(self, job: JobId) -> bool:
        """Say whether the result of a job was judged, so that it may be acknowledged."""
        batch = self.known[job.cluster]
        return batch is not None and is_settled(batch.job_folder(job.row))

    def _is_to_fetch(self, job: JobId) -> bool:
        batch = self.known[job.cluster]
        return batch is not None and batch.travels and not self._is_judged(job)

    def _bytes_of(self, jobs: Iterable[JobId]) -> int:
        """Return how much of these jobs is here: it grows as long as a transfer gets on."""
        total = 0
        for job in jobs:
            batch = self.known[job.cluster]
            if batch is not None:
                files = (path for path in batch.job_folder(job.row).rglob("*") if path.is_file())
                total += sum(path.lstat().st_size for path in files)
        return total

    def _report_finished(
        self, finished: Mapping[JobId, JobSample], absent: Mapping[JobId, str]
    ) -> None:
        """Report jobs that have ended by themselves, once what they left was judged."""
        by_cluster: dict[int, list[JobId]] = {}
        for job in finished:
            by_cluster.setdefault(job.cluster, []).append(job)
        for cluster, jobs in sorted(by_cluster.items()):
            batch = self.known[cluster]
            rows = batch.rows(job.row for job in jobs) if batch is not None else {}
            for job in jobs:
                row = rows.get(job.row)
                if batch is None or row is None:
                    report = report_lost("it has ended, but its description can no longer be read")
                else:
                    why = absent.get(job) or self._judge(batch, row, job)
                    report = self._report_judged(job, finished[job], batch, row, why)
                self.found[self.wanted[job]] = report

    def _report_judged(
        self, job: JobId, sample: JobSample, batch: JobBatch, row: JobRow, why_not: str
    ) -> JobReport:
        """Return the report of a job that has ended; ``why_not`` if it could not be judged yet."""
        if not why_not:
            return report_ended(batch.job_folder(job.row), row, sample.host, sample.starts)
        if self._is_overdue(self.wanted[job]):
            return JobReport(JobStatus.FAILED, why_not, Failure.NODE, sample.starts, sample.host)
        return JobReport(JobStatus.RUNNING, why_not, None, sample.starts, sample.host)

    def _judge(self, batch: JobBatch, row: JobRow, job: JobId) -> str:
        """Judge a result that is here; return why that is not possible yet, empty if it was."""
        folder = batch.job_folder(job.row)
        if is_settled(folder):
            return ""
        is_silent = (
            not batch.travels
            and find_complete(folder, row.tag) is None
            and not has_words(folder / NODE_LOG)
        )
        if is_silent and self.desk.now() - self._missed_since(self.wanted[job]) < VISIBLE_S:
            return "it has ended; its result is not visible here yet"
        try:
            settle(folder, row, travelled=batch.travels)
        except OSError as error:
            return f"it has ended; its result cannot be stored: {error}"
        return ""

    def _missed_since(self, handle: str) -> float:
        return self.missed.setdefault(handle, self.desk.now())

    def _is_overdue(self, handle: str) -> bool:
        missed_s = self.desk.now() - self._missed_since(handle)
        return missed_s >= self.desk.settings.lost_after_s

    def _report_gone(self, missing: set[JobId]) -> None:
        """Report jobs that are not in the queue.

        They were judged before, are in the history, or were missed for so long that they are lost.
        """
        clusters = sorted({job.cluster for job in missing})
        batches = [self.known[cluster] for cluster in clusters]
        created = [batch.created for batch in batches if batch is not None]
        try:
            past = self.queue.history(clusters, int(min(created, default=DAY_S)) - DAY_S)
        except ServiceDown as error:
            self.desk.remarks.append(
                f"{len(missing)} jobs are not in the queue; the history does not answer: {error}"
            )
            return
        for job in missing:
            handle = self.wanted[job]
            report = self._report_left(job, past.get(job))
            if report is None and self._is_overdue(handle):
                where = f"neither in the queue nor in the history of {self.queue.name}"
                report = report_lost(f"{where} for {self.desk.settings.lost_after_s:g} s")
            if report is not None:
                self.found[handle] = report

    def _report_left(self, job: JobId, sample: JobSample | None) -> JobReport | None:
        """Return the report of a job that left the queue, None if nothing can be said."""
        batch = self.known[job.cluster]
        row = batch.rows([job.row]).get(job.row) if batch is not None else None
        if batch is not None and row is not None:
            has_started = sample is not None and sample.starts > 0
            if self._is_never_to_start(job) and not has_started:
                return NEVER
            if self._can_be_judged(batch, row, job, sample):
                return report_ended(batch.job_folder(job.row), row)
        if sample is None:
            return None
        return report_left(sample) or report_lost("it left the queue before its files were fetched")

    def _can_be_judged(
        self, batch: JobBatch, row: JobRow, job: JobId, sample: JobSample | None
    ) -> bool:
        """Judge a job that left the queue, if that is possible; say whether it is judged."""
        if is_settled(batch.job_folder(job.row)):
            return True
        return not batch.travels and is_over(sample) and not self._judge(batch, row, job)

    def _remember(self, finished: Mapping[JobId, JobSample]) -> None:
        """Keep since when jobs are missed, of those that still are."""
        if not self.missed:
            return
        for job, handle in self.wanted.items():
            report = self.found.get(handle)
            if report is None or report.status is JobStatus.LOST:
                continue
            if not (job in finished and report.reason):
                self.missed.pop(handle, None)
        try:
            self.desk.batches.note_missed(self.missed, self.desk.now())
        except OSError as error:
            self.desk.remarks.append(f"cannot record since when jobs have been missing: {error}")


def is_over(sample: JobSample | None) -> bool:
    """Say whether the history knows that a job ended by itself."""
    return sample is not None and sample.status == COMPLETED


def has_words(log: Path) -> bool:
    """Say whether the node complained of something."""
    return log.exists() and log.stat().st_size > 0
