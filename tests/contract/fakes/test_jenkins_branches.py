"""Multibranch projects of the fake of Jenkins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.fakes.jenkins_repository import SCRIPT_PATH, Repository
from tests.contract.fakes.jenkins_scene import XML, Person
from tests.contract.fakes.test_jenkins_configs import MULTIBRANCH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.jenkins import Jenkins

JENKINSFILE = "pipeline { agent any; stages { stage('s') { steps { echo 'x' } } } }"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit({"README": "x"})
    made.commit({"README": "y"}, "empty")
    made.commit({"workflows/x/Jenkinsfile": JENKINSFILE}, "feature/one")
    made.commit({"workflows/x/Jenkinsfile": JENKINSFILE}, "main")
    return made


def project(repository: Repository, pattern: str = ".*", *, is_pruned: bool = True) -> str:
    """Return the config.xml of a project."""
    made = MULTIBRANCH.format(interval=300_000).replace("https://example.org/x.git", repository.url)
    made = made.replace("<regex>main</regex>", f"<regex>{pattern}</regex>")
    pruned = "<pruneDeadBranches>{}</pruneDeadBranches>"
    return made.replace(pruned.format("true"), pruned.format(str(is_pruned).lower()))


def names(ada: Person) -> list[str]:
    """Return the names of the jobs of the project."""
    return [one["name"] for one in ada.get("/job/m/api/json?tree=jobs[name]").json["jobs"]]


def test_branches_with_a_jenkinsfile_become_jobs(
    ada: Person, jenkins_server: Jenkins, repository: Repository
) -> None:
    """Only branches that have the file become jobs, which are built; a slash in a name is sent as
    ``%252F``.
    """
    ada.create("m", project(repository))
    assert names(ada) == []
    assert ada.post("/job/m/build?delay=0").status == 302
    assert names(ada) == ["feature%2Fone", "main"]
    jenkins_server.tick(10)
    assert sorted(one.job.full_name for one in jenkins_server.builds) == [
        "m/feature%2Fone",
        "m/main",
    ]
    path = "/job/m/job/feature%252Fone"
    assert ada.get(f"{path}/api/json").json["fullName"] == "m/feature%2Fone"
    (build,) = [one for one in jenkins_server.builds if "feature" in one.job.name]
    assert build.run is not None
    assert build.run.environment["BRANCH_NAME"] == "feature/one"
    assert build.run.source is not None
    assert build.run.source.script_path == "workflows/x/Jenkinsfile"
    assert build.path == f"{path}/1/"
    assert ada.post(f"{path}/build").status == 201


def test_a_moved_branch_is_built_and_a_gone_one_removed(
    ada: Person, jenkins_server: Jenkins, repository: Repository
) -> None:
    """An indexing builds what has moved and removes what is gone, and nothing else."""
    ada.create("m", project(repository))
    ada.post("/job/m/build?delay=0")
    jenkins_server.tick(10)
    repository.commit({"README": "z"}, "main")
    repository.drop("feature/one")
    for _ in range(2):
        ada.post("/job/m/build?delay=0")
        jenkins_server.tick(10)
    assert names(ada) == ["main"]
    assert [one.job.name for one in jenkins_server.builds][2:] == ["main"]


def test_filters_and_dead_branches(
    ada: Person, jenkins_server: Jenkins, repository: Repository
) -> None:
    """A pattern chooses branches; a dead one that is not pruned stays, but is not buildable."""
    ada.create("m", project(repository, "feature/.*", is_pruned=False))
    ada.post("/job/m/build?delay=0")
    assert names(ada) == ["feature%2Fone"]
    repository.drop("feature/one")
    ada.post("/job/m/build?delay=0")
    assert names(ada) == ["feature%2Fone"]
    assert ada.post("/job/m/job/feature%252Fone/build").status == 409
    ada.post("/job/m/config.xml", project(repository).replace("file://", "file:///nowhere"), XML)
    ada.post("/job/m/build?delay=0")
    assert "git fetch" in jenkins_server.log[-1]
    assert SCRIPT_PATH not in jenkins_server.log[-1]


def test_a_project_is_looked_through_by_itself(
    ada: Person, jenkins_server: Jenkins, repository: Repository
) -> None:
    """The interval says how often; the config.xml of a branch is nobody's to write."""
    ada.create("m", project(repository))
    jenkins_server.tick(900)
    item = jenkins_server.item("m")
    assert getattr(item, "indexings", 0) == 3
    assert names(ada) == ["feature%2Fone", "main"]
    given = ada.get("/job/m/job/main/config.xml")
    assert b"SCMBinder" in given.body
    assert ada.post("/job/m/job/main/config.xml", given.body.decode(), XML).status == 500
