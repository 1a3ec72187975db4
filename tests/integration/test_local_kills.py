"""The local executor under SIGKILL at every step: each job starts once, and nobody's end stays
unknown.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.executors.job_folder import read_json
from autoctrl.model.status import Failure, JobStatus
from autoctrl.node import wrapper
from tests.integration.jobs import (
    LEDGER,
    ONCE,
    WAIT,
    claim_of,
    executor_in,
    is_alive,
    job_spec,
    kill_in,
    ledger_of,
    order,
    settle,
    submit_one,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.executors.local.executor import LocalExecutor

LET_GO = "import os, time; os.closerange(3, 99); time.sleep(60)"


def test_jobs_survive_a_controller_killed_right_after_submitting(tmp_path: Path) -> None:
    """A controller that is killed after its submission changes nothing for its jobs."""
    code = (
        "import os, signal\n"
        "executor = executor_in(Path(sys.argv[2]))\n"
        f"spec = job_spec({LEDGER.format(tmp_path / 'ledger', 'sleep 0.3')!r})\n"
        "executor.submit([order(Path(sys.argv[2]), n, spec) for n in range(4)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert kill_in(code, 0, str(tmp_path))
    tags = [order(tmp_path, number, job_spec("true")).tag for number in range(4)]
    executor = executor_in(tmp_path)
    found = executor.find(tags)
    assert len(found) == 4
    assert {report.status for report in settle(executor, found.values()).values()} == {
        JobStatus.DONE
    }
    assert ledger_of(tmp_path / "ledger") == dict.fromkeys(tags, ONCE)


def settle_again(folder: Path, ledger: Path) -> tuple[JobStatus, list[str]]:
    """Do what a controller does after a crash: ask, submit what is unknown, poll; return the end
    and the ledger.
    """
    executor = executor_in(folder)
    attempt = order(folder, 1, job_spec(LEDGER.format(ledger, "true")))
    handles = executor.find([attempt.tag]) or executor.submit([attempt])
    (report,) = settle(executor, handles.values()).values()
    until(lambda: not executor.pool.queued(), "an empty queue")
    assert (executor.result(handles[attempt.tag]) is not None) == (report.status is JobStatus.DONE)
    return report.status, list(ledger_of(ledger).get(attempt.tag, []))


SUBMIT = """
folder, ledger = Path(sys.argv[2]), sys.argv[3]
executor = executor_in(folder)
die_at(int(sys.argv[1]))
executor.submit([order(folder, 1, job_spec(LEDGER.format(ledger, "true")))])
"""
SERVE = """
folder, ledger = Path(sys.argv[2]), sys.argv[3]
from autoctrl.executors.local import slot
executor = executor_in(folder, slots=0)
executor.submit([order(folder, 1, job_spec(LEDGER.format(ledger, "true")))])
fd = slot.hold(str(executor.pool.folder / "slots" / "0"))
die_at(int(sys.argv[1]))
slot.serve(str(executor.pool.folder), "0", fd, wrapper.run)
"""
WRAP = """
folder, ledger = Path(sys.argv[2]), sys.argv[3]
executor = executor_in(folder, slots=0)
(handle,) = executor.submit([order(folder, 1, job_spec(LEDGER.format(ledger, "true")))]).values()
die_at(int(sys.argv[1]))
wrapper.run(str(executor.jobs / handle))
"""


@pytest.mark.parametrize(
    ("code", "least", "ends"),
    [
        (SUBMIT, 10, {JobStatus.DONE}),
        (SERVE, 3, {JobStatus.DONE}),
        (WRAP, 15, {JobStatus.DONE, JobStatus.LOST}),
    ],
    ids=["controller", "slot", "wrapper"],
)
def test_a_kill_at_any_step_starts_no_job_twice(
    tmp_path: Path, code: str, least: int, ends: set[JobStatus]
) -> None:
    """Whoever is killed before whichever step, the job starts once and ends; only with its wrapper
    can it get lost.
    """
    seen = set()
    step = 1
    while True:
        folder, ledger = tmp_path / str(step), tmp_path / f"ledger{step}"
        was_killed = kill_in(code, step, str(folder), str(ledger))
        status, words = settle_again(folder, ledger)
        assert status in ends, f"killed at step {step}"
        assert words == ONCE if status is JobStatus.DONE else words in ([], ["start"], ONCE), (
            f"killed at step {step}"
        )
        seen.add(status)
        if not was_killed:
            break
        step += 1
    assert step > least
    assert seen == ends


REMOVE = """
folder = Path(sys.argv[2])
executor = executor_in(folder, slots=0)
die_at(int(sys.argv[1]))
executor.remove([sys.argv[3]])
"""


@pytest.mark.parametrize("slots", [0, 1], ids=["queued", "running"])
def test_a_kill_during_removal_is_made_good(tmp_path: Path, slots: int) -> None:
    """A controller killed at any step of a removal: asking again removes the job; queued ones never
    ran.
    """
    step = 1
    was_killed = True
    while was_killed:
        folder = tmp_path / str(step)
        executor = executor_in(folder, slots=slots)
        handle = submit_one(executor, folder, f"touch started; {WAIT}")
        started = folder / "outputs" / "1" / "started"
        if slots:
            until(started.exists, "the start")
        was_killed = kill_in(REMOVE, step, str(folder), handle)
        executor.remove([handle])
        executor.pool.slots = 1
        assert settle(executor, [handle])[handle].status is JobStatus.REMOVED, (
            f"killed at step {step}"
        )
        assert started.exists() == bool(slots)
        step += 1
    assert step > 2


def test_a_killed_wrapper_is_a_lost_job(tmp_path: Path) -> None:
    """A job whose wrapper was killed is lost, once nothing of it lives."""
    executor = executor_in(tmp_path)
    handle = submit_one(executor, tmp_path, "exec sleep 60")
    wait_for(executor, handle, JobStatus.RUNNING)
    claim = claim_of(executor, handle)
    os.kill(claim["pid"], signal.SIGKILL)
    report = settle(executor, [handle])[handle]
    assert (report.status, report.failure, report.starts) == (JobStatus.LOST, Failure.NODE, 1)
    assert "without a result" in report.reason
    assert not is_alive(claim["group"])


@pytest.mark.parametrize(
    "line",
    [
        "sleep 60 & echo $! > pid; mv pid child; wait",
        "setsid sleep 60 & echo $! > pid; mv pid child; wait",
        f"{sys.executable} -S -c '{LET_GO}' & echo $! > pid; mv pid child; wait",
    ],
    ids=["group", "session", "lock let go"],
)
def test_what_survives_its_wrapper_is_ended_before_the_job_is_lost(
    tmp_path: Path, line: str
) -> None:
    """Children that outlive a killed wrapper keep the job running until they are killed, however
    they hide.
    """
    executor = executor_in(tmp_path)
    handle = submit_one(executor, tmp_path, line)
    child = tmp_path / "outputs" / "1" / "child"
    until(child.exists, "the child")
    os.kill(claim_of(executor, handle)["pid"], signal.SIGKILL)
    until(lambda: not is_alive(claim_of(executor, handle)["pid"]))
    assert is_alive(int(child.read_text()))
    assert executor.poll([handle])[handle].status is JobStatus.RUNNING
    assert settle(executor, [handle])[handle].status is JobStatus.LOST
    assert not is_alive(int(child.read_text()))


def write_claim(executor: LocalExecutor, handle: str, **changes: Any) -> None:
    """Claim a queued job as a wrapper would, and die."""
    me = {
        "pid": os.getpid(),
        "pid_start": wrapper.start_time(os.getpid()),
        "group": -1,
        "group_start": 0,
    }
    claim = {
        "schema": 1,
        "tag": f"store/{handle}",
        "start": 1,
        **me,
        "machine": wrapper.machine(),
        "host": "here",
    }
    (executor.jobs / handle / wrapper.CLAIM).write_text(json.dumps({**claim, **changes}))


def test_a_restarted_machine_has_lost_its_jobs(tmp_path: Path) -> None:
    """A claim of another boot is lost at once, though a process of the same number lives; none is
    touched.
    """
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "true")
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    write_claim(executor, handle, group=bystander.pid, machine="another boot")
    report = executor.poll([handle])[handle]
    assert report.status is JobStatus.LOST
    assert "restarted" in report.reason
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_reused_process_number_is_left_alone(tmp_path: Path) -> None:
    """Processes that took over the numbers of a dead job are neither killed nor taken for it."""
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "true")
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    write_claim(
        executor, handle, pid=bystander.pid, pid_start=1, group=bystander.pid, group_start=1
    )
    executor.remove([handle])
    assert executor.poll([handle])[handle].status is JobStatus.REMOVED
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_result_that_comes_late_can_still_be_read(tmp_path: Path) -> None:
    """A result that appears after its job was given up as lost is there for whoever asks."""
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "true")
    write_claim(executor, handle)
    assert executor.poll([handle])[handle].status is JobStatus.LOST
    assert executor.result(handle) is None
    executor.pool.slots = 1
    other = next(iter(executor.submit([order(tmp_path, 2, job_spec("true"))]).values()))
    settle(executor, [other])
    content = read_json(executor.jobs / other / wrapper.RESULT)
    late = executor.jobs / handle / wrapper.RESULT
    late.write_text(json.dumps(content))
    assert executor.result(handle) is None, "a result of another job does not count"
    late.write_text(json.dumps({**content, "tag": handle}))
    result = executor.result(handle)
    assert result is not None
    assert result.exit_code == 0
    assert executor.poll([handle])[handle].status is JobStatus.DONE


@pytest.mark.parametrize(
    ("spec", "status"),
    [(None, JobStatus.LOST), ("{", JobStatus.LOST), ('{"schema": 99}', JobStatus.LOST)],
    ids=["gone", "broken", "foreign"],
)
def test_a_job_that_can_never_start_is_lost(
    tmp_path: Path, spec: str | None, status: JobStatus
) -> None:
    """A queued job whose description is gone or cannot be read does not wait for ever."""
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "true")
    path = executor.jobs / handle / wrapper.SPEC
    path.unlink()
    if spec is not None:
        path.write_text(spec)
    executor.pool.slots = 1
    executor.pool.start()
    until(lambda: not executor.pool.queued(), "an empty queue")
    report = executor.poll([handle])[handle]
    assert report.status is status
    assert str(executor.jobs / handle) in report.reason
