"""Sync brings Jenkins to what the settings say, and does nothing when it is there."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.project import environment
from tests.fakes.http import Fault
from tests.integration.jenkins_site import MIRROR, open_site
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jenkins_site import Site

ITEMS = [
    "autoctrl",
    "autoctrl/discover",
    "autoctrl/deploy",
    "autoctrl/watch",
    "autoctrl/cycle-reco",
    "autoctrl-mirror",
]
WORKFLOWS = 200


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Make a project and an empty Jenkins."""
    with open_site(tmp_path) as opened:
        yield opened


def test_an_empty_jenkins_gets_everything(site: Site) -> None:
    """A dry run says it and sends nothing; then each item is sent once."""
    said = site.ask("sync", "--dry-run")
    assert said.code == 0
    assert said.out.splitlines() == [
        "create  autoctrl             folder",
        "create  autoctrl/discover    pipeline, H * * * *",
        "create  autoctrl/deploy      pipeline, by hand",
        "create  autoctrl/watch       pipeline, H/10 * * * *",
        "create  autoctrl/cycle-reco  pipeline, H * * * *",
        "create  autoctrl-mirror      multibranch, branches try/.*",
        "6 changes would be made; 0 are as they shall be.",
    ]
    assert not site.server.posts()
    said = site.ask("sync")
    assert said.out.splitlines()[-1] == "6 changes made; 0 were as they shall be."
    assert [post.status for post in site.server.posts()] == [200] * 6
    assert all(site.server.item(name) is not None for name in ITEMS)


def test_a_second_sync_sends_nothing_and_asks_little(site: Site) -> None:
    """With 200 workflows a second sync makes no POST, and one GET for each job and three more."""
    site.add_workflows(*(f"w{number:03d}" for number in range(WORKFLOWS - 1)))
    assert site.ask("sync").code == 0
    asked = len(site.server.ledger)
    said = site.ask("sync")
    again = site.server.ledger[asked:]
    items = WORKFLOWS + len(ITEMS) - 1
    assert said.out == f"0 changes made; {items} were as they shall be.\n"
    assert {entry.method for entry in again} == {"GET"}
    assert len(again) == items + 1


def test_without_a_deployed_folder_cycles_are_checked_out(site: Site) -> None:
    """A job whose Jenkinsfile lies in a repository is kept as well."""
    file = site.folder / "autoctrl.toml"
    text = file.read_text().replace("home =", "repository_login = 'key'\nrepository =")
    file.write_text(text.replace("/srv/camera/current", "https://git.example.org/camera.git"))
    assert site.actions() == {
        "autoctrl": "create",
        "autoctrl/cycle-reco": "create",
        "autoctrl-mirror": "create",
    }
    assert set(site.actions().values()) == {"keep"}


def test_a_change_by_hand_is_seen_and_set_back(site: Site) -> None:
    """What a person changed in Jenkins is shown by a dry run, and overwritten by a sync."""
    site.ask("sync")
    spec = "properties/*/triggers/hudson.triggers.TimerTrigger/spec"
    found = site.server.job("autoctrl/watch").config.find(spec)
    assert found is not None
    found.text = "H H * * *"
    said = site.ask("sync", "--dry-run")
    assert said.out.splitlines()[0] == (
        "update  autoctrl/watch  cron 'H H * * *' → 'H/10 * * * *' (changed in Jenkins since the "
        "last sync)"
    )
    assert len(site.server.posts()) == len(ITEMS)
    assert site.actions()["autoctrl/watch"] == "update"
    assert site.server.job("autoctrl/watch").config.findtext(spec) == "H/10 * * * *"
    assert set(site.actions().values()) == {"keep"}


def test_a_change_of_the_settings_is_sent_to_the_jobs_that_it_concerns(site: Site) -> None:
    """Another cron of a workflow is one POST."""
    site.ask("sync")
    before = len(site.server.ledger)
    site.set(f'{MIRROR}[workflows.reco]\ncron = "H/5 * * * *"\n')
    assert "cron 'H * * * *' → 'H/5 * * * *'\n" in site.ask("sync").out
    assert [post.path for post in site.server.posts(before)] == [
        "/job/autoctrl/job/cycle-reco/config.xml"
    ]


def test_what_is_not_ours_is_refused_until_it_is_adopted(site: Site) -> None:
    """A job of our name without our mark makes the exit code 1; all others are made."""
    theirs = b"<flow-definition><description>by hand</description></flow-definition>"
    site.server.add_item("autoctrl/watch", theirs)
    said = site.ask("sync")
    assert said.code == 1
    assert said.out.startswith("refuse  autoctrl  It is not marked as ours.")
    assert not site.server.posts()
    actions = site.actions("--adopt")
    assert (actions["autoctrl"], actions["autoctrl/watch"]) == ("adopt", "adopt")
    site.server.add_item("autoctrl/theirs", theirs)
    assert set(site.actions("--prune").values()) == {"keep"}
    assert site.server.item("autoctrl/theirs") is not None


def test_two_environments_do_not_take_each_others_jobs(site: Site) -> None:
    """Another project, or the same in another environment, is told whose the folder is."""
    site.ask("sync")
    file = site.folder / "autoctrl.toml"
    file.write_text(file.read_text().replace('name = "camera"', 'name = "other"'))
    said = site.ask("sync")
    assert said.code == 1
    assert "It is marked as that of 'camera'." in said.out


def test_what_nobody_wants_any_more_is_removed_when_asked_for(site: Site) -> None:
    """A workflow that is gone leaves its job, until --prune removes it; the mirror too."""
    site.ask("sync")
    (site.folder / "workflows/reco/handler.py").unlink()
    site.set("")
    said = site.ask("sync")
    assert "leave   autoctrl/cycle-reco  no longer wanted; --prune removes it" in said.out
    assert site.server.item("autoctrl/cycle-reco") is not None
    actions = site.actions("--prune")
    assert (actions["autoctrl/cycle-reco"], actions["autoctrl-mirror"]) == ("remove", "remove")
    assert site.server.item("autoctrl/cycle-reco") is None
    assert site.server.item("autoctrl-mirror") is None
    assert set(site.actions("--prune").values()) == {"keep"}


def test_jobs_of_others_that_we_may_not_read_are_no_hindrance(site: Site) -> None:
    """What we may not look into is not ours."""
    site.ask("sync")
    site.server.add_item("autoctrl/secret", b"<flow-definition/>")
    site.robot.only["autoctrl/secret"] = {"Item/Discover", "Item/Read"}
    assert set(site.actions().values()) == {"keep"}


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize("posts", [1, 3, 5])
def test_a_sync_that_is_killed_is_said_again(site: Site, posts: int, late: int) -> None:
    """Killed while a request is under way, which may be carried out after that or not, the next
    sync makes the rest, and nothing twice.
    """
    slow = Fault(where="POST ", seconds=1.0, times=late)
    stuck = Fault(where="POST ", seconds=60.0, times=1)
    site.server.faults += [Fault(where="POST ", times=posts), slow, stuck]
    command = [sys.executable, "-m", "autoctrl.cli", "jenkins", "sync"]
    variables = environment(site.folder) | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=site.folder, env=variables) as started:
        try:
            site.server.wait_until(lambda: len(site.server.posts()) == posts)
            wait_for_use(slow if late else stuck)
        finally:
            started.kill()
    made = posts + late
    site.server.wait_until(lambda: len(site.server.posts()) == made)
    site.server.faults.clear()
    site.server.restart()
    actions = [*site.actions().values()]
    assert (actions.count("keep"), actions.count("create")) == (made, len(ITEMS) - made)
    assert set(site.actions().values()) == {"keep"}
    jobs = [name for name in ITEMS if "/" in name]
    assert [site.server.job(name).saves for name in jobs] == [1] * len(jobs)


def wait_for_use(fault: Fault) -> None:
    """Wait until a request meets a fault."""
    deadline = time.monotonic() + 60
    while fault.times:
        assert time.monotonic() < deadline
        time.sleep(0.01)
