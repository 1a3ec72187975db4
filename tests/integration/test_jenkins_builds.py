"""Builds are started, followed and shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import JenkinsError, UsageError
from autoctrl.operations.jenkins import (
    Built,
    find_offline_nodes,
    follow_build,
    ping_jenkins,
    trigger_job,
)
from autoctrl.operations.jenkins.server import Server
from tests.acceptance.project import ask
from tests.fakes.jenkins import Outcome
from tests.integration.jenkins_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.jenkins_site import Site

DEPLOY = {"ENVIRONMENT": "mirror", "REF": "try/this"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Make a project and a Jenkins that has its jobs, with a node for them."""
    with open_site(tmp_path) as opened:
        opened.server.add_node("cern-1", ["autoctrl"])
        opened.server.run_with(lambda _: Outcome(seconds=30))
        assert opened.ask("sync").code == 0
        yield opened


def follow(site: Site, job: str, pause: Callable[[float], None]) -> list[str | Built]:
    """Start a build and return all that is told of it."""
    settings = site.settings()
    return list(follow_build(settings, trigger_job(settings, job, {}), pause=pause))


def test_a_build_is_queued_and_an_equal_one_joins_it(site: Site) -> None:
    """A job that waits already is not doubled, with parameters or without."""
    settings = site.settings()
    for job, given in (("discover", {}), ("deploy", DEPLOY)):
        first, second = (trigger_job(settings, job, given) for _ in range(2))
        assert (first.is_folded, second.is_folded) == (False, True)
        assert first.queue_id == second.queue_id
        assert first.address == f"{site.server.url}/job/autoctrl/job/{job}/"
    other = trigger_job(settings, "deploy", {**DEPLOY, "REF": "try/that"})
    assert not other.is_folded
    said = site.ask("trigger", "discover")
    assert said.out.startswith("An equal build waits already; this joins it: item ")


def test_a_build_is_followed_to_its_end(site: Site) -> None:
    """What it waits for is told once, then that it runs, then what became of it."""
    told = follow(site, "discover", site.server.tick)
    assert isinstance(told[0], str)
    assert told[0].startswith("In the quiet period.")
    assert told[-2:] == [
        f"#1 runs: {site.server.url}/job/autoctrl/job/discover/1/",
        Built("SUCCESS", f"{site.server.url}/job/autoctrl/job/discover/1/"),
    ]


def test_a_build_whose_item_the_queue_forgot_is_found(site: Site) -> None:
    """Five minutes after a build began only the build knows its item."""
    told = follow(site, "watch", lambda _: site.server.tick(400))
    assert isinstance(told[-1], Built)
    assert told[-1].result == "SUCCESS"


def test_a_build_that_is_gone_is_told(site: Site) -> None:
    """An item that neither the queue nor a build knows is an error."""
    settings = site.settings()
    lost = trigger_job(settings, "watch", {})._replace(queue_id=999)
    with pytest.raises(JenkinsError, match="Jenkins has forgotten item 999 of its queue"):
        list(follow_build(settings, lost))


def test_a_build_may_fail_or_be_cancelled(site: Site) -> None:
    """What was no success is the exit code 1 of --wait."""
    site.server.run_with(lambda _: Outcome(result="FAILURE"), "autoctrl/discover")
    assert follow(site, "discover", site.server.tick)[-1][0] == "FAILURE"
    settings = site.settings()
    waiting = trigger_job(settings, "watch", {})
    Server.of(settings)._client.cancel_queue(waiting.queue_id)
    built = list(follow_build(settings, waiting))[-1]
    assert built == Built("CANCELLED", f"{site.server.url}/job/autoctrl/job/watch/")


def test_a_jenkins_that_restarts_meanwhile_is_waited_for(site: Site) -> None:
    """503 while a build is followed is told, and asked again."""
    site.server.be_starting(times=3, where="GET /queue/")
    told = follow(site, "discover", site.server.tick)
    assert isinstance(told[0], str)
    assert "is starting" in told[0]
    assert len([one for one in told if "is starting" in str(one)]) == 1
    assert isinstance(told[-1], Built)


def test_a_jenkins_that_stays_silent_is_given_up(site: Site) -> None:
    """After five minutes without an answer following ends; nobody waits for ever."""
    site.server.be_starting(times=1000, where="GET /queue/")
    with pytest.raises(JenkinsError, match="is starting"):
        follow(site, "discover", lambda _: None)


def test_builds_that_cannot_be_started_are_told(site: Site) -> None:
    """Disabled, shutting down, decided against, not there: one sentence each."""
    settings = site.settings()
    site.server.refuse_queueing("autoctrl/watch")
    with pytest.raises(JenkinsError, match="does not take builds of autoctrl/watch now"):
        trigger_job(settings, "watch", {})
    site.server.job("autoctrl/discover").is_disabled = True
    with pytest.raises(JenkinsError, match="autoctrl/discover is disabled, or its folder is: 409"):
        trigger_job(settings, "discover", {})
    with pytest.raises(UsageError, match="Did you mean 'cycle-reco'"):
        trigger_job(settings, "cycle-recoo", {})
    asked = len(site.server.posts())
    with pytest.raises(UsageError, match="has no parameter 'REFERENCE'"):
        trigger_job(settings, "deploy", {"REFERENCE": "main"})
    assert len(site.server.posts()) == asked


def test_trigger_says_what_it_did(site: Site) -> None:
    """The command prints item and page, as text and as JSON."""
    said = site.ask("trigger", "deploy", "--parameter", "ENVIRONMENT=mirror")
    assert said.code == 0
    assert said.out.startswith("Queued: item ")
    values = site.read("trigger", "cycle-reco")
    assert (values["job"], values["is_folded"]) == ("cycle-reco", False)
    assert "not of the form NAME=VALUE" in site.ask("trigger", "deploy", "--parameter", "x").err


def test_status_shows_each_job_and_each_node_that_is_offline(site: Site) -> None:
    """Newest result, what goes on, why a build waits, when it is started; exit code 1 if bad."""
    site.server.run_with(lambda _: Outcome(result="UNSTABLE"), "autoctrl/cycle-reco")
    for job in ("discover", "cycle-reco"):
        trigger_job(site.settings(), job, {})
    site.server.tick(10)
    site.server.tick(60)
    trigger_job(site.settings(), "watch", {})
    states = {one["name"]: one for one in site.read("status")["jobs"]}
    assert states["autoctrl/discover"]["result"] == "SUCCESS"
    assert states["autoctrl/cycle-reco"]["result"] == "UNSTABLE"
    assert states["autoctrl/watch"]["now"].startswith("In the quiet period.")
    said = site.ask("status")
    assert said.code == 1
    assert "autoctrl/cycle-reco  UNSTABLE  20" in said.out
    assert "offline" not in said.out


def test_only_nodes_of_ours_that_are_offline_are_told(site: Site) -> None:
    """With a label only nodes that have it count, with its reason."""
    assert find_offline_nodes(site.settings()) == []
    site.server.add_node("other-1", ["other"])
    site.server.take_offline("other-1", "not ours")
    site.server.take_offline("cern-1", "the disk is full")
    assert find_offline_nodes(site.settings()) == [("cern-1", "the disk is full")]
    assert "Node cern-1 is offline: the disk is full" in site.ask("status").out
    watched = ask(site.folder, "watch", "--format", "json")
    found = [one for one in json.loads(watched.out)["conditions"] if one["kind"] == "node"]
    assert [(one["about"], one["reason"]) for one in found] == [("cern-1", "the disk is full")]
    site.set('agent = ""\n')
    assert [node.name for node in find_offline_nodes(site.settings())] == ["cern-1", "other-1"]


def test_status_says_what_is_missing(site: Site) -> None:
    """A workflow that sync has not seen has no job yet, and says what makes it."""
    site.add_workflows("plots")
    said = site.ask("status")
    assert said.code == 1
    assert "autoctrl/cycle-plots  missing" in said.out
    assert "autoctrl jenkins sync makes it" in said.out


def test_a_ping_counts_the_jobs(site: Site) -> None:
    """Who asks whether Jenkins works is told how many jobs it has, or that it has no folder."""
    assert ping_jenkins(site.settings()) == f"4 jobs in autoctrl at {site.server.url}"
    site.set('folder = "elsewhere"\n')
    with pytest.raises(JenkinsError, match="has no folder elsewhere that we may see"):
        ping_jenkins(site.settings())
