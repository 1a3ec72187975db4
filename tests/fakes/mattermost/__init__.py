"""A strict fake of a Mattermost server.

    with Mattermost() as server:
        scene = furnish(server)
        ...  # a client of server.url with scene.bot.token

The end of the block fails the test if anything was asked that the contract does not know.
"""

from __future__ import annotations

from tests.fakes.mattermost.acting import Result
from tests.fakes.mattermost.limits import ManualClock, Site
from tests.fakes.mattermost.mentions import mentions
from tests.fakes.mattermost.scene import Scene, furnish
from tests.fakes.mattermost.server import Mattermost
from tests.fakes.mattermost.state import Channel, Command, Dialog, Hook, Post, Team, User

__all__ = [
    "Channel",
    "Command",
    "Dialog",
    "Hook",
    "ManualClock",
    "Mattermost",
    "Post",
    "Result",
    "Scene",
    "Site",
    "Team",
    "User",
    "furnish",
    "mentions",
]
