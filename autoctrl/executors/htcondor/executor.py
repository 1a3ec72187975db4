"""Run jobs in an HTCondor pool: one cluster for each call and workflow, one question for each poll.

What a SIGKILL of the controller can leave behind, and what becomes of it:

======================================  ============================================================
left behind                             what happens next
======================================  ============================================================
a batch, no cluster                     nothing knows of it; the tags are submitted again
a cluster, its files not all taken in   ``find`` removes it and does not name its tags
a cluster, its handles not recorded     ``find`` names them by the tags in the jobs' ads
the same, rows not materialised yet     ``find`` names them by the batch that the cluster's ad names
the same, since removed by a person     ``find`` names them by the history; ``poll`` says removed
two clusters with one tag               ``find`` keeps the older job and removes the younger one
results fetched, not judged             they are fetched and judged again; nothing is overwritten
results judged, not acknowledged        the jobs stay in the queue until they are, or for a month
======================================  ============================================================
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.errors import MissingExtra, ServiceDown, SettingsError, SubmitRefused
from autoctrl.executors.environment import hint_variables
from autoctrl.executors.htcondor import finding, polling
from autoctrl.executors.htcondor.batches import FORGOTTEN_S, Batches, parse_handle
from autoctrl.executors.htcondor.executable import NEVER_STARTED, build_program
from autoctrl.executors.htcondor.job_queue import Desk, JobId, JobQueue
from autoctrl.executors.htcondor.preflight import blame, check_files, locate_files, split_files
from autoctrl.executors.htcondor.results import NODE_LOG, list_starts, read_outcome
from autoctrl.executors.htcondor.schedd import Schedd
from autoctrl.executors.htcondor.statuses import HELD, IDLE, OUR_MEMORY, RUNNING
from autoctrl.executors.htcondor.submit import (
    COLUMNS,
    Manner,
    build_rows,
    encode,
    escape,
    write_prologue,
)
from autoctrl.executors.job_folder import LOGS
from autoctrl.executors.logs import check_stream, read_log, read_piece, reading_log
from autoctrl.node.hint import TOKEN_FILE
from autoctrl.ports import LOG_END, LogPiece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.executors.htcondor.batches import Handle, JobBatch
    from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings
    from autoctrl.ports import JobOrder, JobReport, JobResult, LogWindow

HINT_NAME = "autoctrl_hint.py"
LEAST_S = 5.0
REMOVED = "removed by autoctrl"


class HTCondorExecutor:
    """An ``Executor`` of jobs in an HTCondor pool.

    jobs       folder of what is kept of the jobs, those of each store apart
    store_id   store whose jobs these are; those of others are neither seen nor touched
    settings   ``[executors.<name>]``
    folder     the project's, from which relative paths of the settings count
    place      the schedd that is meant, empty for that of the settings
    templates  folders of the project's templates and of its workflows
    hints      variables that tell a job where to leave hints
    now        the time, seconds since 1970
    """

    has_safe_resubmit = False
    is_immediate = False

    def __init__(
        self,
        name: str,
        jobs: Path,
        store_id: str,
        settings: HTCondorExecutorSettings,
        *,
        folder: Path = Path(),
        place: str = "",
        templates: Sequence[Path] = (),
        hints: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open the executor; asks nobody. Raises ``MissingExtra``."""
        if any(importlib.util.find_spec(package) is None for package in ("htcondor2", "jinja2")):
            what = f"The executor {name} of type htcondor"
            raise MissingExtra(what, "htcondor")
        self.name, self.store_id, self.now = name, store_id, now
        self.settings = locate_files(settings, folder.absolute())
        self.templates = templates
        self.hints = dict(hints or {})
        self.batches = Batches(jobs.absolute() / store_id)
        self.travels = settings.mode == "spool"
        self._remarks: list[str] = []
        self._place = place or settings.schedd
        self._schedds: dict[str, Schedd] = {}

    @property
    def remarks(self) -> list[str]:
        """Sentences about what it had to put right since they were last read."""
        said = [*self._remarks]
        self._remarks.clear()
        return said

    @property
    def place(self) -> str:
        """Name of the schedd that takes new jobs, by default this machine's own."""
        if not self._place:
            self._place = str(self.schedd("").call("local_name", self.settings.query_deadline_s))
        return self._place

    def schedd(self, name: str) -> Schedd:
        """Return a schedd by its name."""
        if name not in self._schedds:
            self._schedds[name] = Schedd(name, self.settings.collector, self.settings.config)
        return self._schedds[name]

    def queue(self, name: str) -> JobQueue:
        """Return our jobs in a schedd."""
        schedd = self.schedd(name)
        return JobQueue(schedd, name, self.store_id, self.settings.query_deadline_s)

    def _desk(self, name: str) -> Desk:
        return Desk(self.queue(name), self.batches, self.settings, self._remarks, self.now)

    def submit(self, orders: Sequence[JobOrder]) -> dict[str, str]:
        """Submit a cluster for each workflow; return the handles by tag.

        Where files travel, more than ``materialize_above`` jobs become several clusters, as many as
        there is time for within the deadline; the others are absent. Raises ``SubmitRefused``,
        ``ServiceDown`` and, for a template that cannot be used, ``SettingsError``.
        """
        until = time.monotonic() + self.settings.submit_deadline_s
        by_workflow: dict[str, list[JobOrder]] = {}
        for order in orders:
            by_workflow.setdefault(workflow_of(order.tag), []).append(order)
        handles: dict[str, str] = {}
        most = self.settings.materialize_above if self.travels else max(1, len(orders))
        for workflow, mine in by_workflow.items():
            for chunk in (mine[first : first + most] for first in range(0, len(mine), most)):
                left_s = until - time.monotonic()
                if handles and left_s < max(LEAST_S, self.settings.submit_deadline_s / 3):
                    return handles
                try:
                    handles |= self._submit(workflow, chunk, left_s)
                except SubmitRefused as error:
                    if not handles:
                        raise
                    self._remarks.append(str(error))
        return handles

    def _submit(
        self, workflow: str, orders: Sequence[JobOrder], deadline_s: float
    ) -> dict[str, str]:
        batch, text = self._write_batch(workflow, orders)
        queue = self.queue(self.place)
        try:
            made = queue.submit(text, len(orders), deadline_s, spool=self.travels)
        except SubmitRefused as error:
            hint = blame(error.message, self.settings, self.name)
            raise SubmitRefused(error.message, hint=hint) from error
        cluster = made.cluster
        if made.warnings:
            self._remarks.append(f"HTCondor about cluster {cluster} of {workflow}: {made.warnings}")
        self.batches.link(queue.name, cluster, batch.folder.name)
        return {order.tag: f"{queue.name}#{cluster}.{row}" for row, order in enumerate(orders)}

    def _write_batch(self, workflow: str, orders: Sequence[JobOrder]) -> tuple[JobBatch, str]:
        """Write a submission down; return it and its description. Raises as ``submit`` does."""
        check_files(self.settings, self.name)
        description = self._rendered(workflow)
        is_late = not self.travels and len(orders) > self.settings.materialize_above
        try:
            return self._write(orders, description, is_late=is_late)
        except OSError as error:
            message = (
                f"Executor {self.name} cannot write below {self.batches.folder}: {error.strerror}."
            )
            raise ServiceDown(message, hint="Make room there, or make it writable.") from error

    def _write(
        self, orders: Sequence[JobOrder], description: str, *, is_late: bool
    ) -> tuple[JobBatch, str]:
        content = build_rows(orders, self._manner(), os.path.exists)
        batch = self.batches.write(content, description, travels=self.travels, is_late=is_late)
        executable = self.batches.program(build_program(self.settings.python, self.settings.path))
        values = {
            "folder": escape(str(batch.folder)),
            "program": escape(str(executable)),
            "batch": batch.folder.name,
            "common": content.common,
        }
        head = write_prologue(values, self.settings.max_idle if is_late else 0)
        text = f"{head}{description}queue {','.join(COLUMNS)} from {batch.folder}/items\n"
        (batch.folder / "job.sub").write_text(text, encoding="utf-8")
        return batch, text

    def _manner(self) -> Manner:
        is_other = self.travels or self.settings.python != "python3"
        travelling = self._files() if self.travels else []
        return Manner(
            travels=self.travels,
            python=self.settings.python if is_other else "",
            interpreter=sys.executable,
            grace_s=self.settings.grace_s,
            common={path: os.path.basename(path.rstrip("/")) for path in travelling},  # noqa: PTH119 - kept as it is
            hints=hint_variables(self.hints, HINT_NAME),
        )

    def _files(self) -> list[str]:
        """Return the files that every job needs: those of the settings, and the token for hints."""
        token = self.hints.get(TOKEN_FILE)
        return [*split_files(self.settings), *([token] if token else [])]

    def _rendered(self, workflow: str) -> str:
        from autoctrl.executors.htcondor.templates import render

        settings = self.settings
        values = {
            "workflow": encode(workflow),
            "store_id": self.store_id,
            "mode": settings.mode,
            "requirements": settings.requirements,
            "accounting_group": settings.accounting_group,
            "container_image": settings.container_image,
            "transfer_input": [escape(path) for path in self._files()],
            "x509_proxy": settings.x509_proxy,
            "python": settings.python,
            "path": settings.path,
            "grace_s": settings.grace_s,
            "memory_subcode": OUR_MEMORY,
            "never_started": NEVER_STARTED,
            "kept_s": int(FORGOTTEN_S),
        }
        return render(workflow, self.templates, values)

    def describe(self, workflow: str) -> dict[str, str]:
        """Return the submit description of a workflow.

        Raises ``SettingsError`` if its template cannot be used.
        """
        return {"job.sub": self._rendered(workflow)}

    def find(self, tags: Iterable[str]) -> dict[str, str]:
        """Return the handle of each tag that the schedd knows. Raises ``ServiceDown``."""
        schedd = self.place
        found = finding.find(list(tags), self._desk(schedd))
        return {tag: f"{schedd}#{job.cluster}.{job.row}" for tag, job in found.items()}

    def poll(self, handles: Sequence[str]) -> dict[str, JobReport]:
        """Return a report for each handle.

        Asks one question of each schedd, and one of its history for what its queue lacks.
        """
        reports: dict[str, JobReport] = {}
        for schedd, mine in self._by_schedd(handles).items():
            reports |= polling.Poll(self._desk(schedd), mine).reports()
        return reports

    def _by_schedd(self, handles: Iterable[str]) -> dict[str, dict[JobId, str]]:
        """Return the handles of jobs by schedd; what is not such a handle is left out."""
        found: dict[str, dict[JobId, str]] = {}
        for handle in handles:
            parsed = parse_handle(handle)
            if parsed is not None:
                mine = found.setdefault(parsed.schedd, {})
                mine[JobId(parsed.cluster, parsed.row)] = handle
        return found

    def result(self, handle: str) -> JobResult | None:
        """Return what the wrapper wrote, None if there is nothing (yet)."""
        parsed, batch = self._locate(handle)
        if parsed is None or batch is None:
            return None
        row = batch.rows([parsed.row]).get(parsed.row)
        return read_outcome(batch.job_folder(parsed.row), row) if row is not None else None

    def _locate(self, handle: str) -> tuple[Handle | None, JobBatch | None]:
        parsed = parse_handle(handle)
        if parsed is None:
            return None, None
        return parsed, self.batches.of(parsed.schedd, parsed.cluster)

    def remove(self, handles: Sequence[str]) -> None:
        """Ask that the attempts be ended; a row that is not materialised yet never starts.

        Raises ``ServiceDown``.
        """
        for schedd, mine in self._by_schedd(handles).items():
            marked = self._mark_removed(schedd, mine)
            queue = self.queue(schedd)
            queue.remove(mine, REMOVED)
            for cluster, count in marked.items():
                batch = self.batches.of(schedd, cluster)
                if batch is not None and count == sum(1 for _ in batch.lines()):
                    queue.remove_cluster(cluster, REMOVED)

    def _mark_removed(self, schedd: str, jobs: Iterable[JobId]) -> Counter[int]:
        """Note which rows never start; return how many that are, by cluster."""
        marked: Counter[int] = Counter()
        for job in jobs:
            batch = self.batches.of(schedd, job.cluster)
            if batch is not None and batch.is_late:
                batch.removal(job.row).touch()
                marked[job.cluster] += 1
        return marked

    def acknowledge(self, handles: Sequence[str]) -> None:
        """Take finished jobs out of the queue; logs and results are kept here.

        Raises ``ServiceDown``.
        """
        for schedd, mine in self._by_schedd(handles).items():
            self.queue(schedd).remove(mine, "its result is stored")

    def log(self, handle: str, stream: str = "stdout") -> str:
        """Return what the attempt printed in its newest start, at its end where files travel.

        Raises ``UsageError`` for another stream, ``ServiceDown`` if the log cannot be read.
        """
        check_stream(stream, handle)
        kept = self._locate_logs(handle, stream)
        if isinstance(kept, str):
            return kept
        with reading_log(handle):
            return read_log(kept[0], *kept[1:])

    def log_piece(
        self, handle: str, stream: str = "stdout", window: LogWindow = LOG_END
    ) -> LogPiece:
        """Return a part of what the attempt printed in its newest start. Raises as ``log``."""
        check_stream(stream, handle)
        kept = self._locate_logs(handle, stream)
        if isinstance(kept, str):
            return LogPiece(kept)
        with reading_log(handle):
            return read_piece(kept[0], *kept[1:], window=window)

    def _locate_logs(self, handle: str, stream: str) -> tuple[Path, ...] | str:
        """Return the batch's folder and the files in it that follow one another as this log, or a
        note why there is none.
        """
        parsed, batch = self._locate(handle)
        if parsed is None or batch is None:
            return f"[… nothing is kept here for {handle} …]\n"
        folder = batch.job_folder(parsed.row)
        complaints = (folder / NODE_LOG,) if stream == "stderr" else ()
        newest = next(iter(list_starts(folder)), None)
        if newest is not None:
            return (batch.folder, newest / LOGS[stream], *complaints)
        if folder.exists():
            return (batch.folder, *complaints)
        if batch.travels:
            return (
                f"[… {handle} has not come back yet; its log comes with it when it has ended …]\n"
            )
        return f"[… {handle} has not started yet …]\n"

    def ping(self) -> str:
        """Return the schedd, its version and how many jobs of ours it has.

        Raises ``ServiceDown``, ``SubmitRefused`` if a file of the settings is missing and, for a
        template that cannot be used, ``SettingsError``: with either nothing could be submitted.
        """
        from autoctrl.executors.htcondor.templates import list_overriding

        check_files(self.settings, self.name)
        for workflow in list_overriding(self.templates):
            self._rendered(workflow)
        state = self.queue(self.place).state()
        kinds = {"idle": IDLE, "running": RUNNING, "held": HELD}
        counts = {kind: state.statuses.count(status) for kind, status in kinds.items()}
        numbers = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        total = len(state.statuses)
        return f"schedd {state.schedd}, HTCondor {state.version}: {numbers} of {total} jobs"

    def close(self) -> None:
        """End the processes that ask."""
        for schedd in self._schedds.values():
            schedd.close()


def workflow_of(tag: str) -> str:
    """Return the workflow that a tag names. Raises ``SettingsError`` for anything else."""
    words = tag.split("/")
    if len(words) < 3:  # noqa: PLR2004 - store, campaign, workflow
        message = f"'{tag}' is not the tag of a job."
        raise SettingsError(message)
    return words[2]
