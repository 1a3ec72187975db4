"""Jobs in a real HTCondor pool, whose files travel or are shared: from submission to
acknowledgement.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.status import Failure, JobStatus
from tests.integration.condor import Bench, job_id
from tests.integration.jobs import WAIT, until

if TYPE_CHECKING:
    from tests.services import Pool

MODES = pytest.mark.parametrize("mode", ["spool", "shared"])


@MODES
def test_a_job_runs_and_its_result_comes_back(htcondor: Pool, mode: str) -> None:
    """A job goes to done; its output lies in its own folder with the node's size and checksum, its
    logs are kept.
    """
    bench = Bench(htcondor, mode)
    says = """echo hello; echo careful >&2; echo '{"hits": 3}' > $AUTOCTRL_FIELDS"""
    line = f"{says}; mkdir -p d; echo data > d/x; echo junk > t"
    handle = bench.submit(line, outputs={"output": "d/x"})
    assert handle.startswith(f"{htcondor.schedd}#")
    report = bench.end(handle)
    assert (report.status, report.starts, report.failure) == (JobStatus.DONE, 1, None)
    result = bench.executor.result(handle)
    assert result is not None
    assert (result.exit_code, result.host, result.fields) == (0, report.host, {"hits": 3.0})
    (file,) = result.files
    target = bench.folder / "outputs/1/d/x"
    checksum = f"sha256:{hashlib.sha256(target.read_bytes()).hexdigest()}"
    assert (file.name, file.url, file.bytes, file.checksum) == ("output", str(target), 5, checksum)
    assert target.read_text() == "data\n"
    assert [path.name for path in target.parents[1].rglob("*") if path.is_file()] == ["x"]
    bench.executor.acknowledge([handle])
    until(lambda: not bench.on_queue(), "the end in the queue")
    assert bench.executor.poll([handle])[handle].status is JobStatus.DONE
    assert bench.executor.log(handle) == "hello\n"
    assert bench.executor.log(handle, "stderr") == "careful\n"
    assert Path(report.log).read_text() == "careful\n"


@MODES
def test_a_finished_job_stays_until_it_is_acknowledged(htcondor: Pool, mode: str) -> None:
    """Polling and reading a result takes nothing from the queue; acknowledging does, twice or of
    nothing too.
    """
    bench = Bench(htcondor, mode)
    handle = bench.submit("true")
    bench.end(handle)
    assert bench.opened().poll([handle])[handle].status is JobStatus.DONE
    assert bench.on_queue() == ["4"]
    bench.executor.acknowledge([f"{htcondor.schedd}#999999.0", "no handle"])
    assert bench.on_queue() == ["4"]
    for _ in range(2):
        bench.executor.acknowledge([handle])
    until(lambda: not bench.on_queue(), "the end in the queue")


@MODES
def test_inputs_are_found_by_their_own_names(htcondor: Pool, mode: str) -> None:
    """Inputs of equal or odd names reach the job as words and inside words, whatever they are
    called on the node.
    """
    bench = Bench(htcondor, mode)
    names = ["a/raw.dat", "b/raw.dat", "odd, name $HOME 'x' é.dat"]
    paths = [bench.folder / name for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{path.parent.name}|")
    first, second, odd = map(str, paths)
    code = (
        "import sys; open('y', 'w').write(''.join(open(w.partition('=')[2] or w).read() for w "
        "in sys.argv[1:]))"
    )
    argv = ("python3", "-c", code, first, f"--in={second}", odd)
    handle = bench.submit(*argv, outputs={"y": "y"}, inputs={"raw": (first, second), "odd": (odd,)})
    report = bench.end(handle)
    assert report.status is JobStatus.DONE, (report, bench.executor.log(handle, "stderr"))
    assert (bench.folder / "outputs/1/y").read_text() == f"a|b|{bench.folder.name}|"


@MODES
def test_the_environment_is_the_jobs_own(
    htcondor: Pool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job sees what is set for it, a PATH and its threads, and nothing of the controller's
    environment.
    """
    monkeypatch.setenv("CONTROLLERS_OWN", "secret")
    bench = Bench(htcondor, mode, path="/opt/x:/usr/bin:/bin")
    odd = "two\nlines \"'$HOME\\ é"
    code = "import json, os; json.dump(dict(os.environ), open('e', 'w'))"
    argv = ("python3", "-c", code)
    handle = bench.submit(*argv, outputs={"e": "e"}, environment={"ODD": odd, "EMPTY": ""}, cpus=2)
    assert bench.end(handle).status is JobStatus.DONE
    seen = json.loads((bench.folder / "outputs/1/e").read_text())
    assert (seen["ODD"], seen["EMPTY"], seen["PATH"]) == (odd, "", "/opt/x:/usr/bin:/bin")
    assert seen["OMP_NUM_THREADS"] == "2"
    assert "CONTROLLERS_OWN" not in seen
    assert seen["AUTOCTRL_TAG"] == f"{bench.store}/prompt/reco/1/v1/0.1"


@MODES
def test_a_running_job_can_be_removed(htcondor: Pool, mode: str) -> None:
    """A job that is removed while it runs or waits ends as removed; removing it again harms
    nothing.
    """
    bench = Bench(htcondor, mode)
    orders = [bench.order(1, WAIT), bench.order(2, WAIT, cpus=999)]
    running, idle = bench.executor.submit(orders).values()
    bench.wait_for(running, JobStatus.RUNNING)
    bench.executor.remove([running, idle])
    for report in bench.settle([running, idle]).values():
        assert (report.status, report.failure) == (JobStatus.REMOVED, Failure.REMOVED)
        assert "removed by autoctrl" in report.reason
    bench.executor.remove([running, idle])


def test_other_stores_are_neither_seen_nor_touched(htcondor: Pool) -> None:
    """What another store submitted to the same schedd is not found, reported, removed or
    acknowledged.
    """
    theirs, ours = Bench(htcondor), Bench(htcondor)
    order = theirs.order(1, "true")
    handle = theirs.executor.submit([order])[order.tag]
    theirs.end(handle)
    assert ours.executor.find([order.tag]) == {}
    assert ours.executor.poll([handle]) == {}
    ours.executor.remove([handle])
    ours.executor.acknowledge([handle])
    assert theirs.on_queue() == ["4"]
    assert "0 jobs" in ours.executor.ping()


def test_the_log_of_a_running_job_is_shown_where_it_can_be(htcondor: Pool) -> None:
    """On a shared file system a log is there at once; where files travel a sentence says when it
    comes.
    """
    shared, spool = Bench(htcondor, "shared"), Bench(htcondor)
    handles = {bench: bench.submit(f"echo begun; {WAIT}") for bench in (shared, spool)}
    until(lambda: shared.executor.log(handles[shared]) == "begun\n", "the log")
    assert "comes with it, at its end" in spool.executor.log(handles[spool])
    assert "nothing is kept here" in shared.executor.log(f"{htcondor.schedd}#999999.0")
    (idle,) = shared.executor.submit([shared.order(2, WAIT, cpus=999)]).values()
    assert "has not started yet" in shared.executor.log(idle)
    shared.executor.remove([idle])
    with pytest.raises(UsageError):
        shared.executor.log(handles[shared], "x")
    for bench, handle in handles.items():
        bench.executor.remove([handle])


def test_tags_are_found_with_their_handles(htcondor: Pool) -> None:
    """Every tag that was submitted is found, alive or finished, by any controller; one that was not
    is not.
    """
    bench = Bench(htcondor)
    orders = [bench.order(number, "true") for number in range(3)]
    handles = bench.executor.submit(orders)
    assert [job_id(handle).partition(".")[2] for handle in handles.values()] == ["0", "1", "2"]
    tags = [order.tag for order in orders]
    missing = bench.order(7, "true").tag
    assert until(lambda: bench.opened().find([*tags, missing]), "the tags") == handles
    bench.settle(handles.values())
    assert bench.executor.find(tags) == handles
