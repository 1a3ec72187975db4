"""An hour of Jenkins: its timers alone bring raw runs to done, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.jenkins_camera import (
    AFTER,
    BEFORE,
    BIN,
    CHAIN,
    FOLDER,
    ROOT,
    Site,
    node_environment,
)
from tests.acceptance.jenkins_camera import open_site as open_camera
from tests.acceptance.project import LIMIT_S, ask
from tests.fakes.jenkins import GroovyRunner, Jenkins, ShellRunner, plan
from tests.integration.hooking import a_listener, deliver, make_noting_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TICK_S, TICKS = 300, 12
DONE = (
    *("camera-pedestal/4500", "camera-pedestal/4502", "camera-reco/4501"),
    *("camera-friends/4501", "camera-dq/4501", "camera-trend/fill:2125"),
)
WAKING = """
[hooks]
wake = "jenkins"
wake_jobs = "discover cycle-note"

[jenkins]
url = "{url}"
user = "robot"
token_file = "token"
home = "{home}"
path = "{path}"
cron = "H/5 * * * *"
"""


@pytest.fixture(scope="module")
def groovy() -> Iterator[GroovyRunner]:
    """Return what executes Jenkinsfiles, started once."""
    with GroovyRunner() as runner:
        yield runner


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Bring the camera's jobs to a Jenkins; a pedestal run and a physics run are there."""
    with open_camera(tmp_path) as opened:
        said = ask(opened.folder, "jenkins", "sync")
        assert said.code == 0, said.err
        opened.simulate("--runs 4500-4501")
        yield opened


def tick(site: Site, times: int = 1) -> None:
    """Let five minutes pass, then wait for the jobs that were submitted."""
    for _ in range(times):
        site.server.tick(TICK_S, wait_s=LIMIT_S)
        site.wait_for_jobs()


def run_lines(site: Site, groovy: GroovyRunner) -> None:
    """Let further builds run the lines that Groovy finds in the Jenkinsfiles."""
    for name in CHAIN:
        planned = plan(groovy, (ROOT / f"workflows/{name}/Jenkinsfile").read_text())
        assert planned.agent == "autoctrl"
        site.server.run_with(ShellRunner(planned), f"{FOLDER}/cycle-{name}")


def work_by_hand(site: Site, workflow: str) -> subprocess.CompletedProcess[str]:
    """Run a handler as a person on a node does."""
    return subprocess.run(
        [site.folder / "workflows" / workflow / "handler.py"],
        env={**os.environ, **node_environment(site.folder)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.timeout(900)
def test_an_hour_of_timers_brings_raw_runs_to_done(site: Site, groovy: GroovyRunner) -> None:
    """Through five workflows, by the jobs alone: a node is lost, a build is aborted, Jenkins is
    restarted, a person works beside a build. Each attempt runs once, no trigger is lost or doubled.
    """
    server = site.server
    asked = len(server.ledger)
    server.run_with(groovy)
    tick(site)
    assert Counter(one.job.name for one in server.builds) == Counter(f"cycle-{n}" for n in CHAIN)
    assert all(build.reports == [f"{build.job.name}.xml"] for build in server.builds)
    run_lines(site, groovy)
    server.take_offline("pit-1", "no power")
    tick(site)
    server.bring_online("pit-1")
    with site.holding("camera-reco", BEFORE) as aborted:
        server.stop_build(aborted)
        server.wait_for(aborted)
    tick(site, 2)
    with site.holding("camera-friends", AFTER) as restarted:
        server.restart()
    site.wait_for_jobs()
    tick(site)
    site.simulate("--runs 4502 --kind pedestal --fill 2126")
    with site.holding("camera-pedestal", BEFORE):
        refused = work_by_hand(site, "camera-pedestal")
    assert "The lease prompt/camera-pedestal is held by process" in refused.stderr
    site.wait_for_jobs()
    tick(site)
    lose_all_nodes(site)
    tick(site)
    site.check_once(DONE)
    assert [one for one in server.builds if one.result != "SUCCESS"] == [aborted, restarted]
    check_triggers(site)
    assert server.posts(asked) == []
    assert "0 changes would be made" in ask(site.folder, "jenkins", "sync", "--dry-run").out
    check_latency(site)


def lose_all_nodes(site: Site) -> None:
    """Let ten minutes pass, in the first six of which no node is there: builds wait, and join."""
    server = site.server
    builds = len(server.builds)
    for node in ("pit-1", "pit-2"):
        server.take_offline(node, "no network")
    server.tick(TICK_S + 60)
    assert len(server.builds) == builds
    for node in ("pit-1", "pit-2"):
        server.bring_online(node)
    server.tick(TICK_S - 60, wait_s=LIMIT_S)
    site.wait_for_jobs()


def check_triggers(site: Site) -> None:
    """Check that each job's timer was heard each time, and that no build but those was made."""
    builds, causes = site.server.builds, Counter[str]()
    assert {cause.text for build in builds for cause in build.causes} == {"Started by timer"}
    for build in builds:
        causes[build.job.name] += len(build.causes)
        assert [line.status for line in build.lines] == [0 if build.result == "SUCCESS" else 143]
    often = {f"cycle-{name}": TICKS for name in CHAIN}
    assert causes == often | dict.fromkeys(("cycle-camera-dq", "cycle-camera-trend"), TICKS // 2)
    assert site.server.state.waiting() == []
    assert max(len(build.causes) for build in builds) == 2


def check_latency(site: Site) -> None:
    """Check that every stage of every task is known, and none took less than nothing."""
    stages = json.loads(ask(site.folder, "latency", "--format", "json").out)["stages"]
    tasks = Counter(name.partition("/")[0] for name in DONE)
    assert len(stages) == 8 * len(CHAIN)
    assert all(row["tasks"] == tasks[row["workflow"]] for row in stages)
    assert all(0 <= row["median_s"] <= row["p95_s"] for row in stages)


@pytest.fixture
def told(tmp_path: Path, groovy: GroovyRunner) -> Iterator[Jenkins]:
    """Deploy a project that is told of runs, and bring its jobs to a Jenkins with a node."""
    with Jenkins() as server:
        settings = make_noting_project(tmp_path) / "autoctrl.toml"
        places = {"url": server.url, "home": tmp_path, "path": BIN}
        settings.write_text('name = "notes"\n' + settings.read_text() + WAKING.format(**places))
        (tmp_path / "token").write_text(server.add_user("robot").token)
        server.add_node("pit-1", ["autoctrl"], environment={"PYTHONPATH": str(ROOT)})
        server.read_labels()
        server.run_with(groovy)
        said = ask(tmp_path, "jenkins", "sync")
        assert said.code == 0, said.err
        yield server


def statuses(folder: Path) -> dict[int, str]:
    """Return how each run stands."""
    runs = json.loads(ask(folder, "status", "--format", "json").out)["runs"]
    return {run["run"]: run["status"] for run in runs}


def test_what_is_told_is_done_by_a_build(told: Jenkins, tmp_path: Path) -> None:
    """A delivery triggers the jobs; while they wait further ones join. A Jenkins that is away loses
    none.
    """
    before = len(told.posts())
    with a_listener(tmp_path) as listener:
        assert deliver(listener.port, {"run": 7}).status == 202
        told.wait_until(lambda: len(told.posts()) == before + 2)
        assert deliver(listener.port, {"run": 8}).status == 202
        told.wait_until(lambda: len(told.posts()) == before + 4)
        assert [len(item.causes) for item in told.state.waiting()] == [2, 2]
        told.tick(10, wait_s=LIMIT_S)
        assert [build.job.name for build in told.builds] == ["discover", "cycle-note"]
        assert statuses(tmp_path) == {7: "done", 8: "done"}
        told.stop()
        assert deliver(listener.port, {"run": 9}).status == 202
        assert listener.process.stderr is not None
        line = listener.process.stderr.readline()
    assert line.startswith("hooks: Jenkins was not asked for discover and cycle-note: ")
    assert "gave no answer" in line
    told.start()
    told.tick(TICK_S, wait_s=LIMIT_S)
    assert statuses(tmp_path) == {7: "done", 8: "done", 9: "done"}
    assert {build.result for build in told.builds} == {"SUCCESS"}
