"""Run jobs in an HTCondor pool: one cluster for each call and workflow, one question for each poll.

What a SIGKILL of the controller can leave behind, and what becomes of it:

===============================================  ==================================================================
left behind                                      what happens next
===============================================  ==================================================================
a batch, no cluster                              nothing knows of it; the tags are submitted again
a cluster whose files were not all taken in      ``find`` removes it and does not name its tags
a cluster, its handles not recorded              ``find`` names them by the tags in the jobs' ads
the same, rows not materialised yet              ``find`` names them by the batch that the cluster's
                                                 ad names
the same, but a person removed it meanwhile      ``find`` names them by the history, ``poll`` says
removed
two clusters with one tag                        ``find`` keeps the older job and removes the
                                                 younger one
results fetched, not judged                      they are fetched and judged again, nothing is
                                                 overwritten
results judged, not acknowledged                 the jobs stay in the queue until somebody does, or
                                                 for a month
===============================================  ==================================================================
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.errors import MissingExtra, ServiceDown, SettingsError, SubmitRefused, UsageError
from autoctrl.executors.environment import hint_variables
from autoctrl.executors.htcondor import finding, polling
from autoctrl.executors.htcondor.batches import FORGOTTEN_S, Batches, parse_handle
from autoctrl.executors.htcondor.executable import NEVER_STARTED, program
from autoctrl.executors.htcondor.preflight import check_files, culprit, files, located
from autoctrl.executors.htcondor.results import NODE_LOG, outcome, starts
from autoctrl.executors.htcondor.schedd import Schedd
from autoctrl.executors.htcondor.statuses import HELD, IDLE, OUR_MEMORY, RUNNING
from autoctrl.executors.htcondor.submit import COLUMNS, Manner, encoded, literal, prologue, rows
from autoctrl.executors.job_folder import LOGS
from autoctrl.executors.logs import read_log
from autoctrl.node.hint import TOKEN_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.executors.htcondor.batches import Batch, Handle
    from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings
    from autoctrl.ports import JobOrder, JobReport, JobResult

HINT_NAME = "autoctrl_hint.py"
LEAST_S = 5.0
REMOVED = "removed by autoctrl"


class HTCondorExecutor:
    """An ``Executor`` of jobs in an HTCondor pool.

    jobs       folder of what is kept of the jobs, those of each store apart
    store_id   store whose jobs these are; those of others are neither seen nor touched
    settings   ``[executors.<name>]``
    folder     the project's, from which relative paths of the settings count
    place      the schedd that is meant, where that is not the settings' one
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
        self.settings = located(settings, folder.absolute())
        self.templates = templates
        self.hints = dict(hints or {})
        self.batches = Batches(jobs.absolute() / store_id)
        self.travels = settings.mode == "spool"
        self.noted: list[str] = []
        self._place = place or settings.schedd
        self._schedds: dict[str, Schedd] = {}

    @property
    def remarks(self) -> list[str]:
        """Sentences about what it had to put right since they were last read."""
        said, self.noted = self.noted, []
        return said

    @property
    def place(self) -> str:
        """Name of the schedd that takes new jobs; of this machine's own one as HTCondor's
        configuration has it.
        """
        if not self._place:
            self.place = str(self.schedd("").call("local_name", self.settings.query_deadline_s))
        return self._place

    @place.setter
    def place(self, name: str) -> None:
        """Choose another schedd."""
        self._place = name

    def schedd(self, name: str) -> Schedd:
        """Return a schedd by its name."""
        if name not in self._schedds:
            self._schedds[name] = Schedd(name, self.settings.collector, self.settings.config)
        return self._schedds[name]

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
                    self.noted.append(str(error))
        return handles

    def _submit(
        self, workflow: str, orders: Sequence[JobOrder], deadline_s: float
    ) -> dict[str, str]:
        check_files(self.settings, self.name)
        description = self._rendered(workflow)
        is_late = not self.travels and len(orders) > self.settings.materialize_above
        try:
            batch, text = self._write(orders, description, is_late=is_late)
        except OSError as error:
            message = (
                f"Executor {self.name} cannot write below {self.batches.folder}: {error.strerror}."
            )
            raise ServiceDown(message, hint="Make room there, or make it writable.") from error
        place = self.place
        try:
            cluster, said = self.schedd(place).call(
                "submit", deadline_s, text, len(orders), self.travels
            )
        except SubmitRefused as error:
            raise SubmitRefused(
                error.message, hint=culprit(error.message, self.settings, self.name)
            ) from error
        if said:
            self.noted.append(f"HTCondor about cluster {cluster} of {workflow}: {said}")
        self.batches.link(place, cluster, batch.folder.name)
        return {order.tag: f"{place}#{cluster}.{row}" for row, order in enumerate(orders)}

    def _write(
        self, orders: Sequence[JobOrder], description: str, *, is_late: bool
    ) -> tuple[Batch, str]:
        content = rows(orders, self._manner(), os.path.exists)
        batch = self.batches.write(content, description, travels=self.travels, is_late=is_late)
        values = {
            "folder": literal(str(batch.folder)),
            "program": literal(
                str(self.batches.program(program(self.settings.python, self.settings.path)))
            ),
            "batch": batch.folder.name,
            "common": content.common,
        }
        head = prologue(values, self.settings.max_idle if is_late else 0)
        text = f"{head}{description}queue {','.join(COLUMNS)} from {batch.folder}/items\n"
        (batch.folder / "job.sub").write_text(text, encoding="utf-8")
        return batch, text

    def _manner(self) -> Manner:
        is_other = self.travels or self.settings.python != "python3"
        token = self.hints.get(TOKEN_FILE)
        further = [
            path for path in [*files(self.settings), *([token] if token else [])] if self.travels
        ]
        return Manner(
            travels=self.travels,
            python=self.settings.python if is_other else "",
            interpreter=sys.executable,
            grace_s=self.settings.grace_s,
            common={path: os.path.basename(path.rstrip("/")) for path in further},  # noqa: PTH119 - kept as it is
            hints=hint_variables(self.hints, HINT_NAME),
        )

    def _rendered(self, workflow: str) -> str:
        from autoctrl.executors.htcondor.templates import render

        settings = self.settings
        token = self.hints.get(TOKEN_FILE)
        values = {
            "workflow": encoded(workflow),
            "store_id": self.store_id,
            "mode": settings.mode,
            "requirements": settings.requirements,
            "accounting_group": settings.accounting_group,
            "container_image": settings.container_image,
            "transfer_input": [
                literal(path) for path in [*files(self.settings), *([token] if token else [])]
            ],
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
        place = self.place
        found = finding.find(list(tags), self, self.schedd(place), place)
        return {tag: f"{place}#{cluster}.{row}" for tag, (cluster, row) in found.items()}

    def poll(self, handles: Sequence[str]) -> dict[str, JobReport]:
        """Return a report for each handle; one question to each schedd, and one to its history for
        what it lacks.
        """
        reports: dict[str, JobReport] = {}
        for name, mine in self._by_schedd(handles).items():
            reports |= polling.Poll(self, self.schedd(name), name, mine).reports()
        return reports

    def _by_schedd(self, handles: Iterable[str]) -> dict[str, dict[tuple[int, int], str]]:
        """Return handles by (cluster, row), by schedd; what is no handle of a schedd is left
        out.
        """
        found: dict[str, dict[tuple[int, int], str]] = {}
        for handle in handles:
            parsed = parse_handle(handle)
            if parsed is not None:
                found.setdefault(parsed.schedd, {})[parsed.cluster, parsed.row] = handle
        return found

    def result(self, handle: str) -> JobResult | None:
        """Return what the wrapper wrote, None if there is nothing (yet)."""
        parsed, batch = self._locate(handle)
        if parsed is None or batch is None:
            return None
        row = batch.rows([parsed.row]).get(parsed.row)
        return outcome(batch.place(parsed.row), row) if row is not None else None

    def _locate(self, handle: str) -> tuple[Handle | None, Batch | None]:
        parsed = parse_handle(handle)
        return parsed, self.batches.of(
            parsed.schedd, parsed.cluster
        ) if parsed is not None else None

    def remove(self, handles: Sequence[str]) -> None:
        """Ask that the attempts be ended; a row that is not materialised yet never starts.

        Raises ``ServiceDown``.
        """
        for name, mine in self._by_schedd(handles).items():
            late: dict[int, set[int]] = {}
            for cluster, row in mine:
                batch = self.batches.of(name, cluster)
                if batch is not None and batch.is_late:
                    batch.removal(row).touch()
                    late.setdefault(cluster, set()).add(row)
            self._act("remove", name, list(mine), REMOVED)
            for cluster, marked in late.items():
                batch = self.batches.of(name, cluster)
                if batch is not None and len(marked) == sum(1 for _ in batch.lines()):
                    self._act("remove_cluster", name, cluster, REMOVED)

    def _act(self, function: str, schedd: str, *arguments: object) -> None:
        self.schedd(schedd).call(
            function, self.settings.query_deadline_s, self.store_id, *arguments
        )

    def acknowledge(self, handles: Sequence[str]) -> None:
        """Take finished jobs out of the queue; logs and results are kept here.

        Raises ``ServiceDown``.
        """
        for name, mine in self._by_schedd(handles).items():
            self._act("remove", name, list(mine), "its result is stored")

    def log(self, handle: str, stream: str = "stdout") -> str:
        """Return what the attempt printed in its newest start; where files travel that is known at
        its end.

        Raises ``UsageError`` for another stream, ``ServiceDown`` if the log cannot be read.
        """
        if stream not in LOGS:
            message = f"There is no log '{stream}' of {handle}."
            raise UsageError(message, hint=f"Known: {', '.join(LOGS)}.")
        parsed, batch = self._locate(handle)
        if parsed is None or batch is None:
            return f"[… nothing is kept here of {handle} …]\n"
        place = batch.place(parsed.row)
        newest = next(iter(starts(place)), None)
        try:
            if newest is not None:
                return read_log(newest / LOGS[stream]) + (
                    read_log(place / NODE_LOG) if stream == "stderr" else ""
                )
            if not place.exists():
                when = (
                    "come back yet; what it prints comes with it, at its end"
                    if batch.travels
                    else "started yet"
                )
                return f"[… {handle} has not {when} …]\n"
            return read_log(place / NODE_LOG) if stream == "stderr" else ""
        except OSError as error:
            message = f"The log of {handle} cannot be read: {error.strerror}."
            raise ServiceDown(message) from error

    def ping(self) -> str:
        """Return the schedd, its version and how many jobs of ours it has.

        Raises ``ServiceDown``, ``SubmitRefused`` if a file of the settings is missing and, for a
        template that cannot be used, ``SettingsError``: with either nothing could be submitted.
        """
        from autoctrl.executors.htcondor.templates import overriding

        check_files(self.settings, self.name)
        for workflow in overriding(self.templates):
            self._rendered(workflow)
        place = self.place
        name, version, found = self.schedd(place).call(
            "ping", self.settings.query_deadline_s, self.store_id
        )
        counts = {
            what: found.count(status)
            for what, status in (("idle", IDLE), ("running", RUNNING), ("held", HELD))
        }
        numbers = ", ".join(f"{count} {what}" for what, count in counts.items())
        return f"schedd {name}, HTCondor {version}: {numbers} of {len(found)} jobs"

    def close(self) -> None:
        """End the processes that ask."""
        for schedd in self._schedds.values():
            schedd.close()


def workflow_of(tag: str) -> str:
    """Return the workflow that a tag names. Raises ``SettingsError`` for what is no tag."""
    words = tag.split("/")
    if len(words) < 3:  # noqa: PLR2004 - store, campaign, workflow
        message = f"'{tag}' is no tag of a job."
        raise SettingsError(message)
    return words[2]
