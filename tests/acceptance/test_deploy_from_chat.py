"""A person types a command in the chat; Jenkins, git and the mirror do the rest."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.acceptance.project import LIMIT_S, ask
from tests.fakes.jenkins import GroovyRunner, Jenkins
from tests.fakes.mattermost import Mattermost, furnish
from tests.integration.deploying import Installation, install, project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.mattermost import Result, User

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PRODUCTION = """
[environments.production]
refs = ["refs/tags/prod-*"]

[environments.production.settings.notifiers.shift]
type = "mattermost"
url = "{mattermost}"
token_file = "{secrets}/bot"
team = "experiment"
channel = "shift"

[environments.production.settings.chat]
notifier = "shift"
token_file = "{secrets}/slash"
admins = "{admin}"

[environments.production.settings.jenkins]
url = "{jenkins}"
user = "robot"
token_file = "{secrets}/jenkins"
home = "{root}/production/current"
path = "{bin}"
mirror_repository = "{repository}"
mirror_branches = "my-.*"

[environments.mirror]
branches = "my-.*"
user = "nobody"
"""
# The mirror is another machine, with an administrator's file of its own.
MIRROR = """
[environments.mirror]
branches = "my-.*"
user = "{user}"

[environments.mirror.settings.inputs]
root = "{raw}"
"""


class Experiment(NamedTuple):
    """What an experiment has: production, a mirror elsewhere, a chat, a Jenkins, people."""

    production: Installation
    mirror: Path
    mattermost: Mattermost
    jenkins: Jenkins
    admin: User
    channel: Any

    def say(self, text: str) -> Result:
        """Type a command as the administrator."""
        return self.mattermost.slash(self.admin, self.channel, f"/autoctrl {text}")

    def read(self, text: str) -> list[str]:
        """Return what the administrator alone was told that contains ``text``."""
        posts = list(self.mattermost.state.posts.values())
        return [
            post.message
            for post in posts
            if text in post.message and post.ephemeral_for == self.admin.id
        ]

    def wait_for(self, text: str, *, tick_s: float = 5) -> str:
        """Let Jenkins go on until the administrator is told something, and return it."""
        deadline = time.monotonic() + LIMIT_S
        while not self.read(text):
            assert time.monotonic() < deadline, [one.console for one in self.jenkins.builds]
            self.jenkins.tick(tick_s)
            time.sleep(0.1)
        return self.read(text)[0]

    @property
    def commit(self) -> str:
        """What production is at."""
        return self.production.current.resolve().name


@pytest.fixture
def experiment(tmp_path: Path) -> Iterator[Experiment]:
    """Install it all, deploy prod-1, bring the jobs to Jenkins, and listen to the chat."""
    pytest.importorskip("mattermostdriver")
    with Mattermost() as mattermost, Jenkins() as jenkins, GroovyRunner() as runner:
        scene = furnish(mattermost)
        admin = mattermost.add_user("admin", [scene.channel])
        secrets = make_folder(tmp_path / "secrets")
        write_secret(secrets / "bot", scene.bot.token)
        write_secret(secrets / "jenkins", jenkins.add_user("robot").token)
        write_secret(secrets / "slash", "0" * 26)
        servers = {"mattermost": mattermost.url, "jenkins": jenkins.url, "admin": admin.id}
        site = deploy_first(tmp_path, {**servers, "secrets": str(secrets)})
        mirror = make_mirror(tmp_path, site)
        add_nodes(jenkins, mirror)
        jenkins.run_with(runner)
        synced = ask(site.current, "jenkins", "sync")
        assert synced.code == 0, synced.err
        with listening(site) as port:
            url = f"http://127.0.0.1:{port}/hooks/mattermost/command"
            command = mattermost.add_command(scene.owner, scene.team, "autoctrl", url)
            write_secret(secrets / "slash", command.token)
            yield Experiment(site, mirror, mattermost, jenkins, admin, scene.channel)


def deploy_first(folder: Path, values: Mapping[str, str]) -> Installation:
    """Install production and deploy its first tag."""
    site = install(folder, "")
    places = {"root": site.root, "bin": BIN, "repository": site.repository.address.as_uri()}
    with (site.root / "deployment.toml").open("a") as file:
        file.write(PRODUCTION.format(**values, **places))
    site.tag("prod-1", files(1.0))
    said = site.deploy("production", "prod-1")
    assert said.code == 0, said.err
    return site


def add_nodes(jenkins: Jenkins, mirror: Path) -> None:
    """Give Jenkins a node for production and one for the mirror, which knows where that lies."""
    there = {"AUTOCTRL_ROOT": str(mirror), "PATH": f"{BIN}:{os.environ['PATH']}"}
    jenkins.add_node("production", ["autoctrl"])
    jenkins.add_node("mirror", ["autoctrl-mirror"], environment=there)
    jenkins.read_labels()


def files(answer: float) -> dict[str, str]:
    """Return a project with the Jenkinsfile for its branches that this repository has."""
    made = project(answer, Jenkinsfile=(ROOT / "Jenkinsfile").read_text())
    return {**made, "autoctrl.toml": f'name = "camera"\n{made["autoctrl.toml"]}'}


def make_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")


def make_mirror(folder: Path, site: Installation) -> Path:
    """Write the file of the mirror's administrator, and raw data of one run; return its folder."""
    root, raw = make_folder(folder / "mirror"), make_folder(folder / "raw")
    text = MIRROR.format(user=getpass.getuser(), raw=raw)
    (root / "deployment.toml").write_text(f'repository = "{site.repository.address}"\n{text}')
    (raw / "run04521.dat").write_text("data")
    os.utime(raw / "run04521.dat", (1e9, 1e9))
    return root


@contextmanager
def listening(site: Installation) -> Iterator[int]:
    """Let production listen to the chat while the block runs; return the port."""
    listener = subprocess.Popen(
        [BIN / "autoctrl", "serve", "--hooks", "127.0.0.1:0", "--no-page"],
        cwd=site.current,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert listener.stdout is not None
        line = listener.stdout.readline()
        yield int(line.partition("http://127.0.0.1:")[2].split()[0])
    finally:
        listener.terminate()
        listener.communicate(timeout=LIMIT_S)


def test_a_branch_runs_in_the_mirror(experiment: Experiment) -> None:
    """One command, and a run of the data is done by the branch's code, in the mirror alone."""
    experiment.production.branch("my-branch", files(42.0))
    experiment.say("deploy mirror my-branch")
    # The clock of Jenkins stands still until it is asked: it would find the branch by itself.
    received = experiment.wait_for("Deployment request for environment mirror received", tick_s=0)
    job = f"{experiment.jenkins.url}/job/autoctrl-mirror/job/my-branch/"
    assert job in received
    done = experiment.wait_for("Environment mirror deployed successfully")
    assert f"{job}1/" in done
    assert [build.result for build in experiment.jenkins.builds] == ["SUCCESS"]
    (current,) = experiment.mirror.glob("mirror/branches/my-branch-*/current")
    campaign = f"branch-{current.parent.name}"
    said = ask(current, "provenance", "4521", "reco", "--campaign", campaign, "--format", "json")
    (version,) = json.loads(said.out)["versions"]
    assert (version["status"], version["fields"]) == ("done", {"answer": 42.0})
    status = ask(experiment.production.current, "status", "--format", "json")
    assert json.loads(status.out)["runs"] == []


def test_production_takes_a_tag_that_was_asked_for(experiment: Experiment) -> None:
    """A build that nobody has asked for changes nothing; a command in the chat does, once."""
    site, jenkins = experiment.production, experiment.jenkins
    before = experiment.commit
    commit = site.tag("prod-2", files(2.0))
    words = ("deploy", "--parameter", "ENVIRONMENT=production", "--parameter", "REF=prod-2")
    assert ask(site.current, "jenkins", "trigger", *words).code == 0
    jenkins.tick(30)
    assert [build.result for build in jenkins.builds] == ["FAILURE"]
    assert "Nobody has asked to deploy prod-2" in jenkins.builds[0].console
    assert experiment.commit == before
    experiment.say("deploy production prod-2")
    experiment.wait_for("Deployment request for environment production received")
    done = experiment.wait_for("Environment production deployed successfully")
    assert f"{jenkins.url}/job/autoctrl/job/deploy/2/" in done
    assert experiment.commit == commit[:12]
    shown = site.deploy("production", "--list", "--format", "json").out
    newest = json.loads(shown)["deployments"][-1]
    assert newest["actor"]["name"] == f"admin ({experiment.admin.id})"
