"""Jobs for tests of a real HTCondor pool, and the executor that runs them; a controller that is
killed on its way.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autoctrl.executors.htcondor.executor import HTCondorExecutor
from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings
from autoctrl.model.status import FINAL_JOBS, JobStatus
from autoctrl.ports import JobOrder
from tests.integration.jobs import ROOT, job_spec, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from autoctrl.model.job import JobSpec
    from autoctrl.ports import JobReport
    from tests.services import Pool

Answer = TypeVar("Answer")
MEMORY_MB = 64  # of what the pool has, so that many run at once


class Bench:
    """An executor on a pool with a folder and a store of its own."""

    def __init__(
        self,
        pool: Pool,
        mode: str = "spool",
        store: str = "",
        folder: Path | None = None,
        **chosen: Any,
    ) -> None:
        self.pool, self.folder = pool, folder if folder is not None else pool.fresh_folder()
        self.store = store or f"s{secrets.token_hex(4)}"
        given = {
            "config": str(pool.config),
            "schedd": pool.schedd,
            "mode": mode,
            "grace_s": 1.0,
            **chosen,
        }
        self.settings = HTCondorExecutorSettings(type="htcondor", **given)
        self.executor = self.opened()

    def opened(self, **chosen: Any) -> HTCondorExecutor:
        """Return another executor of the same store and folder, as after a restart."""
        extra = {
            name: chosen.pop(name)
            for name in ("folder", "templates", "hints", "now", "place")
            if name in chosen
        }
        settings = replace(self.settings, **chosen)
        return HTCondorExecutor("cern", self.folder / "jobs", self.store, settings, **extra)

    def order(self, number: int, *argv: str, **changes: Any) -> JobOrder:
        """Return an order of run ``number``; a single word is a line for the shell."""
        spec = job_spec(*argv, **{"memory_mb": MEMORY_MB, "executor": "cern", **changes})
        return self.order_of(number, spec)

    def order_of(self, number: int, spec: JobSpec) -> JobOrder:
        """Return an order of run ``number``."""
        tag = f"{self.store}/prompt/reco/{number}/v1/0.1"
        return JobOrder(tag, spec, str(self.folder / "outputs" / str(number)))

    def submit(self, *argv: str, **changes: Any) -> str:
        """Submit one job; return its handle."""
        return next(iter(self.executor.submit([self.order(1, *argv, **changes)]).values()))

    def settle(self, handles: Iterable[str]) -> dict[str, JobReport]:
        """Poll until every job has ended; return the last report of each."""
        reports: dict[str, JobReport] = {}
        left = list(handles)

        def all_ended() -> bool:
            reports.update(self.executor.poll(left))
            left[:] = [
                each
                for each in left
                if each not in reports or reports[each].status not in FINAL_JOBS
            ]
            return not left

        until(all_ended, "the end of all jobs")
        return reports

    def end(self, handle: str) -> JobReport:
        """Poll until a job has ended; return its report."""
        return self.settle([handle])[handle]

    def wait_for(self, handle: str, *statuses: JobStatus) -> JobReport:
        """Poll until a job has one of these statuses; return its report."""
        report = until(lambda: self.has(handle, statuses), f"{' or '.join(statuses)} of {handle}")
        assert report is not None
        return report

    def has(self, handle: str, statuses: Sequence[JobStatus]) -> JobReport | None:
        """Return the report of a job if it has one of these statuses."""
        report = self.executor.poll([handle]).get(handle)
        return report if report is not None and report.status in statuses else None

    def tool(self, name: str, *words: str) -> str:
        """Run a tool of HTCondor's, as a person would; return what it prints."""
        command = [str(self.pool.tools / name), *words]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env={"CONDOR_CONFIG": str(self.pool.config)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def on_queue(self, *attributes: str, form: str = "-af") -> list[str]:
        """Return what the queue says of our jobs, a line for each."""
        wanted = (form, *(attributes or ("JobStatus",)))
        schedd = ("-name", self.settings.schedd)
        return self.tool(
            "condor_q", "-all", *schedd, "-con", f'AutoctrlStore == "{self.store}"', *wanted
        ).splitlines()


def schedd_of(pool: Pool) -> int:
    """Return the process of the first schedd itself: it forks others of its name to answer
    questions.
    """
    pids = pool.pids()
    master = pids.get("MASTER", 0)
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    (schedd,) = (
        pid
        for pid, words in commands.items()
        if b"condor_schedd" in words and b"-local-name" not in words
    )
    return schedd


def job_id(handle: str) -> str:
    """Return the job as HTCondor's tools name it: ``12.3``."""
    return handle.rpartition("#")[2]


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a controller of its own that runs ``code``."""
    program = f"import sys\nfrom tests.integration.condor import *\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def eventually(ask: Callable[[], Answer], what: str) -> Answer:
    """Ask until the answer is true; fail after a bounded time."""
    return until(ask, what)
