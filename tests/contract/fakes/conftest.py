"""A Mattermost with a team, people and a bot, and an integration beside it; a Jenkins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.fakes.caller import Caller, Integration
from tests.contract.fakes.jenkins_scene import Person
from tests.fakes.jenkins import Jenkins
from tests.fakes.mattermost import ManualClock, Mattermost, Scene, furnish

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[Mattermost]:
    with Mattermost(clock=clock) as server:
        yield server


@pytest.fixture
def scene(server: Mattermost) -> Scene:
    return furnish(server)


@pytest.fixture
def bot(server: Mattermost, scene: Scene) -> Caller:
    return Caller(server.port, scene.bot.token)


@pytest.fixture
def owner(server: Mattermost, scene: Scene) -> Caller:
    return Caller(server.port, scene.owner.token)


@pytest.fixture
def nobody(server: Mattermost) -> Caller:
    return Caller(server.port)


@pytest.fixture
def integration() -> Iterator[Integration]:
    with Integration() as integration:
        yield integration


@pytest.fixture
def jenkins_server() -> Iterator[Jenkins]:
    with Jenkins() as server:
        yield server


@pytest.fixture
def ada(jenkins_server: Jenkins) -> Person:
    """Who may do everything but administer."""
    return Person(jenkins_server.port, "ada", jenkins_server.add_user("ada").token)
