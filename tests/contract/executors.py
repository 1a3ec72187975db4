"""The executors that must keep the contract, one line each, and the jobs that the suite submits."""

from __future__ import annotations

import hashlib
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from autoctrl.executors.inline import InlineExecutor
from autoctrl.model.job import FileInfo, JobSpec
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import JobOrder
from autoctrl.testing import ScriptedExecutor
from tests.integration.condor import Bench
from tests.integration.jobs import WAIT, executor_in, job_spec
from tests.unit.given import view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from autoctrl.model.task import Task
    from autoctrl.ports import Executor
    from tests.services import Pool


class Work(StrEnum):
    """What a job of the suite does.

    REPORT  prints ``hello``, complains ``careful``, writes its output, reports a field
    FAIL    complains ``bad geometry`` and fails
    WAIT    runs until it is removed
    QUEUE   waits in the queue behind it
    """

    REPORT = "report"
    FAIL = "fail"
    WAIT = "wait"
    QUEUE = "queue"


OUTPUTS = {"output": "x"}
DATA = b"data\n"
FIELDS = {"hits": 3.0}
LINES = {
    Work.REPORT: (
        """echo hello; echo careful >&2; echo '{"hits": 3}' > $AUTOCTRL_FIELDS; echo data > x"""
    ),
    Work.FAIL: "echo bad geometry >&2; exit 4",
    Work.WAIT: WAIT,
    Work.QUEUE: WAIT,
}


class Subject(Protocol):
    """An executor under test, and how to make it work.

    missing  a handle of its own form that it never gave
    stderr   what it shows as the stderr of ``REPORT`` in run 1
    """

    missing: str
    stderr: str

    @property
    def executor(self) -> Executor:
        """The executor that the test asks."""

    def order(self, number: int, work: Work) -> JobOrder:
        """Return an order of run ``number`` for that work."""

    def reopen(self) -> Executor:
        """Return an executor of the same jobs, as after a restart."""

    def play(self, orders: Sequence[JobOrder]) -> None:
        """Let submitted jobs come as far as they can; real ones do so by themselves."""


class Scripted:
    """The double whose jobs do what the test says."""

    missing = "s/prompt/reco/99/v1/0.1"
    stderr = "stderr of s/prompt/reco/1/v1/0.1\n"

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        del request
        self.folder = folder
        self.executor = ScriptedExecutor()
        self.work: dict[str, Work] = {}

    def order(self, number: int, work: Work) -> JobOrder:
        outputs = OUTPUTS if work is Work.REPORT else {}
        spec = JobSpec((work,), outputs, {}, {}, 2000, 60, 1, "local")
        order = JobOrder(f"s/prompt/reco/{number}/v1/0.1", spec, str(self.folder / str(number)))
        self.work[order.tag] = work
        return order

    def reopen(self) -> Executor:
        return self.executor

    def play(self, orders: Sequence[JobOrder]) -> None:
        for order in orders:
            job, work = order.tag.partition("/reco/")[2], self.work[order.tag]
            if work is Work.REPORT:
                file = self._output(Path(order.folder))
                self.executor.finish(job, files=[file], fields=FIELDS, stdout="hello\n")
            elif work is Work.FAIL:
                self.executor.finish(job, exit_code=4, failure=Failure.USER, reason="bad geometry")
            elif work is Work.WAIT:
                self.executor.report(job, JobStatus.RUNNING)

    def _output(self, folder: Path) -> FileInfo:
        folder.mkdir()
        (folder / "x").write_bytes(DATA)
        return FileInfo("output", str(folder / "x"), len(DATA), checksum_of(DATA))


class Inline:
    """Functions that are called in a child process; both streams are kept as one."""

    missing = "s/prompt/reco/99/v1/0.1"
    stderr = ""

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        del request
        self.folder = folder
        self.work: dict[int, Work] = {}
        self.executor = self._open()

    def _open(self) -> InlineExecutor:
        return InlineExecutor(self.folder / "state", self._call, lambda unit: view(int(unit)))

    def _call(self, task: Task) -> dict[str, float]:
        if self.work[int(task.unit)] is Work.FAIL:
            message = "bad geometry"
            raise RuntimeError(message)
        os.write(1, b"hello\n")
        Path(task.outputs["output"]).write_bytes(DATA)
        return FIELDS

    def order(self, number: int, work: Work) -> JobOrder:
        self.work[number] = work
        outputs = OUTPUTS if work is Work.REPORT else {}
        spec = JobSpec((), outputs, {}, {}, 2000, 60, 1, "inline")
        return JobOrder(f"s/prompt/reco/{number}/v1/0.1", spec, str(self.folder / str(number)))

    def reopen(self) -> Executor:
        return self._open()

    def play(self, orders: Sequence[JobOrder]) -> None:
        """Do nothing: the calls are over."""


class Local:
    """Detached processes of this machine, one at a time."""

    missing = "store/prompt/reco/99/v1/0.1"
    stderr = "careful\n"

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        del request
        self.folder = folder
        self.executor = executor_in(folder, slots=1)

    def order(self, number: int, work: Work) -> JobOrder:
        outputs = OUTPUTS if work is Work.REPORT else {}
        spec = job_spec(LINES[work], outputs=outputs)
        tag = f"store/prompt/reco/{number}/v1/0.1"
        return JobOrder(tag, spec, str(self.folder / "outputs" / str(number)))

    def reopen(self) -> Executor:
        return executor_in(self.folder, slots=1)

    def play(self, orders: Sequence[JobOrder]) -> None:
        """Do nothing: the jobs run."""


class HTCondor:
    """Jobs of a real pool, whose files travel or are shared."""

    stderr = "careful\n"

    def __init__(self, mode: str, request: pytest.FixtureRequest) -> None:
        pool: Pool = request.getfixturevalue("htcondor")
        self.bench = Bench(pool, mode)
        self.executor = self.bench.executor
        self.missing = f"{pool.schedd}#999999.0"

    def order(self, number: int, work: Work) -> JobOrder:
        outputs = OUTPUTS if work is Work.REPORT else {}
        cpus = MORE_THAN_THE_POOL_HAS if work is Work.QUEUE else 1
        return self.bench.order(number, LINES[work], outputs=outputs, cpus=cpus)

    def reopen(self) -> Executor:
        return self.bench.opened()

    def play(self, orders: Sequence[JobOrder]) -> None:
        """Do nothing: the jobs run."""


class Entry(NamedTuple):
    """How to open a subject, and whether its jobs outlast the call that submits them."""

    open: Callable[[Path, pytest.FixtureRequest], Subject]
    is_lasting: bool = True


MORE_THAN_THE_POOL_HAS = 999
# A lane finds its tests by the word ``htcondor``, which names the server.
EXECUTORS = {
    "scripted": Entry(Scripted),
    "inline": Entry(Inline, is_lasting=False),
    "local": Entry(Local),
    "htcondor spool": Entry(lambda _, request: HTCondor("spool", request)),
    "htcondor shared": Entry(lambda _, request: HTCondor("shared", request)),
}


def checksum_of(data: bytes) -> str:
    """Return a checksum as records keep it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
