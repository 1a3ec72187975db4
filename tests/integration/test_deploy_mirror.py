"""The mirror: each allowed branch in a folder and a campaign of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.config import load_settings
from autoctrl.errors import AutoctrlError, SettingsError
from autoctrl.operations.deployment import mirror
from autoctrl.operations.deployment.mirror import IDLE_AFTER, Mirror, Mirrored
from autoctrl.operations.deployment.sites import open_deployment
from tests.integration.deployed import git
from tests.integration.deploying import (
    MIRROR,
    PRODUCTION,
    Installation,
    install,
    leave_out_trials,
    project,
    wish,
)

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {"reco": ["reco"], "plots": ["plots"]}


def take(site: Installation, run: int) -> None:
    """Let there be raw data of a run that ended long ago."""
    file = site.root / f"mirror/raw/run{run:05d}.dat"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("data")
    os.utime(file, (1e9, 1e9))


@pytest.fixture
def site(tmp_path: Path) -> Installation:
    """Return an installation with a mirror that has raw data of 25 runs."""
    made = install(tmp_path, MIRROR)
    for run in range(1, 26):
        take(made, run)
    return made


@pytest.fixture
def quick(site: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Return the installation with deployments that are not tried first."""
    from autoctrl.operations.deployment import engine
    from autoctrl.operations.deployment.trial import Trial

    leave_out_trials(monkeypatch)
    monkeypatch.setattr(engine, "try_out", lambda *_: Trial(MODULES, []))
    return site


class LaterClock:
    """A clock that is so far ahead."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.ahead


def mirror_of(site: Installation, ahead: timedelta = timedelta()) -> Mirror:
    """Return what deploys branches."""
    return Mirror(open_deployment(site.root), "mirror", LaterClock(ahead), lambda _: None)


def cycle(site: Installation, done: Mirrored) -> dict[str, Any]:
    """Make one cycle of a branch's campaign, and return the versions of its tasks by workflow."""
    of_branch = ("--project", str(done.folder), "--campaign", done.campaign)
    said = site.call("cycle", *of_branch)
    assert said.code == 0, said.err
    shown = json.loads(site.call("status", *of_branch, "--format", "json").out)
    return {
        workflow: {
            (row["tasks"][workflow]["status"], row["tasks"][workflow]["version"])
            for row in shown["runs"]
        }
        for workflow in shown["workflows"]
    }


def test_a_branch_from_the_command_line(site: Installation) -> None:
    """One call deploys the head and makes a cycle of its campaign over the newest twenty runs."""
    commit = site.branch("feature/a", project())
    words = ("mirror", "feature/a", "--format", "json")
    said = site.deploy(*words)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["state"], told["commit"], told["runs"]) == ("switched", commit, "6-25")
    assert told["campaign"].startswith("branch-feature-a-")
    again = site.deploy("mirror", "--branch", "feature/a", "--cycle")
    assert again.code == 0, again.err
    assert "unchanged" in again.out
    of_branch = ("--project", told["folder"], "--campaign", told["campaign"])
    shown = json.loads(site.call("status", *of_branch, "--format", "json").out)
    assert sorted(row["run"] for row in shown["runs"]) == list(range(6, 26))
    assert {row["tasks"]["reco"]["status"] for row in shown["runs"]} == {"done"}
    assert "feature/a" in site.deploy("mirror", "--list", "--branch", "feature/a").out


def test_names_that_look_alike_are_kept_apart(quick: Installation) -> None:
    """Branch `a-b` and branch `a/b` have folders and campaigns of their own."""
    quick.branch("a-b", project())
    quick.branch("a/b", project(2.0))
    done = [mirror_of(quick).deploy(branch, wish()) for branch in ("a-b", "a/b")]
    assert done[0].campaign != done[1].campaign
    assert done[0].campaign[:-6] == done[1].campaign[:-6] == "branch-a-b-"
    assert len({one.folder for one in done}) == 2


def test_only_changed_workflows_are_done_again(quick: Installation) -> None:
    """A new head moves the tasks of the workflows whose folders changed, and no others."""
    quick.branch("dev-x", project(1.0))
    branches = mirror_of(quick)
    first = branches.deploy("dev-x", wish())
    assert cycle(quick, first) == {"plots": {("done", 1)}, "reco": {("done", 1)}}
    quick.branch("dev-x", project(2.0, README="changed, too"))
    second = branches.deploy("dev-x", wish())
    assert second.reprocessed == {"reco": 20}
    assert branches.deploy("dev-x", wish()).reprocessed == {}
    assert cycle(quick, second) == {"plots": {("done", 1)}, "reco": {("done", 2)}}
    shared = project(2.0) | {"workflows/_shared/tools.py": "x = 1\n"}
    quick.branch("dev-x", shared)
    assert branches.deploy("dev-x", wish()).reprocessed == {"plots": 20, "reco": 20}


def test_new_runs_are_followed(quick: Installation) -> None:
    """Each deployment lets the campaign follow the newest runs of that moment."""
    quick.branch("dev-x", project())
    branches = mirror_of(quick)
    assert branches.deploy("dev-x", wish()).runs == "6-25"
    take(quick, 30)
    assert branches.deploy("dev-x", wish()).runs == "7-25,30"


def test_branches_outside_the_list_are_refused(quick: Installation) -> None:
    """Neither a branch that is not allowed, nor a tag or a commit of an allowed one."""
    commit = quick.branch("main", project())
    quick.tag("dev-tag", project())
    branches = mirror_of(quick)
    for branch in ("main", "refs/tags/dev-tag", commit, "xdev-1", "--all"):
        with pytest.raises(AutoctrlError):
            branches.deploy(branch, wish())
    assert not (quick.root / "mirror/branches").exists()


def test_all_branches_at_once_and_those_that_are_gone(quick: Installation) -> None:
    """A broken branch holds up no other; the campaign of one that is gone is closed."""
    quick.branch("dev-1", project())
    quick.branch("dev-2", {"README": "no project"})
    quick.branch("dev-3", project(3.0))
    quick.branch("main", project())
    done = {one.branch: one for one in mirror_of(quick).deploy_all(wish())}
    assert {name: one.state for name, one in done.items()} == {
        "dev-1": "switched",
        "dev-2": "failed",
        "dev-3": "switched",
    }
    assert "There is no autoctrl.toml" in done["dev-2"].problem
    git(quick.repository.work, "push", "-q", "origin", ":refs/heads/dev-3")
    states = {one.branch: one.state for one in mirror_of(quick).deploy_all(wish())}
    assert states["dev-3"] == "closed"
    words = ("campaign", "list", "--project", str(done["dev-1"].folder), "--format", "json")
    known = json.loads(quick.call(*words).out)
    closed = {one["name"]: one["closed"] for one in known["campaigns"]}
    assert (closed[done["dev-1"].campaign], closed[done["dev-3"].campaign]) == (False, True)
    assert done["dev-3"].folder is not None
    assert not done["dev-3"].folder.exists()


def test_branches_with_strange_names_and_dates_hold_up_no_other(quick: Installation) -> None:
    """A name that is no UTF-8, one that looks like another's, a commit of the year 292277026596."""
    commit = quick.branch("dev-1", project())
    bare = quick.repository.address
    for raw in (b"dev-\xff", "dev-1\u2028x".encode(), "dev-é#1%2F".encode(), b"dev-X", b"dev-x"):
        ref = b"refs/heads/" + raw
        subprocess.run([b"git", b"-C", bytes(bare), b"update-ref", ref, commit], check=True)
    tree = git(bare, "rev-parse", f"{commit}^{{tree}}")
    words = f"tree {tree}\nauthor a <a> 0 +0000\ncommitter a <a> {{}} +0000\n\nx\n"
    for name, date in (("dev-late", 2**63 - 1), ("dev-old", 5)):
        (bare / "commit").write_text(words.format(date))
        made = git(bare, "hash-object", "-t", "commit", "-w", "--literally", "commit")
        git(bare, "update-ref", f"refs/heads/{name}", made)
    found = {one.branch: one.state for one in mirror_of(quick).deploy_all(wish())}
    names = ("dev-1", "dev-X", "dev-x", "dev-é#1%2F", "dev-late")
    assert found == dict.fromkeys(names, "switched")


def test_a_mirror_does_not_go_back(site: Installation) -> None:
    """The campaign of a branch follows its head; and a report is that of one cycle."""
    assert "does not go back" in site.deploy("mirror", "dev-1", "--back").err
    report = ("--all", "--cycle", "--junit", "report.xml")
    assert "--junit is the report of one cycle" in site.deploy("mirror", *report).err
    assert "dev-1 and --all exclude each other" in site.deploy("mirror", "dev-1", "--all").err


def test_a_cycle_that_was_killed_is_no_success(
    quick: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exit code is 2."""
    quick.branch("dev-1", project())
    branches = mirror_of(quick)
    done = branches.deploy("dev-1", wish())
    monkeypatch.setattr(mirror, "PROGRAM", ("sh", "-c", "echo begun; kill -9 $$"))
    out = io.StringIO()
    assert branches.make_cycle(done, None, out) == 2
    assert out.getvalue() == "begun\n"


def test_an_idle_branch_is_closed_until_it_has_news(quick: Installation) -> None:
    """After a month without a commit its campaign is closed; a new commit opens it again."""
    quick.branch("dev-1", project())
    first = mirror_of(quick).deploy("dev-1", wish())
    later = IDLE_AFTER + timedelta(days=1)
    (closed,) = mirror_of(quick, later).deploy_all(wish())
    assert (closed.state, closed.campaign) == ("closed", first.campaign)
    assert "has had no commit since" in closed.problem
    assert list(mirror_of(quick, later).deploy_all(wish())) == []
    again = mirror_of(quick, later).deploy("dev-1", wish())
    assert (again.state, again.runs) == ("switched", "6-25")


def test_a_forced_branch_is_followed(quick: Installation) -> None:
    """History that was rewritten is no obstacle in the mirror."""
    quick.branch("dev-1", project())
    mirror_of(quick).deploy("dev-1", wish())
    quick.rewrite_history()
    commit = quick.branch("dev-1", project(5.0))
    assert mirror_of(quick).deploy("dev-1", wish()).commit == commit


def test_a_mirror_without_runs_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be followed before a run is known; then the same call succeeds."""
    leave_out_trials(monkeypatch)
    site = install(tmp_path, MIRROR)
    site.branch("dev-1", project())
    with pytest.raises(AutoctrlError, match="knows no run yet"):
        mirror_of(site).deploy("dev-1", wish())
    take(site, 7)
    assert mirror_of(site).deploy("dev-1", wish()).runs == "7"


def test_a_mirror_that_could_open_production_is_refused(tmp_path: Path) -> None:
    """Branches must run as a user who can open nothing of production."""
    site = install(tmp_path, MIRROR + PRODUCTION)
    (site.root / "production/.autoctrl").mkdir(parents=True)
    with pytest.raises(SettingsError, match="it is not shut in"):
        mirror_of(site)
    assert site.deploy("mirror", "--all").code == 2


def test_a_branch_cannot_say_where_records_are(site: Installation) -> None:
    """A branch that names another store is refused by the name of the setting."""
    hostile = project()["autoctrl.toml"] + "[store]\nurl = 'sqlite:/tmp/mine.sqlite'\n"
    site.branch("dev-1", project() | {"autoctrl.toml": hostile})
    refused = site.deploy("mirror", "dev-1")
    assert (refused.code, "[store] url" in refused.err) == (2, True)


def test_a_branch_has_records_of_its_environment(quick: Installation) -> None:
    """State, store and outputs lie in the mirror's folder, outside every checkout."""
    quick.branch("dev-1", project())
    folder = mirror_of(quick).deploy("dev-1", wish()).folder
    assert folder is not None
    settings = load_settings(folder, environ={})
    assert settings.environment == "mirror"
    assert settings.state_folder == quick.root / "mirror/.autoctrl"
