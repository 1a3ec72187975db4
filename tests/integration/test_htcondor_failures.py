"""How jobs in a real HTCondor pool fail, and what is said of it: the class, and HTCondor's own
words.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from autoctrl.machine.failures import classify
from autoctrl.model.status import Failure, JobStatus
from tests.integration.condor import Bench, job_id
from tests.integration.jobs import WAIT, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services import Pool

MODES = pytest.mark.parametrize("mode", ["spool", "shared"])
ONCE_MORE = '[ "$AUTOCTRL_START" = 2 ] || sleep 100; echo "start $AUTOCTRL_START" | tee x'


@MODES
def test_a_job_that_uses_too_much_memory_is_held_for_it(htcondor: Pool, mode: str) -> None:
    """HTCondor holds a job that uses more memory than it asked for; its class is memory, with the
    numbers.
    """
    bench = Bench(htcondor, mode)
    handle = bench.submit(
        "python3", "-c", "import time; x = b'x' * 90_000_000; time.sleep(100)", memory_mb=64
    )
    report = bench.wait_for(handle, JobStatus.HELD)
    assert report.failure is Failure.MEMORY
    assert "more than its 64 MB" in report.reason
    bench.executor.remove([handle])
    assert bench.end(handle).status is JobStatus.REMOVED


def test_a_job_that_jumps_beyond_its_memory_is_stopped_by_the_wrapper(htcondor: Pool) -> None:
    """A job that HTCondor does not catch in time is stopped somewhat above its limit, and brings
    its log home.
    """
    bench = Bench(htcondor)
    code = "import time; print('begun', flush=True); x = b'x' * 400_000_000; time.sleep(100)"
    handle = bench.submit("python3", "-c", code, memory_mb=64)
    report = bench.wait_for(handle, JobStatus.HELD, JobStatus.FAILED)
    assert report.failure is Failure.MEMORY
    bench.executor.remove([handle])


@MODES
def test_a_job_that_runs_too_long_is_held_for_it(htcondor: Pool, mode: str) -> None:
    """HTCondor holds a job that runs longer than it may; its class is time limit, in HTCondor's
    words.
    """
    bench = Bench(htcondor, mode)
    handle = bench.submit("sleep 100", time_limit_s=2)
    report = bench.wait_for(handle, JobStatus.HELD)
    assert report.failure is Failure.TIME
    assert "duration" in report.reason
    bench.executor.remove([handle])
    assert bench.end(handle).status is JobStatus.REMOVED


def test_a_job_that_a_person_holds_is_held(htcondor: Pool) -> None:
    """A job that somebody holds is reported as held, with who did it, and can be removed."""
    bench = Bench(htcondor)
    handle = bench.submit(WAIT)
    bench.wait_for(handle, JobStatus.RUNNING)
    bench.tool("condor_hold", "-name", htcondor.schedd, job_id(handle))
    report = bench.wait_for(handle, JobStatus.HELD)
    assert report.failure is Failure.HELD
    assert "condor_hold" in report.reason
    bench.executor.remove([handle])
    assert bench.end(handle).status is JobStatus.REMOVED


@MODES
def test_a_job_that_a_person_removes_is_removed(htcondor: Pool, mode: str) -> None:
    """A job that somebody removes from the queue ends as removed, with who did it."""
    bench = Bench(htcondor, mode)
    handle = bench.submit(WAIT)
    bench.wait_for(handle, JobStatus.RUNNING)
    bench.tool("condor_rm", "-name", htcondor.schedd, job_id(handle))
    report = bench.end(handle)
    assert (report.status, report.failure) == (JobStatus.REMOVED, Failure.REMOVED)
    assert "condor_rm" in report.reason


@MODES
def test_an_evicted_job_starts_again_and_counts_its_starts(htcondor: Pool, mode: str) -> None:
    """A job that HTCondor evicts and starts again is one attempt with two starts; the second one's
    result counts.
    """
    bench = Bench(htcondor, mode)
    handle = bench.submit(ONCE_MORE, outputs={"x": "x"})
    bench.wait_for(handle, JobStatus.RUNNING)
    bench.tool("condor_vacate_job", "-name", htcondor.schedd, job_id(handle))
    report = bench.end(handle)
    assert (report.status, report.starts) == (JobStatus.DONE, 2)
    result = bench.executor.result(handle)
    assert result is not None
    assert result.starts == 2
    assert (bench.folder / "outputs/1/x").read_text() == "start 2\n"
    assert bench.executor.log(handle) == "start 2\n"


@MODES
def test_a_node_without_python_is_the_nodes_failure(htcondor: Pool, mode: str) -> None:
    """Where the interpreter is missing nothing of the job ran; its class is node, in the shell's
    words.
    """
    bench = Bench(htcondor, mode, python="/nowhere/python3")
    handle = bench.submit("true")
    report = bench.end(handle)
    assert (report.status, report.failure) == (JobStatus.FAILED, Failure.NODE)
    assert "/nowhere/python3" in report.reason
    assert bench.executor.result(handle) is None
    assert classify(report, None, "") == (Failure.NODE, report.reason)


@MODES
@pytest.mark.parametrize(
    ("line", "failure", "reason"),
    [
        ("exit 3", Failure.USER, "exited with code 3"),
        ("kill -SEGV $$", Failure.USER, "was ended by signal 11"),
        ("true", Failure.OUTPUT, "exited 0, but its output 'x' (x) is missing"),
        ("exec /nowhere/tool", Failure.USER, "exited with code 127"),
    ],
)
def test_a_job_that_fails_says_why(
    htcondor: Pool, mode: str, line: str, failure: Failure, reason: str
) -> None:
    """What went wrong on the node comes back with its class and its reason."""
    bench = Bench(htcondor, mode)
    report = bench.end(bench.submit(line, outputs={"x": "x"}))
    assert (report.status, report.failure) == (JobStatus.FAILED, failure)
    assert report.reason.startswith(reason)


@MODES
def test_a_missing_input_is_named(htcondor: Pool, mode: str) -> None:
    """An input that is not there fails its own job, as one that another node may be able to do, and
    no other.
    """
    bench = Bench(htcondor, mode)
    lacking = bench.order(1, "true", inputs={"raw": ("/nowhere/raw.dat",)})
    handles = bench.executor.submit([lacking, bench.order(2, "true")])
    reports = bench.settle(handles.values())
    first, second = (reports[handle] for handle in handles.values())
    assert (first.status, first.failure) == (JobStatus.FAILED, Failure.NODE)
    assert "/nowhere/raw.dat" in first.reason
    assert second.status is JobStatus.DONE


def test_an_output_that_changed_on_its_way_is_not_accepted(htcondor: Pool) -> None:
    """An output whose bytes are not those that the node measured fails the job, and is not put in
    its place.
    """
    bench = Bench(htcondor, "shared")
    handle = bench.submit("echo data > x", outputs={"x": "x"})
    until(lambda: bench.on_queue() == ["4"], "the end")
    (output,) = (bench.folder / "jobs").rglob("out/x")
    output.write_text("not the same data\n")
    report = bench.end(handle)
    assert (report.status, report.failure) == (JobStatus.FAILED, Failure.NODE)
    assert "was changed on its way" in report.reason
    assert not (bench.folder / "outputs/1/x").exists()


@MODES
def test_no_file_is_overwritten(htcondor: Pool, mode: str) -> None:
    """Where an output's place is taken by another file, that file stays and the job fails, saying
    so.
    """
    bench = Bench(htcondor, mode)
    target = bench.folder / "outputs/1/x"
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    report = bench.end(bench.submit("echo data > x", outputs={"x": "x"}))
    assert (report.status, report.failure) == (JobStatus.FAILED, Failure.NODE)
    assert "exists and is another file" in report.reason
    assert target.read_text() == "mine"


def test_a_job_that_nobody_knows_is_lost_after_a_while(htcondor: Pool) -> None:
    """A job neither in queue nor history is not answered for at first, and lost once it was missed
    for long enough.
    """
    bench = Bench(htcondor, lost_after_s=300.0)
    time_s = [1000.0]
    handle = f"{htcondor.schedd}#999999.0"
    executor = bench.opened(now=lambda: time_s[0])
    assert executor.poll([handle]) == {}
    time_s[0] += 299
    assert bench.opened(now=lambda: time_s[0]).poll([handle]) == {}
    time_s[0] += 1
    report = bench.opened(now=lambda: time_s[0]).poll([handle])[handle]
    assert (report.status, report.failure) == (JobStatus.LOST, Failure.NODE)
    assert "neither in the queue nor in the history" in report.reason


def test_a_job_of_the_pools_own_policy_is_classed_by_its_words(
    htcondor: Pool, tmp_path: Path
) -> None:
    """A hold by a policy that says in words what was exceeded has the class of what was
    exceeded.
    """
    folder = tmp_path / "htcondor"
    folder.mkdir()
    own = (
        'periodic_hold = JobStatus == 2\nperiodic_hold_reason = "wall time '
        'exceeded"\nperiodic_hold_subcode = 7'
    )
    text = '{% extends "job.sub.j2" %}{% block hold %}\n' + own + "\n{% endblock %}\n"
    (folder / "job.sub.j2").write_text(text)
    bench = Bench(htcondor)
    executor = bench.opened(templates=(tmp_path, tmp_path / "workflows"))
    (handle,) = executor.submit([bench.order(1, "sleep 100")]).values()
    report = bench.wait_for(handle, JobStatus.HELD)
    assert (report.failure, report.reason) == (Failure.TIME, "wall time exceeded")
    executor.remove([handle])


def test_the_program_needs_only_a_shell_and_python(tmp_path: Path) -> None:
    """The jobs' program says on its own when a row was removed before it started."""
    from autoctrl.executors.htcondor.executable import NEVER_STARTED, build_program, write_program

    write_program(tmp_path / "program", build_program("python3", "/usr/bin:/bin"))
    (tmp_path / "0.remove").touch()
    done = subprocess.run([str(tmp_path / "program"), "0", "shared"], cwd=tmp_path, check=False)
    assert done.returncode == NEVER_STARTED
    assert not (tmp_path / "0").exists()
