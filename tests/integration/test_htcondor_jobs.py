"""Jobs in a real HTCondor pool: what they get, and what comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from autoctrl.model.status import JobStatus
from tests.integration.condor import Bench
from tests.integration.jobs import WAIT, until

if TYPE_CHECKING:
    from tests.services import Pool

MODES = pytest.mark.parametrize("mode", ["spool", "shared"])


@MODES
def test_a_finished_job_stays_until_it_is_acknowledged(htcondor: Pool, mode: str) -> None:
    """Polling brings back the outputs alone and takes nothing from the queue; acknowledging does,
    twice or of nothing too.
    """
    bench = Bench(htcondor, mode)
    handle = bench.submit("mkdir -p d; echo data > d/x; echo junk > t", outputs={"x": "d/x"})
    bench.end(handle)
    outputs = bench.folder / "outputs/1"
    assert [path for path in outputs.rglob("*") if path.is_file()] == [outputs / "d/x"]
    assert bench.opened().poll([handle])[handle].status is JobStatus.DONE
    assert bench.on_queue() == ["4"]
    bench.executor.acknowledge([f"{htcondor.schedd}#999999.0", "no handle"])
    assert bench.on_queue() == ["4"]
    for _ in range(2):
        bench.executor.acknowledge([handle])
    until(lambda: not bench.on_queue(), "the end in the queue")
    assert bench.executor.poll([handle])[handle].status is JobStatus.DONE


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
    assert "its log comes with it when it has ended" in spool.executor.log(handles[spool])
    assert "nothing is kept here" in shared.executor.log(f"{htcondor.schedd}#999999.0")
    (idle,) = shared.executor.submit([shared.order(2, WAIT, cpus=999)]).values()
    assert "has not started yet" in shared.executor.log(idle)
    shared.executor.remove([idle])
    for bench, handle in handles.items():
        bench.executor.remove([handle])
