"""A deployment that is asked for in the chat leaves a request behind only if a build will come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.chat.deployment import DeployRequest
from autoctrl.cli.chat_deployments import trigger
from autoctrl.config import load_deployment
from autoctrl.errors import JenkinsError
from autoctrl.model.actor import Actor
from tests.integration.deploying import PRODUCTION
from tests.integration.jenkins_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jenkins_site import Site

HEAD = 'repository = "https://git.example.org/camera.git"\n'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Make a Jenkins with our jobs, and an administrator's file beside the project."""
    with open_site(tmp_path) as opened:
        (tmp_path / "deployment.toml").write_text(HEAD + PRODUCTION)
        assert opened.ask("sync").code == 0
        yield opened


def ask(site: Site, person: str) -> bool:
    """Let somebody ask for prod-1; say whether a build of somebody else is joined."""
    request = DeployRequest("production", "prod-1", Actor(person, "chat"))
    return trigger(site.settings(), load_deployment(site.folder), request).is_folded


def count(site: Site) -> int:
    """Return how many requests there are."""
    return len(list((site.folder / "production/requests").iterdir()))


def test_two_people_who_want_the_same_leave_one_request(site: Site) -> None:
    """The second joins the build of the first, which fulfils one request: no other is left."""
    assert [ask(site, "ada"), ask(site, "bob")] == [False, True]
    assert count(site) == 1


def test_no_request_is_left_where_no_build_could_be_started(site: Site) -> None:
    """A job that is disabled starts none; nobody else can use what was asked for."""
    site.server.job("autoctrl/deploy").is_disabled = True
    with pytest.raises(JenkinsError):
        ask(site, "ada")
    assert count(site) == 0
