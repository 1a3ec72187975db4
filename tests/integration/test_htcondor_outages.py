"""Schedds that are killed, stopped or out of reach, controllers that are killed: a delay, never a
loss or a double.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import ServiceDown
from autoctrl.executors.htcondor import schedd
from autoctrl.model.status import Failure, JobStatus
from tests.integration.condor import Bench, job_id, python, schedd_of
from tests.integration.jobs import LEDGER, ONCE, PATIENCE_S, WAIT, ledger_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.ports import JobOrder
    from tests.services import Pool

MODES = pytest.mark.parametrize("mode", ["spool", "shared"])
SUBMITTER = """
import types
from pathlib import Path
class Known:
    schedd, config, tools = sys.argv[1], Path(sys.argv[2]), Path("/")
folder, store, mode, count, line, deadline, cpus = Path(sys.argv[3]), *sys.argv[4:10]
limits = {"materialize_above": 5, "max_idle": 3, "submit_deadline_s": float(deadline)}
bench = Bench(Known, mode, store, folder, **limits)
orders = [bench.order(number, line, cpus=int(cpus)) for number in range(int(count))]
"""
DIES_AFTER = """
import os, signal
act = bench.executor.batches.link
bench.executor.batches.link = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
bench.executor.submit(orders)
"""
DIES_BETWEEN = """
import os, signal, marshal
from autoctrl.executors.htcondor import schedd
program = Path(schedd.PROGRAM).read_text()
program = program.replace("self.schedd.spool(result)", "os.kill(os.getppid(), 9)")
schedd.PROGRAM = folder / "calls.py"
schedd.PROGRAM.write_text(program)
bench.executor.submit(orders)
"""


@pytest.fixture
def whole(htcondor: Pool) -> Iterator[Pool]:
    """Lend the pool to a test that breaks it."""
    yield htcondor
    if htcondor.pids():
        htcondor.resume()
    htcondor.start()


def submit_and_die(bench: Bench, how: str, count: int, line: str, cpus: int = 1) -> list[JobOrder]:
    """Have another controller submit jobs and be killed on its way; return their orders."""
    more = (str(count), line, str(bench.settings.submit_deadline_s), str(cpus))
    words = (
        bench.settings.schedd,
        str(bench.pool.config),
        str(bench.folder),
        bench.store,
        bench.settings.mode,
    )
    with python(SUBMITTER + how, *words, *more) as process:
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGKILL, errors
    return [bench.order(number, line, cpus=cpus) for number in range(count)]


@MODES
def test_jobs_of_a_killed_controller_are_found_and_start_once(htcondor: Pool, mode: str) -> None:
    """What was submitted by a controller that died before it could record it is found by its tags,
    and starts once.
    """
    bench = Bench(htcondor, mode, materialize_above=1000)
    ledger = bench.folder / "ledger"
    ledger.touch()
    ledger.chmod(0o666)
    orders = submit_and_die(bench, DIES_AFTER, 3, LEDGER.format(ledger, "true"))
    tags = [order.tag for order in orders]
    handles = until(lambda: bench.executor.find(tags), "the tags")
    assert list(handles) == tags
    reports = bench.settle(handles.values())
    assert {report.status for report in reports.values()} == {JobStatus.DONE}
    assert ledger_of(ledger) == dict.fromkeys(tags, ONCE)


def test_rows_of_a_killed_controller_that_are_not_materialised_are_found(htcondor: Pool) -> None:
    """Rows that HTCondor has not made into jobs yet are found by their tags, wait as idle, and can
    be removed.
    """
    bench = Bench(htcondor, "shared")
    orders = submit_and_die(bench, DIES_AFTER, 40, "true", cpus=999)
    tags = [order.tag for order in orders]
    handles = until(
        lambda: found if len(found := bench.opened().find(tags)) == len(tags) else None, "all tags"
    )
    assert handles is not None
    assert [job_id(handle).partition(".")[2] for handle in handles.values()] == [
        str(row) for row in range(40)
    ]
    assert len(bench.on_queue()) == 3
    reports = bench.executor.poll(list(handles.values()))
    assert {report.status for report in reports.values()} <= {JobStatus.IDLE, JobStatus.RUNNING}
    assert len(reports) == 40
    bench.executor.remove(list(handles.values()))
    assert {report.status for report in bench.settle(handles.values()).values()} == {
        JobStatus.REMOVED
    }


def test_a_cluster_that_was_cut_while_its_files_were_taken_in_is_removed(htcondor: Pool) -> None:
    """Jobs whose files were never sent completely do not count as submitted; their cluster is
    removed in time.
    """
    bench = Bench(htcondor, submit_deadline_s=1.0)
    orders = submit_and_die(bench, DIES_BETWEEN, 3, "true")
    tags = [order.tag for order in orders]
    assert bench.on_queue() == ["5"] * 3
    assert bench.executor.find(tags) == {}
    until(
        lambda: not bench.executor.find(tags) and not bench.on_queue(), "the end of the cut cluster"
    )
    assert any("was cut off" in remark for remark in bench.executor.remarks)
    handles = bench.opened(submit_deadline_s=30.0).submit(orders)
    assert {report.status for report in bench.settle(handles.values()).values()} == {JobStatus.DONE}


@MODES
def test_of_two_jobs_with_one_tag_the_younger_is_removed(htcondor: Pool, mode: str) -> None:
    """Two living jobs of one tag become one: the older stays, the younger is removed, and somebody
    is told.
    """
    bench = Bench(htcondor, mode)
    order = bench.order(1, WAIT)
    first = bench.executor.submit([order])[order.tag]
    second = bench.opened().submit([order])[order.tag]
    assert first != second
    assert bench.executor.find([order.tag]) == {order.tag: first}
    assert bench.end(second).status is JobStatus.REMOVED
    assert any("younger" in remark for remark in bench.executor.remarks)
    assert bench.wait_for(first, JobStatus.IDLE, JobStatus.RUNNING)
    bench.executor.remove([first])


def test_a_removed_job_of_a_killed_controller_is_found_in_the_history(htcondor: Pool) -> None:
    """A job that a person removed before its handle was recorded is not submitted again: its tag is
    found.
    """
    bench = Bench(htcondor)
    (order,) = submit_and_die(bench, DIES_AFTER, 1, WAIT)
    until(lambda: bench.executor.find([order.tag]), "the tag")
    bench.tool("condor_rm", "-name", htcondor.schedd, "-con", f'AutoctrlStore == "{bench.store}"')
    until(lambda: not bench.on_queue(), "the end in the queue")
    found = until(lambda: bench.opened().find([order.tag]), "the tag in the history")
    assert bench.end(found[order.tag]).status is JobStatus.REMOVED


@MODES
def test_a_schedd_that_is_killed_delays_and_loses_nothing(whole: Pool, mode: str) -> None:
    """While the schedd is gone there is no answer; afterwards all jobs are known, and each has
    started once.
    """
    bench = Bench(whole, mode)
    ledger = bench.folder / "ledger"
    ledger.touch()
    ledger.chmod(0o666)
    line = LEDGER.format(ledger, f"until [ -e {bench.folder}/go ]; do sleep 0.1; done")
    handles = bench.executor.submit([bench.order(number, line) for number in range(4)])
    until(lambda: len(ledger_of(ledger)) == 4, "the start of all jobs")
    os.kill(schedd_of(whole), signal.SIGKILL)
    until(lambda: answers(bench, list(handles.values())), "the schedd")
    assert bench.executor.find(handles) == handles
    (bench.folder / "go").touch()
    assert {report.status for report in bench.settle(handles.values()).values()} == {JobStatus.DONE}
    assert ledger_of(ledger) == dict.fromkeys(handles, ONCE)


def answers(bench: Bench, handles: list[str]) -> bool:
    """Say whether the schedd answers again."""
    try:
        return len(bench.executor.poll(handles)) == len(handles)
    except ServiceDown as error:
        assert "chedd" in str(error) or "collector" in str(error)  # noqa: PT017 - what it must say
        return False


def test_a_stopped_schedd_is_given_up_at_the_deadline(whole: Pool) -> None:
    """A schedd that accepts a connection and says nothing costs the deadline; afterwards everything
    is as it was.
    """
    bench = Bench(whole, query_deadline_s=8.0, submit_deadline_s=8.0)
    order = bench.order(1, "true")
    handle = bench.executor.submit([order])[order.tag]
    bench.executor.poll([handle])
    pid = schedd_of(whole)
    os.kill(pid, signal.SIGSTOP)
    for ask in (
        lambda: bench.executor.poll([handle]),
        lambda: bench.executor.submit([bench.order(2, "true")]),
    ):
        with pytest.raises(ServiceDown, match="did not answer within"):
            ask()
    os.kill(pid, signal.SIGCONT)
    assert bench.end(handle).status is JobStatus.DONE
    until(
        lambda: len(bench.on_queue()) == 1 or not bench.executor.find([bench.order(2, "true").tag]),
        "one job",
    )


def test_a_library_that_loads_slowly_does_not_count(
    htcondor: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the process that asks takes long to begin; the deadline is for the answer
    alone.
    """
    bench = Bench(htcondor, query_deadline_s=3.0)
    slow, load = bench.folder / "slow.py", "import htcondor2"
    slow.write_text(schedd.PROGRAM.read_text().replace(load, f"time.sleep(4)\n{load}", 1))
    monkeypatch.setattr(schedd, "PROGRAM", slow)
    assert bench.executor.ping().startswith(f"schedd {htcondor.schedd}")


def test_services_that_are_missing_are_told_apart(htcondor: Pool) -> None:
    """No collector, no such schedd, no permission and a broken configuration are different
    sentences.
    """
    bench = Bench(htcondor)
    assert (
        bench.executor.ping()
        == f"schedd {htcondor.schedd}, {version(bench)}: 0 idle, 0 running, 0 held of 0 jobs"
    )
    with pytest.raises(ServiceDown, match=r"collector 127\.0\.0\.1:1 does not answer"):
        bench.opened(collector="127.0.0.1:1").ping()
    with pytest.raises(ServiceDown, match="knows no schedd nobody@nowhere"):
        bench.opened(schedd="nobody@nowhere").ping()
    broken = bench.folder / "broken_config"
    broken.write_text("use ROLE : none\n")
    with pytest.raises(ServiceDown, match=rf"{broken}.*Look at collector and config"):
        bench.opened(config=str(broken)).ping()
    config = bench.folder / "nobody_config"
    lines = [f"include : {htcondor.config}", "SEC_CLIENT_AUTHENTICATION_METHODS = IDTOKENS"]
    empty = [f"SEC_TOKEN_{kind}DIRECTORY = {bench.folder}/nothing" for kind in ("", "SYSTEM_")]
    config.write_text("\n".join([*lines, *empty]) + "\n")
    with pytest.raises(ServiceDown, match="does not let us"):
        bench.opened(config=str(config)).submit([bench.order(1, "true")])


def version(bench: Bench) -> str:
    """Return HTCondor's version as a ping says it."""
    words = bench.tool("condor_version").split()
    return f"HTCondor {words[1]}"


def test_a_token_is_as_good_as_a_user(htcondor: Pool) -> None:
    """With a token as the only proof of who we are, a job is submitted, runs, comes back and is
    acknowledged.
    """
    bench = Bench(htcondor, config=str(htcondor.token_config))
    handle = bench.submit("echo data > x", outputs={"x": "x"})
    assert bench.end(handle).status is JobStatus.DONE
    bench.executor.acknowledge([handle])
    until(lambda: not bench.on_queue(), "the end in the queue")


def test_jobs_are_asked_for_where_they_were_submitted(htcondor: Pool) -> None:
    """After the settings name another schedd, jobs of the old one are still found, polled and
    removed there.
    """
    bench = Bench(htcondor)
    order = bench.order(1, WAIT)
    handle = bench.executor.submit([order])[order.tag]
    after = bench.opened(schedd=htcondor.second_schedd)
    assert (after.place, bench.executor.place) == (htcondor.second_schedd, htcondor.schedd)
    assert after.find([order.tag]) == {}
    assert bench.opened(schedd=htcondor.second_schedd, place=htcondor.schedd).find([order.tag]) == {
        order.tag: handle
    }
    until(lambda: after.poll([handle])[handle].status is JobStatus.RUNNING, "the job")
    after.remove([handle])
    report = bench.end(handle)
    assert (report.status, report.failure) == (JobStatus.REMOVED, Failure.REMOVED)
    other = after.submit([bench.order(2, "true")])
    assert next(iter(other.values())).startswith(htcondor.second_schedd)
    after.remove(list(other.values()))


def test_this_machines_schedd_has_a_name_without_asking(htcondor: Pool) -> None:
    """Without a schedd in the settings the place is the name that HTCondor's configuration gives
    this machine's.
    """
    bench = Bench(htcondor, schedd="")
    assert bench.executor.place == htcondor.schedd
    assert json.dumps(bench.executor.place) in json.dumps(
        bench.executor.ping().split()[1].rstrip(",")
    )
