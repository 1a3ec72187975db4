"""The controller is killed while it tells people: in a channel of Mattermost they read each message
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.acceptance.exactly_once.driver import Point
from tests.acceptance.exactly_once.laboratory import SETTINGS, make_project, write_runs
from tests.acceptance.exactly_once.lives import Lives
from tests.fakes.mattermost import Mattermost, furnish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNS = {8: "bad", 18: "bad"}
LOG = """[notifiers.log]
type = "log"
path = "alerts.log"
"""
CHANNEL = """[notifiers.shift]
type = "mattermost"
url = "{url}"
token_file = "token"
team = "{team}"
channel = "{channel}"
"""
LAST_APPENDS = 3


class Channel(NamedTuple):
    """A channel of a fake server, and controllers that tell it."""

    server: Mattermost
    table: str
    token: str
    lives: Lives

    def project(self, folder: Path) -> Path:
        """Make a project whose runs fail for good, and whose notifier is the channel."""
        made = make_project(folder, ["bad"], SETTINGS.replace(LOG, self.table))
        (made / "token").write_text(self.token)
        write_runs(made, RUNS)
        return made


@pytest.fixture
def channel() -> Iterator[Channel]:
    pytest.importorskip("mattermostdriver")
    lives = Lives()
    with Mattermost() as server:
        scene = furnish(server)
        table = CHANNEL.format(url=server.url, team=scene.team.name, channel=scene.channel.name)
        yield Channel(server, table, scene.bot.token, lives)
    lives.close()


@pytest.mark.timeout(900)
def test_people_read_each_message_once(channel: Channel, tmp_path: Path) -> None:
    """Before and after the message is sent, and around each write of the telling."""
    whole = channel.project(tmp_path / "whole")
    appends = (channel.lives.live(whole) or {})["store.append"]
    assert len(channel.server.posts) == 1
    points = [Point("notifier.tell", 1, when) for when in ("before", "after")]
    points += [
        Point("store.append", number, when)
        for number in range(appends - LAST_APPENDS + 1, appends + 1)
        for when in ("before", "after")
    ]
    reached = []
    for number, point in enumerate(points, start=2):
        folder = channel.project(tmp_path / "-".join(map(str, point[:3])))
        if (
            channel.lives.live(folder, point) is None
        ):  # how often it writes differs from life to life
            reached.append(point)
            channel.lives.live(folder)
        assert len(channel.server.posts) == number, f"{point}: lost, or told twice"
    assert reached[:2] == points[:2]
    assert len(reached) > LAST_APPENDS
