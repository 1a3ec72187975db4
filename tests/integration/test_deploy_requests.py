"""A build of Jenkins deploys only what a verb has requested, and that once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import DeploymentError, UsageError
from autoctrl.model.actor import Actor
from autoctrl.operations.deployment.requests import (
    BACK,
    Asked,
    ask,
    find_request,
    is_build,
    require_request,
    withdraw,
)
from tests.integration.deploying import (
    PRODUCTION,
    Installation,
    install,
    leave_out_trials,
    project,
    wish,
)

if TYPE_CHECKING:
    from pathlib import Path

BOB = Actor("bob", "chat")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def request(root: Path, ref: str = "prod-1", now: datetime = NOW) -> str:
    """Ask for a deployment to production, and return the request's id."""
    return ask(root, "production", ref, BOB, "asked in chat", now).id


def test_a_request_holds_for_half_an_hour(tmp_path: Path) -> None:
    """It is found by environment and ref, not before it was made, and not when it is old."""
    name = request(tmp_path)
    found = find_request(tmp_path, "production", "prod-1", NOW + timedelta(minutes=29))
    assert found is not None
    assert (found.id, found.actor, found.reason, found.time) == (name, BOB, "asked in chat", NOW)
    for later in (timedelta(minutes=31), timedelta(minutes=-1)):
        assert find_request(tmp_path, "production", "prod-1", NOW + later) is None
    assert find_request(tmp_path, "production", "prod-2", NOW) is None
    assert find_request(tmp_path, "stage", "prod-1", NOW) is None
    assert find_request(tmp_path, "production", "prod-1", NOW, "0" * 16) is None
    request(tmp_path, now=NOW + timedelta(hours=2))
    assert len(list((tmp_path / "production/requests").iterdir())) == 1


def test_files_that_are_no_requests_are_left_out(tmp_path: Path) -> None:
    """Whatever else lies there is no request."""
    request(tmp_path)
    folder = tmp_path / "production/requests"
    for name, text in {"a.json": "", "b.json": "[]", "c.json": '{"actor": 1}', "d": "{}"}.items():
        (folder / name).write_text(text)
    assert find_request(tmp_path, "production", "prod-1", NOW) is not None


def test_a_request_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    """The sentence names the folder."""
    (tmp_path / "production").write_text("a file")
    with pytest.raises(DeploymentError, match="The request cannot be written in"):
        request(tmp_path)


def test_where_none_is_needed_none_is_consumed(tmp_path: Path) -> None:
    """A person at a terminal needs none; one that is named must be there."""
    request(tmp_path)
    assert require_request(tmp_path, Asked("production", "prod-1"), NOW, is_needed=False) is None
    with pytest.raises(UsageError, match="Nobody has asked to deploy prod-1 in production"):
        require_request(tmp_path, Asked("production", "prod-1", "00"), NOW, is_needed=False)
    assert is_build({"BUILD_TAG": "jenkins-deploy-7"})
    assert not is_build({"BUILD_TAG": ""})


def test_a_build_deploys_what_was_requested_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build alone is refused; with a request it deploys in the name of who asked, one time."""
    leave_out_trials(monkeypatch)
    site = install(tmp_path, PRODUCTION)
    site.tag("prod-1", project())
    build = {"JENKINS_URL": "https://jenkins.example.org", "BUILD_TAG": "jenkins-deploy-7"}

    def deploy(*words: str) -> tuple[int, str]:
        said = site.deploy("production", *words, **build)
        return said.code, said.err

    code, said = deploy("prod-1")
    assert code == 2
    assert "Nobody has asked to deploy prod-1 in production" in said
    request(site.root, "prod-2", datetime.now(UTC))
    assert deploy("prod-1")[0] == 2
    request(site.root, now=datetime.now(UTC))
    assert deploy("prod-1", "--dry-run")[0] == 0
    assert deploy("prod-1")[0] == 0
    assert deploy("prod-1")[0] == 2
    (entry,) = history(site)
    assert (entry["actor"]["name"], entry["reason"]) == ("bob", "asked in chat")
    assert deploy("--back")[0] == 2
    request(site.root, BACK, datetime.now(UTC))
    assert "no earlier release" in deploy("--back")[1]


def history(site: Installation) -> list[dict[str, Any]]:
    """Return the list of production's deployments."""
    said = site.deploy("production", "--list", "--format", "json")
    return list(json.loads(said.out)["deployments"])


def test_a_request_is_used_once_also_by_builds_that_waited_for_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two builds find the same request; when the second has its turn, the first has used it."""
    leave_out_trials(monkeypatch)
    site = install(tmp_path, PRODUCTION)
    site.tag("prod-1", project())
    now = datetime.now(UTC)
    request(site.root, now=now)
    found = find_request(site.root, "production", "prod-1", now)
    assert site.engine().deploy("prod-1", wish(request=found)).is_new
    with pytest.raises(UsageError, match="just been done by another deployment"):
        site.engine().deploy("prod-1", wish(request=found))


def test_a_request_is_taken_back(tmp_path: Path) -> None:
    """Nobody finds it any more; taking it back again changes nothing."""
    request(tmp_path)
    found = find_request(tmp_path, "production", "prod-1", NOW)
    assert found is not None
    for _ in range(2):
        withdraw(tmp_path, found)
        assert find_request(tmp_path, "production", "prod-1", NOW) is None


def test_what_an_environment_follows_is_requested_by_its_name(tmp_path: Path) -> None:
    """A build that is given no ref fulfils the request for the only one that there is."""
    site = install(tmp_path, '[environments.stage]\nrefs = ["refs/heads/main"]\n')
    site.branch("main", {"README": "no project"})
    build = {"BUILD_TAG": "jenkins-deploy-7"}
    assert "Nobody has asked to deploy refs/heads/main" in site.deploy("stage", **build).err
    ask(site.root, "stage", "refs/heads/main", BOB, "", datetime.now(UTC))
    assert "There is no autoctrl.toml" in site.deploy("stage", **build).err
