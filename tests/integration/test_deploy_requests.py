"""Who may deploy: a build of Jenkins only what a verb has requested; and as which user."""

from __future__ import annotations

import json
import os
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
)
from autoctrl.operations.deployment.trial import find_user, run_limited
from tests.integration.deploying import PRODUCTION, Installation, install, project

if TYPE_CHECKING:
    from pathlib import Path

BOB = Actor("bob", "chat")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


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


def test_a_build_deploys_what_was_requested_and_once(tmp_path: Path) -> None:
    """A build alone is refused; with a request it deploys in the name of who asked, one time."""
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


@as_root
def test_what_runs_as_another_user_sees_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's programs have its number and home, and none of our secrets."""
    monkeypatch.setenv("AUTOCTRL_STORE_TOKEN", "s3cret")
    user = find_user("nobody")
    assert user.is_other
    said = run_limited(["sh", "-c", "id -u; id -G; env"], user.variables(), user, 60)
    assert said.stdout.startswith("65534\n65534\n")
    assert "s3cret" not in said.stdout
    assert "USER=nobody" in said.stdout


def test_a_user_must_be_there_and_ours_to_become(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is unknown, or whom we cannot become, is refused; ourselves we are already."""
    with pytest.raises(DeploymentError, match="There is no user 'nobody-at-all'"):
        find_user("nobody-at-all")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(DeploymentError, match="runs as root, and you are somebody else"):
        find_user("root")
    assert not find_user("").is_other
