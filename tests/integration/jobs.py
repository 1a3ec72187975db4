"""Jobs for tests, and the local executor that runs them; a process that is killed at its n-th call
to the system.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autoctrl.executors.job_folder import read_json
from autoctrl.executors.local.executor import LocalExecutor
from autoctrl.model.job import JobSpec
from autoctrl.model.status import FINAL_JOBS, JobStatus
from autoctrl.node import wrapper
from autoctrl.ports import JobOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FrameType

    from autoctrl.ports import JobReport

Answer = TypeVar("Answer")

PATIENCE_S = 250.0
SHORTEST_S, LONGEST_S, GROWTH = 0.01, 0.3, 1.3
ROOT = Path(__file__).parents[2]
WRAPPER = str(Path(wrapper.__file__))
ONCE = ["start", "end"]
WAIT = "until [ -e go ]; do sleep 0.1; done"
LEDGER = 'echo "start $AUTOCTRL_TAG" >> {0}; {1}; echo "end $AUTOCTRL_TAG" >> {0}'
# What changes the world; being killed between any two of them leaves something that nobody
# finished.
CHANGES = {
    "open",
    "write",
    "fsync",
    "link",
    "unlink",
    "rename",
    "mkdir",
    "symlink",
    "flock",
    "close",
}
CHANGES |= {"fork", "posix_spawn", "kill", "killpg", "wait4"}


def until(ask: Callable[[], Answer], what: str = "it") -> Answer:
    """Ask until the answer is true, ever less often; fail after a bounded time."""
    deadline, pause_s = time.monotonic() + PATIENCE_S, SHORTEST_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_S} s"
        time.sleep(pause_s)
        pause_s = min(LONGEST_S, pause_s * GROWTH)
    return answer


def job_spec(*argv: str, **changes: Any) -> JobSpec:
    """Return the description of a job that runs ``argv``; a single word is a line for the shell."""
    words = argv if len(argv) > 1 else ("sh", "-c", *argv)
    fields: dict[str, Any] = {
        "outputs": {},
        "inputs": {},
        "environment": {},
        "memory_mb": 2000,
        "time_limit_s": 60,
    }
    return JobSpec(**{**fields, "argv": words, "cpus": 1, "executor": "local", **changes})


def order(folder: Path, number: int, spec: JobSpec, store: str = "store") -> JobOrder:
    """Return an order of attempt 1 of run ``number``."""
    tag = f"{store}/prompt/reco/{number}/v1/0.1"
    return JobOrder(tag, spec, str(folder / "outputs" / str(number)))


def executor_in(
    folder: Path, slots: int = 2, grace_s: float = 0.3, store: str = "store"
) -> LocalExecutor:
    """Return an executor whose jobs lie below ``folder``; without slots it only queues."""
    executor = LocalExecutor("local", folder / "jobs", store, slots=1, grace_s=grace_s)
    executor.pool.slots = slots
    return executor


def settle(executor: LocalExecutor, handles: Iterable[str]) -> dict[str, JobReport]:
    """Poll until every job has ended; return the last report of each."""
    reports: dict[str, JobReport] = {}
    left = list(handles)

    def all_ended() -> bool:
        reports.update(executor.poll(left))
        left[:] = [
            handle
            for handle in left
            if handle not in reports or reports[handle].status not in FINAL_JOBS
        ]
        return not left

    until(all_ended, "the end of all jobs")
    return reports


def submit_one(executor: LocalExecutor, folder: Path, line: str, **changes: Any) -> str:
    """Submit one job; return its handle."""
    return next(iter(executor.submit([order(folder, 1, job_spec(line, **changes))]).values()))


def wait_for(executor: LocalExecutor, handle: str, status: JobStatus) -> None:
    """Poll until the job has this status."""
    until(lambda: executor.poll([handle])[handle].status is status, f"{status} of {handle}")


def claim_of(executor: LocalExecutor, handle: str) -> dict[str, Any]:
    """Return who runs a job."""
    return read_json(executor.jobs / handle / wrapper.CLAIM)


def wrapped(folder: Path, *argv: str, **changes: Any) -> dict[str, Any]:
    """Run one job under the wrapper in ``folder``; return its result."""
    write_job(folder, *argv, **changes)
    run_wrapper(folder)
    return read_json(folder / wrapper.RESULT)


def write_job(folder: Path, *argv: str, **changes: Any) -> None:
    """Write ``spec.json`` for the wrapper; a single word is a line for the shell."""
    words = list(argv if len(argv) > 1 else ("sh", "-c", *argv))
    environment = {"PATH": os.environ["PATH"]}
    spec = {
        "schema": 1,
        "tag": "store/a/b",
        "argv": words,
        "workdir": "out",
        "environment": environment,
        "grace_s": 0.3,
    }
    folder.mkdir(exist_ok=True, parents=True)
    (folder / wrapper.SPEC).write_text(json.dumps({**spec, **changes}))


def run_wrapper(folder: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run the wrapper as a worker node would, and wait for it."""
    command = [python, "-I", "-S", WRAPPER, str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env={}
    )


def start_wrapper(folder: Path) -> subprocess.Popen[bytes]:
    """Start the wrapper and wait until it has claimed its job."""
    process = subprocess.Popen([sys.executable, "-I", "-S", WRAPPER, str(folder)], env={})
    until((folder / wrapper.CLAIM).exists, "the claim")
    return process


def is_alive(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    return wrapper.start_time(pid) is not None


def ledger_of(path: Path) -> Mapping[str, list[str]]:
    """Return what jobs wrote about themselves: by tag, ``start`` and ``end`` in order."""
    lines = path.read_text().splitlines() if path.exists() else []
    ledger: dict[str, list[str]] = {}
    for line in lines:
        word, tag = line.split()
        ledger.setdefault(tag, []).append(word)
    return ledger


def die_at(calls: int) -> None:
    """Have this process killed just before its ``calls``-th change of the world from now on; its
    forks live on.
    """
    me, left = os.getpid(), [calls]

    def watch(_frame: FrameType, event: str, function: Any) -> None:
        if (
            event != "c_call"
            or getattr(function, "__name__", "") not in CHANGES
            or os.getpid() != me
        ):
            return
        left[0] -= 1
        if left[0] == 0:
            os.kill(me, signal.SIGKILL)

    sys.setprofile(watch)


def kill_in(code: str, calls: int, *arguments: str) -> bool:
    """Run ``code`` in a process that dies at its ``calls``-th change of the world; say whether it
    did.
    """
    program = f"import sys\nfrom tests.integration.jobs import *\n{code}"
    command = [sys.executable, "-c", program, str(calls), *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
    return ended.returncode != 0
