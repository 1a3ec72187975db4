"""The local executor, with real processes: each job starts once, whoever is killed, and its end is
known.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import ServiceDown, SubmitRefused
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
    ledger_of,
    order,
    settle,
    submit_one,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_slots_are_respected_and_the_queue_drains_by_itself(tmp_path: Path) -> None:
    """Never more jobs than slots run at once, and the queue drains in order without any
    controller.
    """
    executor = executor_in(tmp_path, slots=2)
    ledger = tmp_path / "ledger"
    both = f"touch {tmp_path}/begun.$$; until [ $(ls {tmp_path}/begun.* | wc -l) -ge 2 ]"
    line = LEDGER.format(ledger, f"{both}; do sleep 0.01; done")
    executor.submit([order(tmp_path, number, job_spec(line)) for number in range(12)])
    until(lambda: list(ledger_of(ledger).values()) == [ONCE] * 12, "the end of all jobs")
    running, most = 0, 0
    for line in ledger.read_text().splitlines():
        running += 1 if line.startswith("start") else -1
        most = max(most, running)
    assert most == 2
    first = [
        line.split("/")[3] for line in ledger.read_text().splitlines() if line.startswith("start")
    ]
    assert sorted(first[:4], key=int) == ["0", "1", "2", "3"]


def test_two_controllers_share_the_slots(tmp_path: Path) -> None:
    """Two executors over one folder, both submitting and polling, never run more jobs than there
    are slots.
    """
    executors = [executor_in(tmp_path, slots=1) for _ in range(2)]
    ledger = tmp_path / "ledger"
    orders = [
        order(tmp_path, number, job_spec(LEDGER.format(ledger, "sleep 0.02")))
        for number in range(10)
    ]
    handles = [*executors[0].submit(orders[:5]).values(), *executors[1].submit(orders).values()]
    for executor in executors:
        settle(executor, handles)
    words = [line.split()[0] for line in ledger.read_text().splitlines()]
    assert words == ONCE * 10


def test_one_tag_submitted_twice_starts_once(tmp_path: Path) -> None:
    """Submitting a tag again, queued, running or done, gives the same handle and starts nothing."""
    executor = executor_in(tmp_path, slots=0)
    ledger = tmp_path / "ledger"
    orders = [order(tmp_path, 1, job_spec(LEDGER.format(ledger, WAIT)))]
    handles = executor.submit(orders)
    assert executor.submit(orders) == handles
    (handle,) = handles.values()
    executor.pool.slots = 2
    wait_for(executor, handle, JobStatus.RUNNING)
    assert executor_in(tmp_path).submit(orders) == handles
    (tmp_path / "outputs" / "1" / "go").touch()
    settle(executor, [handle])
    assert executor.submit(orders) == handles
    assert executor.find([orders[0].tag]) == handles
    executor.poll([handle])
    assert ledger_of(ledger) == {orders[0].tag: ONCE}


def test_a_queued_twice_job_starts_once(tmp_path: Path) -> None:
    """Two entries of one job in the queue start it once, and both are dropped."""
    executor = executor_in(tmp_path, slots=0)
    ledger = tmp_path / "ledger"
    handle = submit_one(executor, tmp_path, LEDGER.format(ledger, "true"))
    executor.pool.enqueue(handle)
    executor.pool.slots = 2
    settle(executor, [handle])
    until(lambda: not executor.pool.queued(), "an empty queue")
    assert list(ledger_of(ledger).values()) == [ONCE]


def test_a_job_of_another_store_is_neither_taken_nor_run(tmp_path: Path) -> None:
    """An executor works for one store: it finds no job of another one, and refuses to run it."""
    old, new = executor_in(tmp_path, store="old"), executor_in(tmp_path, store="new")
    theirs, ours = (order(tmp_path, 1, job_spec("true"), store) for store in ("old", "new"))
    settle(old, old.submit([theirs]).values())
    assert new.find([theirs.tag]) == {}
    with pytest.raises(SubmitRefused, match="does not belong to the store new"):
        new.submit([theirs])
    assert list(new.submit([theirs, ours])) == [ours.tag]
    settle(new, [ours.tag])


def test_a_copy_leaves_the_jobs_of_the_original_alone(tmp_path: Path) -> None:
    """In a copy of a project all jobs under way are lost; those of the original run on, and start
    once.
    """
    original, ledger = tmp_path / "original", tmp_path / "ledger"
    executor = executor_in(original, slots=1)
    line = LEDGER.format(ledger, f"until [ -e {tmp_path}/go ]; do sleep 0.05; done")
    handles = list(
        executor.submit([order(original, number, job_spec(line)) for number in (1, 2)]).values()
    )
    until(
        lambda: (
            {executor.poll([handle])[handle].status for handle in handles}
            == {JobStatus.RUNNING, JobStatus.IDLE}
        )
    )
    shutil.copytree(original, tmp_path / "copy", symlinks=True)
    copy = executor_in(tmp_path / "copy", store="copy")
    copy.remove(handles)
    reports = copy.poll(handles)
    assert [reports[handle].status for handle in handles] == [JobStatus.LOST] * 2
    assert "of which this one is a copy" in reports[handles[0]].reason
    own = order(tmp_path / "copy", 3, job_spec("true"), "copy")
    settle(copy, copy.submit([own]).values())
    (tmp_path / "go").touch()
    assert {report.status for report in settle(executor, handles).values()} == {JobStatus.DONE}
    assert copy.result(handles[0]) is None
    assert list(ledger_of(ledger).values()) == [ONCE, ONCE]


def test_a_removal_that_was_only_asked_for_is_finished_by_the_next_poll(tmp_path: Path) -> None:
    """A controller killed between asking and claiming leaves a job that the next poll reports as
    removed.
    """
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "touch started")
    (executor.jobs / handle / wrapper.REMOVE).touch()
    executor.pool.slots = 1
    assert executor.poll([handle])[handle].status is JobStatus.REMOVED
    until(lambda: not executor.pool.queued(), "an empty queue")
    assert not (tmp_path / "outputs").exists()


def test_a_queued_job_is_removed_and_never_starts(tmp_path: Path) -> None:
    """A removed job that waits is reported as removed at once, and never starts when a slot gets
    free.
    """
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "touch started")
    assert executor.poll([handle])[handle].status is JobStatus.IDLE
    executor.remove([handle])
    executor.pool.slots = 1
    report = executor.poll([handle])[handle]
    assert (report.status, report.failure, report.starts) == (JobStatus.REMOVED, Failure.REMOVED, 0)
    until(lambda: not executor.pool.queued(), "an empty queue")
    assert not (tmp_path / "outputs").exists()
    assert executor.result(handle) is None


def test_a_running_job_is_removed_though_it_resists(tmp_path: Path) -> None:
    """A running job that ignores SIGTERM is reported as removed once it is dead, and its result
    says so.
    """
    executor = executor_in(tmp_path)
    handle = submit_one(executor, tmp_path, f"trap '' TERM; {WAIT}")
    wait_for(executor, handle, JobStatus.RUNNING)
    began = time.monotonic()
    executor.remove([handle])
    assert time.monotonic() - began < 1
    report = settle(executor, [handle])[handle]
    assert (report.status, report.failure, report.starts) == (JobStatus.REMOVED, Failure.REMOVED, 1)
    assert not is_alive(claim_of(executor, handle)["group"])
    executor.remove([handle, "store/prompt/reco/2/v1/0.1"])


def test_a_vanished_folder_is_no_answer(tmp_path: Path) -> None:
    """If the folder of all jobs is not there, nothing is concluded about them."""
    executor = executor_in(tmp_path, slots=0)
    handle = submit_one(executor, tmp_path, "true")
    executor.jobs.rename(tmp_path / "elsewhere")
    with pytest.raises(ServiceDown, match="may not be mounted"):
        executor.poll([handle])
    assert executor.poll([]) == {}


def test_a_queue_that_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    """Whatever lies in the way of the jobs' folders, finding and polling end with a sentence."""
    (tmp_path / "jobs").write_text("in the way")
    executor = executor_in(tmp_path)
    for ask in (executor.find, executor.poll):
        with pytest.raises(ServiceDown):
            ask(["store/prompt/reco/1/v1/0.1"])
    with pytest.raises(ServiceDown, match="cannot be read: Not a directory"):
        executor.find([])


def test_a_folder_that_cannot_be_written_is_a_service_down(tmp_path: Path) -> None:
    """A jobs folder that cannot be made is reported with the path and a hint, by submit and by
    ping.
    """
    (tmp_path / "jobs").write_text("in the way")
    executor = executor_in(tmp_path)
    with pytest.raises(ServiceDown, match=str(tmp_path)):
        executor.submit([order(tmp_path, 1, job_spec("true"))])
    with pytest.raises(ServiceDown, match=str(tmp_path)):
        executor.ping()


def test_slots_that_cannot_be_started_are_a_service_down(tmp_path: Path) -> None:
    """If the processes that serve the slots cannot start, submit says so, and the queued jobs are
    found again.
    """
    executor = executor_in(tmp_path)
    executor.pool.environment = {"LD_PRELOAD": "", "PATH": ""}
    (tmp_path / "jobs" / "store" / ".pool" / "log").mkdir(parents=True)
    attempt = order(tmp_path, 1, job_spec("true"))
    with pytest.raises(ServiceDown, match="cannot be started"):
        executor.submit([attempt])
    (tmp_path / "jobs" / "store" / ".pool" / "log").rmdir()
    found = executor.find([attempt.tag])
    assert settle(executor, found.values())[found[attempt.tag]].status is JobStatus.DONE


def test_logs_are_shown_whatever_is_in_them(tmp_path: Path) -> None:
    """Logs are text even if the job printed bytes; of a huge one the middle is left out."""
    executor = executor_in(tmp_path)
    line = (
        r"printf 'a\000\377\033[31mb\n' >&2; echo first; head -c 3000000 /dev/zero | tr '\0' "
        r"x; echo; echo last"
    )
    handle = submit_one(executor, tmp_path, line)
    assert executor.log("store/prompt/reco/9/v1/0.1") == ""
    settle(executor, [handle])
    assert executor.log(handle, "stderr") == "a\\x00\\xff\\x1b[31mb\n"
    text = executor.log(handle)
    assert text.startswith("first\nxxx")
    assert text.endswith("xxx\nlast\n")
    assert "bytes left out" in text
    assert len(text) < 1_100_000


def test_a_job_gets_no_secret_and_finds_our_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the controller's environment a job sees a short list; the folder of our own commands comes
    first in PATH.
    """
    for name in ("STORE_TOKEN", "AUTOCTRL_STORE", "ANYTHING", "X509_SECRET"):
        monkeypatch.setenv(name, "leak")
    executor = executor_in(tmp_path)
    handle = submit_one(executor, tmp_path, "env", environment={"MY_TOKEN": "given"}, cpus=3)
    settle(executor, [handle])
    lines = executor.log(handle).splitlines()
    assert "leak" not in executor.log(handle)
    assert {"MY_TOKEN=given", "OMP_NUM_THREADS=3", f"AUTOCTRL_TAG={handle}"} < set(lines)
    assert any(line.startswith(f"PATH={sys.prefix}/bin:") for line in lines)


def test_a_slot_inherits_nothing_from_its_controller(tmp_path: Path) -> None:
    """A slot's process has a session of its own and none of the controller's files, and is no child
    of it.
    """
    executor = executor_in(tmp_path)
    with (tmp_path / "private").open("w") as private:
        os.set_inheritable(private.fileno(), True)  # noqa: FBT003 - positional-only
        handle = submit_one(executor, tmp_path, "ls -l /proc/self/fd; exec sleep 60")
        wait_for(executor, handle, JobStatus.RUNNING)
    until(lambda: "stderr.log" in executor.log(handle))
    assert "private" not in executor.log(handle)
    claim = claim_of(executor, handle)
    assert os.getsid(claim["pid"]) != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(claim["pid"], os.WNOHANG)
    executor.remove([handle])
    settle(executor, [handle])


def test_ping_counts(tmp_path: Path) -> None:
    """Ping says how many slots are taken and how many jobs wait."""
    executor = executor_in(tmp_path, slots=1)
    assert executor.ping() == f"0 of 1 slots taken, 0 jobs queued, in {tmp_path}/jobs"
    orders = [order(tmp_path, number, job_spec(WAIT)) for number in (1, 2)]
    first, second = executor.submit(orders).values()
    wait_for(executor, first, JobStatus.RUNNING)
    executor.remove([second])
    for number in (1, 2):
        folder = tmp_path / "outputs" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "go").touch()
    settle(executor, [first, second])
    until(lambda: executor.ping().startswith("0 of 1 slots taken, 0 jobs"), "a free slot")


def test_a_thousand_tiny_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand jobs that do nothing are all done, each once; how fast is printed, not judged."""
    executor = executor_in(tmp_path, slots=len(os.sched_getaffinity(0)))
    began = time.monotonic()
    handles = executor.submit(
        [order(tmp_path, number, job_spec("true", "")) for number in range(1000)]
    )
    submitted = time.monotonic()
    until(lambda: not executor.pool.queued(), "an empty queue")
    reports = settle(executor, handles.values())
    ended = time.monotonic()
    assert {report.status for report in reports.values()} == {JobStatus.DONE}
    assert len(reports) == 1000
    with capsys.disabled():
        print(  # noqa: T201
            f"\n1000 jobs: submitted in {submitted - began:.2f} s, done at "
            f"{1000 / (ended - began):.0f} per second"
        )
