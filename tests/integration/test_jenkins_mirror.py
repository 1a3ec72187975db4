"""A branch of the mirror is built at once, whether Jenkins knows it already or not."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import JenkinsError, UsageError
from autoctrl.operations.jenkins import Built, follow_build, trigger_branch
from autoctrl.operations.jenkins.server import Server
from tests.fakes.jenkins import Outcome
from tests.integration.jenkins_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jenkins_site import Site

COMMITTER = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")


class Repository:
    """A repository of git with a Jenkinsfile on each branch."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        (folder / "Jenkinsfile").write_text("pipeline { agent any }\n")

    def git(self, *words: str) -> None:
        """Call git in it."""
        subprocess.run(["git", *COMMITTER, *words], cwd=self.folder, check=True)

    def push(self, branch: str) -> None:
        """Make a commit on a branch."""
        self.git("checkout", "--quiet", "-B", branch)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "try")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make a repository."""
    return Repository(tmp_path / "repository")


@pytest.fixture
def site(tmp_path: Path, repository: Repository) -> Iterator[Site]:
    """Make a project and a Jenkins that mirrors the branches of the repository."""
    folder = tmp_path / "project"
    folder.mkdir()
    with open_site(folder) as opened:
        address = repository.folder.as_uri()
        opened.set(f'mirror_repository = "{address}"\nmirror_branches = "try/.*"\n')
        opened.server.add_node("cern-1", ["autoctrl", "autoctrl-mirror"])
        opened.server.run_with(lambda _: Outcome(seconds=30))
        assert opened.ask("sync").code == 0
        yield opened


def test_a_branch_is_built_as_soon_as_it_is_asked_for(site: Site, repository: Repository) -> None:
    """A branch that Jenkins has never seen is found; asked for again it is built again."""
    repository.push("try/this")
    settings = site.settings()
    for number in (1, 2):
        triggered = trigger_branch(settings, "try/this", pause=site.server.tick)
        *_, built = follow_build(settings, triggered, pause=site.server.tick)
        job = f"{site.server.url}/job/autoctrl-mirror/job/try%252Fthis/"
        assert triggered.address == job
        assert built == Built("SUCCESS", f"{job}{number}/")
    assert [build.job.branch for build in site.server.builds] == ["try/this"] * 2


def test_a_branch_that_looks_like_another_is_built_itself(
    site: Site, repository: Repository
) -> None:
    """Jenkins writes some letters of a branch otherwise in the name of its job."""
    jobs = {
        "try/a/b": "try%252Fa%252Fb",
        "try/a%2Fb": "try%252Fa%25252Fb",
        "try/é#1": "try%252F%C3%A9%25231",
    }
    for name in jobs:
        repository.push(name)
    settings = site.settings()
    for name, job in jobs.items():
        triggered = trigger_branch(settings, name, pause=site.server.tick)
        assert triggered.address == f"{site.server.url}/job/autoctrl-mirror/job/{job}/"
        *_, built = follow_build(settings, triggered, pause=site.server.tick)
        assert isinstance(built, Built)
        assert built.result == "SUCCESS"
    assert {build.job.branch for build in site.server.builds} == jobs.keys()


@pytest.mark.parametrize("seconds", [0, 1, 2, 3, 4, 20, 60])
def test_a_build_that_the_look_has_begun_is_joined(
    site: Site, repository: Repository, seconds: float
) -> None:
    """Jenkins builds a branch that it finds by itself: once is enough, whether that build waits,
    begins or has ended by the next question.
    """
    repository.push("try/this")
    settings, ask = site.settings(), Server._ask

    def ask_slowly(*given: Any) -> Any:
        answer = ask(*given)
        site.server.tick(seconds)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "_ask", ask_slowly)
        triggered = trigger_branch(settings, "try/this", pause=lambda _: None)
    assert triggered.is_folded
    *_, built = follow_build(settings, triggered, pause=site.server.tick)
    assert built == Built("SUCCESS", f"{triggered.address}1/")
    assert len(site.server.builds) == 1


def test_a_commit_that_jenkins_is_slow_to_find_is_built_once(
    site: Site, repository: Repository
) -> None:
    """Jenkins looks in its own time: what it finds some seconds later is joined as well."""
    repository.push("try/this")
    settings, look = site.settings(), Server.look_for_branches
    trigger_branch(settings, "try/this")
    site.server.tick(60)
    repository.push("try/this")

    waits = iter(range(10))

    def wait(seconds: float) -> None:
        if next(waits) == 5:
            look(Server.of(settings), "autoctrl-mirror")
        site.server.tick(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "look_for_branches", lambda *_: None)
        triggered = trigger_branch(settings, "try/this", pause=wait)
    *_, built = follow_build(settings, triggered, pause=site.server.tick)
    assert built == Built("SUCCESS", f"{triggered.address}2/")
    assert len(site.server.builds) == 2


def test_a_branch_that_is_not_there_is_told(site: Site, repository: Repository) -> None:
    """One that nobody has pushed, and one that the mirror does not take."""
    repository.push("other")
    settings = site.settings()
    with pytest.raises(JenkinsError, match="finds no branch 'try/that' with a Jenkinsfile"):
        trigger_branch(settings, "try/that", pause=lambda _: None)
    with pytest.raises(UsageError, match="does not take branch 'other'"):
        trigger_branch(settings, "other")
