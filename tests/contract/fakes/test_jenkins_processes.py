"""Processes that builds of the fake of Jenkins start, and when they are killed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.contract.fakes.jenkins_scene import (
    NO_RESUME,
    Person,
    parameter,
    parameters,
    pipeline,
    timer,
    wait_for_file,
)
from tests.fakes.jenkins import Build, Cause, Jenkins, Outcome, Run, Site
from tests.fakes.jenkins.killer import holders
from tests.fakes.jenkins.shell import Wish, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CAUSE = Cause("hudson.model.Cause$UserIdCause", "Started by user eve", "eve")


@pytest.fixture
def server() -> Iterator[Jenkins]:
    with Jenkins(Site(soft_kill_seconds=0.5)) as server:
        yield server


@pytest.fixture
def eve(server: Jenkins) -> Person:
    return Person(server.port, "eve", server.add_user("eve").token)


def shell(script: str) -> Callable[[Run], Outcome]:
    """Return a runner of a script."""

    def run(run: Run) -> Outcome:
        done = execute(run, Wish(script, {}, run.workspace))
        return Outcome("FAILURE" if done.status else "SUCCESS")

    return run


def begun(server: Jenkins, script: str) -> tuple[Build, Path]:
    """Start a build whose script makes a file, and wait in real time until it has."""
    server.run_with(shell(script))
    server.add_item("a/b", pipeline(NO_RESUME))
    server.engine.queue.add(server.job("a/b"), {}, CAUSE, 0)
    server.tick(wait_s=0)
    (build,) = server.builds
    assert build.run is not None
    flag = build.run.workspace / "begun"
    wait_for_file(flag)
    return build, flag


# The process that the script leaves behind has a session of its own.
LEAVE = "setsid sleep 300 & sleep 0.1; touch begun; "


def test_a_stopped_build_takes_its_processes_along(server: Jenkins, eve: Person) -> None:
    """Whatever holds the cookie of a build is killed with it, even in another session."""
    build, _ = begun(server, f"{LEAVE}sleep 300")
    assert build.run is not None
    assert len(holders(build.run.cookie)) >= 2
    assert eve.post("/job/a/job/b/1/stop").status == 302
    assert server.wait_for(build).result == "ABORTED"
    assert holders(build.run.cookie) == []
    assert "Aborted by eve" in build.console


def test_what_a_build_leaves_behind_is_killed_at_its_end(server: Jenkins) -> None:
    """A process that outlives its build is killed, one without the cookie is not."""
    script = "JENKINS_NODE_COOKIE=dontKillMe setsid sleep 300 & echo $! > alive"
    build, flag = begun(server, f"{LEAVE}{script}")
    assert server.wait_for(build).result == "SUCCESS"
    assert build.run is not None
    assert holders(build.run.cookie) == []
    pid = int((flag.parent / "alive").read_text())
    os.kill(pid, 0)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_who_ignores_the_first_signal_is_killed(server: Jenkins) -> None:
    """SIGTERM comes first, SIGKILL to those that stay."""
    build, _ = begun(server, "trap '' TERM; touch begun; while :; do sleep 0.2; done")
    server.stop_build(build)
    assert server.wait_for(build).result == "ABORTED"


def test_a_restart_ends_what_must_not_resume(server: Jenkins) -> None:
    """A restart kills the processes of a build that does not resume."""
    build, _ = begun(server, "touch begun; sleep 300")
    server.restart()
    assert build.result == "ABORTED"
    assert "marked to not resume" in build.console
    assert build.run is not None
    assert holders(build.run.cookie) == []


def test_a_timer_runs_lines_with_parameters(server: Jenkins) -> None:
    """A timer gives the parameters their defaults, which are variables of the lines."""
    server.run_with(shell("#!/bin/sh\necho run $RUN of $JOB_NAME"))
    server.add_item(
        "a/b", pipeline(timer("* * * * *") + parameters(parameter("String", "RUN", "7")))
    )
    server.tick(120)
    assert [build.console.splitlines()[1] for build in server.builds] == ["run 7 of a/b"] * 2
