"""How jobs reach a real HTCondor pool: templates, clusters, late materialisation, hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import SettingsError, SubmitRefused
from autoctrl.model.status import JobStatus
from tests.integration.condor import Bench, job_id
from tests.integration.jobs import WAIT, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services import Pool


def project_of(folder: Path, block: str, content: str) -> tuple[Path, Path]:
    """Write a project's template that overrides one block; return the folders of templates and
    workflows.
    """
    (folder / "templates/htcondor").mkdir(parents=True)
    text = f'{{% extends "job.sub.j2" %}}\n{{% block {block} %}}\n{content}\n{{% endblock %}}\n'
    (folder / "templates/htcondor/job.sub.j2").write_text(text)
    return folder / "templates", folder / "workflows"


def test_each_workflow_has_its_cluster(htcondor: Pool) -> None:
    """One call makes one cluster for each workflow, with its name, and a row for each job in the
    order given.
    """
    bench = Bench(htcondor)
    reco = [bench.order(number, "true") for number in range(3)]
    other = bench.order(9, "true")._replace(tag=f"{bench.store}/prompt/quality/9/v1/0.1")
    handles = bench.executor.submit([reco[0], other, *reco[1:]])
    clusters = {
        tag.split("/")[2]: job_id(handle).partition(".")[0] for tag, handle in handles.items()
    }
    assert len(set(clusters.values())) == 2
    rows = [job_id(handles[order.tag]).partition(".")[2] for order in reco]
    assert rows == ["0", "1", "2"]
    assert sorted(bench.on_queue("AutoctrlWorkflow")) == ["quality", "reco", "reco", "reco"]
    bench.settle(handles.values())


def test_what_is_asked_for_is_on_the_ad(htcondor: Pool) -> None:
    """Memory, cores, time and hosts to avoid are the job's own; accounting group and requirements
    the settings'.
    """
    bench = Bench(htcondor, accounting_group="group_x", requirements="TARGET.Cpus > 998")
    orders = [
        bench.order(1, WAIT, memory_mb=500, cpus=2, time_limit_s=77),
        bench.order(2, WAIT, avoid=("n1", "n2")),
    ]
    handles = bench.executor.submit(orders)
    found = bench.on_queue(
        "ProcId", "RequestMemory", "RequestCpus", "AllowedExecuteDuration", "AccountingGroup"
    )
    assert sorted(found) == [
        f"{row} group_x.{htcondor.job_user}" for row in ("0 500 2 77", "1 64 1 60")
    ]
    assert set(bench.on_queue("AcctGroup", "AcctGroupUser")) == {f"group_x {htcondor.job_user}"}
    assert any("n1,n2" in line for line in bench.on_queue("Rank", form="-af:r"))
    assert all("TARGET.Cpus > 998" in line for line in bench.on_queue("Requirements", form="-af:r"))
    bench.executor.remove(list(handles.values()))


def test_a_template_changes_what_is_submitted(htcondor: Pool, tmp_path: Path) -> None:
    """A project's template is what HTCondor gets, and what provenance is told; it names no job and
    no batch.
    """
    folders = project_of(tmp_path, "more", '+Experiment = "camera"\npriority = 7')
    bench = Bench(htcondor)
    executor = bench.opened(templates=folders)
    (handle,) = executor.submit([bench.order(1, WAIT)]).values()
    assert bench.on_queue("Experiment", "JobPrio") == ["camera 7"]
    (text,) = executor.describe("reco").values()
    assert "priority = 7" in text.splitlines()
    (submitted,) = (bench.folder / "jobs").rglob("job.sub")
    assert text in submitted.read_text()
    assert executor.describe("reco") == bench.opened(templates=folders).describe("reco")
    executor.remove([handle])


def test_a_template_that_htcondor_refuses_is_a_clear_no(htcondor: Pool, tmp_path: Path) -> None:
    """What HTCondor itself refuses is a refusal with its words; a misspelt command never gets that
    far.
    """
    bench = Bench(htcondor)
    refused = bench.opened(
        templates=project_of(tmp_path / "a", "requirements", "requirements = ((")
    )
    with pytest.raises(SubmitRefused, match="Parse error"):
        refused.submit([bench.order(1, "true")])
    misspelt = bench.opened(templates=project_of(tmp_path / "b", "more", "request_memroy = 5"))
    for ask in (lambda: misspelt.submit([bench.order(1, "true")]), misspelt.ping):
        with pytest.raises(SettingsError, match="request_memory"):
            ask()
    assert bench.on_queue() == []


def test_a_setting_that_htcondor_refuses_is_named(htcondor: Pool) -> None:
    """A refusal about a setting names the setting; a file that is not there is found before
    HTCondor is asked.
    """
    bench = Bench(htcondor)
    order = bench.order(1, "true")
    for wrong in ({"requirements": "(("}, {"accounting_group": "a b"}):
        with pytest.raises(
            SubmitRefused, match=rf"[^.]\. Look at {next(iter(wrong))} in \[executors.cern\]\.$"
        ):
            bench.opened(**wrong).submit([order])
    lacking = bench.opened(x509_proxy="proxy", folder=bench.folder)
    for ask in (lambda: lacking.submit([order]), lacking.ping):
        with pytest.raises(
            SubmitRefused, match=f"needs {bench.folder}/proxy, which does not exist"
        ):
            ask()
    assert bench.on_queue() == []


def test_many_jobs_are_materialised_late(htcondor: Pool) -> None:
    """Of a large submission only some jobs are in the queue; all are idle, each runs, and all are
    acknowledged.
    """
    bench = Bench(htcondor, "shared", materialize_above=10, max_idle=4)
    orders = [
        bench.order(number, "echo $AUTOCTRL_TAG > x", outputs={"x": "x"}) for number in range(30)
    ]
    handles = bench.executor.submit(orders)
    reports = bench.executor.poll(list(handles.values()))
    assert len(reports) == 30
    assert len({job_id(handle).partition(".")[0] for handle in handles.values()}) == 1
    assert len(bench.on_queue()) < 30
    assert {report.status for report in bench.settle(handles.values()).values()} == {JobStatus.DONE}
    for order in orders:
        number = order.tag.split("/")[3]
        assert (bench.folder / f"outputs/{number}/x").read_text() == f"{order.tag}\n"
    bench.executor.acknowledge(list(handles.values()))
    until(lambda: not bench.on_queue(), "the end in the queue")


def test_a_row_that_is_not_materialised_can_be_removed(htcondor: Pool) -> None:
    """A row that is removed before HTCondor made a job of it never starts; the others run."""
    bench = Bench(htcondor, "shared", materialize_above=3, max_idle=1)
    orders = [
        bench.order(number, WAIT if number < 2 else "true", cpus=1 + 15 * (number < 2))
        for number in range(6)
    ]
    handles = list(bench.executor.submit(orders).values())
    bench.executor.remove(handles[4:])
    ended = bench.settle(handles[4:])
    assert {report.status for report in ended.values()} == {JobStatus.REMOVED}
    bench.executor.remove(handles[:2])
    reports = bench.settle(handles)
    assert [reports[handle].status for handle in handles] == [
        *[JobStatus.REMOVED] * 2,
        *[JobStatus.DONE] * 2,
        *[JobStatus.REMOVED] * 2,
    ]
    until(lambda: bench.on_queue() == ["4", "4"], "only the finished jobs in the queue")


def test_where_files_travel_many_jobs_become_several_clusters(htcondor: Pool) -> None:
    """HTCondor cannot materialise late what it takes files for, so a large submission is made in
    parts.
    """
    bench = Bench(htcondor, materialize_above=2)
    handles = bench.executor.submit([bench.order(number, "true") for number in range(3)])
    assert len(handles) == 3
    assert len({job_id(handle).partition(".")[0] for handle in handles.values()}) == 2
    assert {report.status for report in bench.settle(handles.values()).values()} == {JobStatus.DONE}


def test_further_files_and_hints_travel_with_a_job(htcondor: Pool) -> None:
    """Files of the settings lie beside the job; the command for hints can be run, its token is
    found on the node.
    """
    bench = Bench(htcondor)
    (bench.folder / "geometry.json").write_text("{}")
    (bench.folder / "token").write_text("t")
    hints = {
        "AUTOCTRL_HINTS_URL": "http://127.0.0.1:1/x/y",
        "AUTOCTRL_HINTS_TOKEN_FILE": str(bench.folder / "token"),
    }
    executor = bench.opened(folder=bench.folder, transfer_input="geometry.json", hints=hints)
    line = (
        'cat "$_CONDOR_SCRATCH_DIR/geometry.json" "$AUTOCTRL_HINTS_TOKEN_FILE" > x; python3 '
        '"$AUTOCTRL_HINT" a=1'
    )
    (handle,) = executor.submit([bench.order(1, line, outputs={"x": "x"})]).values()
    report = bench.end(handle)
    assert "hint: not kept" in executor.log(handle, "stderr"), report
    places = [path.read_text() for path in (bench.folder / "outputs").rglob("x")]
    assert places in ([], ["{}t"])  # the job fails with the exit code of the hint, or not
