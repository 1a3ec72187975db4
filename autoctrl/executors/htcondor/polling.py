"""One look at many jobs: what the queue says, then the history, then the files that came back."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.errors import ExecutorError, ServiceDown
from autoctrl.executors.htcondor.results import (
    NODE_LOG,
    complete,
    ended,
    is_settled,
    log_path,
    settle,
)
from autoctrl.executors.htcondor.statuses import (
    COMPLETED,
    NOT_STARTED,
    REMOVED,
    SPOOLING,
    Sample,
    left_queue,
    lost,
    report_of,
)
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import JobReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from autoctrl.executors.htcondor.batches import Batch
    from autoctrl.executors.htcondor.executor import HTCondorExecutor
    from autoctrl.executors.htcondor.schedd import Schedd

    Key = tuple[int, int]  # cluster and row

DAY_S = 86400
AT_ONCE = 100  # jobs whose files are fetched by one call
VISIBLE_S = 30.0  # what a node wrote to a shared file system may be seen here later than its end
NEVER = JobReport(JobStatus.REMOVED, "removed before it started", Failure.REMOVED)


class Poll:
    """One poll of one schedd; ``wanted`` holds handles by cluster and row."""

    def __init__(
        self, executor: HTCondorExecutor, schedd: Schedd, name: str, wanted: Mapping[Key, str]
    ) -> None:
        self.executor, self.schedd, self.name, self.wanted = executor, schedd, name, wanted
        self.store_id, self.deadline_s = executor.store_id, executor.settings.query_deadline_s
        self.found: dict[str, JobReport] = {}
        self.missed = executor.batches.missed()
        self.clusters = sorted({cluster for cluster, _ in wanted})
        self.known = {cluster: executor.batches.of(name, cluster) for cluster in self.clusters}
        self.removals = {
            cluster: batch.removals() for cluster, batch in self.known.items() if batch is not None
        }
        self.void: list[Key] = []

    def reports(self) -> dict[str, JobReport]:
        """Return what is known now. Raises ``ServiceDown`` if the schedd does not answer."""
        is_late = any(batch is not None and batch.is_late for batch in self.known.values())
        samples, factories = self.schedd.call(
            "poll", self.deadline_s, self.store_id, self.clusters, is_late
        )
        finished: dict[Key, Sample] = {}
        seen: set[Key] = set()
        for fields in samples:
            key = fields[:2]
            handle = self.wanted.get(key)
            if handle is None:
                continue
            seen.add(key)
            if len(fields) == len(key):
                is_void = key[1] in self.removals.get(key[0], ())
                self.found[handle] = NEVER if is_void else NOT_STARTED
                self.void += [key] if is_void else []
            elif fields[2] == COMPLETED or (fields[2] == REMOVED and self._is_judged(key)):
                finished[key] = Sample(*fields[2:])
            else:
                self._running(key, handle, Sample(*fields[2:]))
        if self.void:  # materialised after they were removed
            self.schedd.call("remove", self.deadline_s, self.store_id, self.void, NEVER.reason)
        missing = {key for key in self.wanted if key not in seen}
        missing -= self._unmade(missing, factories)
        self._finish(finished, self._fetch(finished))
        if missing:
            self._gone(missing)
        self._remember(finished)
        return self.found

    def _running(self, key: Key, handle: str, sample: Sample) -> None:
        report = report_of(sample)
        if sample.code == SPOOLING and sample.subcode > self.executor.settings.lost_after_s:
            report = JobReport(JobStatus.HELD, f"{sample.reason}, which never ended", Failure.NODE)
        batch = self.known.get(key[0])
        if batch is not None and not batch.travels and report.starts:
            report = report._replace(log=log_path(batch.place(key[1])))
        self.found[handle] = report

    def _unmade(
        self, missing: Iterable[Key], factories: Iterable[tuple[int, int, int, str, str]]
    ) -> set[Key]:
        """Report rows that are not materialised yet; return them."""
        following = {cluster: (row, trouble) for cluster, row, _, _, trouble in factories}
        unmade = {key for key in missing if key[0] in following and key[1] >= following[key[0]][0]}
        for key in unmade:
            trouble = following[key[0]][1]
            idle = (
                JobReport(JobStatus.IDLE, f"not materialised: {trouble}")
                if trouble
                else NOT_STARTED
            )
            self.found[self.wanted[key]] = (
                NEVER if key[1] in self.removals.get(key[0], ()) else idle
            )
        return unmade

    def _fetch(self, finished: Mapping[Key, Sample]) -> dict[Key, str]:
        """Bring back the files of finished jobs, as long as there is time; return why some are not
        here.
        """
        absent: dict[Key, str] = {}
        begun = time.monotonic()
        queue = [key for key in finished if self._is_to_fetch(key)]
        chunks = [queue[first : first + AT_ONCE] for first in range(0, len(queue), AT_ONCE)]
        while chunks:
            chunk = chunks.pop(0)
            if time.monotonic() - begun > self.deadline_s:
                absent |= dict.fromkeys(chunk, "it has ended; its files are fetched next time")
                continue
            try:
                ids = [f"{cluster}.{row}" for cluster, row in chunk]
                self.schedd.call(
                    "retrieve", self.deadline_s, ids, progress=partial(self._bytes_of, chunk)
                )
            except ExecutorError as error:
                if len(chunk) > 1:  # one of them is the trouble
                    chunks[:0] = [[key] for key in chunk]
                else:
                    absent[chunk[0]] = f"it has ended; its files cannot be fetched: {error}"
        return absent

    def _is_judged(self, key: Key) -> bool:
        """Say whether a job that is leaving the queue was acknowledged."""
        batch = self.known[key[0]]
        return batch is not None and is_settled(batch.place(key[1]))

    def _is_to_fetch(self, key: Key) -> bool:
        batch = self.known[key[0]]
        return batch is not None and batch.travels and not is_settled(batch.place(key[1]))

    def _bytes_of(self, keys: Iterable[Key]) -> int:
        """Return how much of these jobs is here: it grows as long as a transfer gets on."""
        total = 0
        for cluster, row in keys:
            batch = self.known[cluster]
            if batch is not None:
                total += sum(
                    path.lstat().st_size for path in batch.place(row).rglob("*") if path.is_file()
                )
        return total

    def _finish(self, finished: Mapping[Key, Sample], absent: Mapping[Key, str]) -> None:
        """Report jobs that have ended by themselves, once what they left was judged."""
        for cluster in sorted({cluster for cluster, _ in finished}):
            batch = self.known[cluster]
            mine = {key: sample for key, sample in finished.items() if key[0] == cluster}
            rows = batch.rows(row for _, row in mine) if batch is not None else {}
            for key, sample in mine.items():
                handle, row = self.wanted[key], rows.get(key[1])
                if batch is None or row is None:
                    self.found[handle] = lost("it has ended, but nobody knows any more what it was")
                    continue
                problem = absent.get(key) or self._judge(batch, key, handle)
                waiting = JobReport(JobStatus.RUNNING, problem, None, sample.starts, sample.host)
                if problem and self._is_overdue(handle):
                    waiting = waiting._replace(status=JobStatus.FAILED, failure=Failure.NODE)
                place = batch.place(key[1])
                self.found[handle] = (
                    waiting if problem else ended(place, row, sample.host, sample.starts)
                )

    def _judge(self, batch: Batch, key: Key, handle: str) -> str:
        """Judge a result that is here; return why that is not possible yet, empty if it was
        done.
        """
        place = batch.place(key[1])
        if is_settled(place):
            return ""
        row = batch.rows([key[1]])[key[1]]
        is_silent = (
            not batch.travels
            and complete(place, row.tag) is None
            and not has_words(place / NODE_LOG)
        )
        if is_silent and self.executor.now() - self._missed_since(handle) < VISIBLE_S:
            return "it has ended; its result is not visible here yet"
        try:
            settle(place, row, travelled=batch.travels)
        except OSError as error:
            return f"it has ended; its result cannot be stored: {error}"
        return ""

    def _missed_since(self, handle: str) -> float:
        return self.missed.setdefault(handle, self.executor.now())

    def _is_overdue(self, handle: str) -> bool:
        return (
            self.executor.now() - self._missed_since(handle) >= self.executor.settings.lost_after_s
        )

    def _gone(self, missing: set[Key]) -> None:
        """Report jobs that are not in the queue: judged before, in the history, or missed for so
        long that lost.
        """
        batches = [self.known[cluster] for cluster in {cluster for cluster, _ in missing}]
        since = (
            int(min((batch.created for batch in batches if batch is not None), default=DAY_S))
            - DAY_S
        )
        clusters = sorted({cluster for cluster, _ in missing})
        try:
            past = self.schedd.call("history", self.deadline_s, self.store_id, clusters, -1, since)
        except ServiceDown as error:
            self.executor.noted.append(
                f"{len(missing)} jobs are not in the queue, and the history is silent: {error}"
            )
            return
        left = {
            fields[:2]: Sample(*fields[2:]) if len(fields) > 2 else Sample(1)  # noqa: PLR2004
            for fields in reversed(past)
        }
        for key in missing:
            report = self._left(key, left.get(key))
            if report is not None:
                self.found[self.wanted[key]] = report
            elif self._is_overdue(self.wanted[key]):
                limit_s = self.executor.settings.lost_after_s
                text = f"neither in the queue nor in the history of {self.name} for {limit_s:g} s"
                self.found[self.wanted[key]] = lost(text)

    def _left(self, key: Key, sample: Sample | None) -> JobReport | None:
        """Return the report of a job that left the queue, None if nothing can be said."""
        batch, handle = self.known[key[0]], self.wanted[key]
        row = batch.rows([key[1]]).get(key[1]) if batch is not None else None
        if batch is not None and row is not None:
            place = batch.place(key[1])
            if key[1] in self.removals[key[0]] and (sample is None or not sample.starts):
                return NEVER
            if is_settled(place) or (
                not batch.travels and is_over(sample) and not self._judge(batch, key, handle)
            ):
                return ended(place, row)
        if sample is None:
            return None
        report = left_queue(sample)
        return (
            report
            if report is not None
            else lost("it left the queue before its files were fetched")
        )

    def _remember(self, finished: Mapping[Key, Sample]) -> None:
        """Keep since when jobs are missed, of those that still are."""
        if not self.missed:
            return
        for key, handle in self.wanted.items():
            report = self.found.get(handle)
            if (
                report is not None
                and report.status is not JobStatus.LOST
                and not (key in finished and report.reason)
            ):
                self.missed.pop(handle, None)
        try:
            self.executor.batches.note_missed(self.missed, self.executor.now())
        except OSError as error:
            self.executor.noted.append(
                f"it cannot be written down since when jobs are missed: {error}"
            )


def is_over(sample: Sample | None) -> bool:
    """Say whether the history knows that a job ended by itself."""
    return sample is not None and sample.status == COMPLETED


def has_words(log: Path) -> bool:
    """Say whether the node complained of something."""
    return log.exists() and log.stat().st_size > 0
