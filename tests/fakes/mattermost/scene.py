"""A server with a team, a channel, people and a bot, as most tests need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.mattermost.server import Mattermost
    from tests.fakes.mattermost.state import Channel, Team, User


@dataclass(frozen=True)
class Scene:
    """Who is there: ``ada`` is on shift, ``owner`` may register commands, ``stranger`` is in the
    team alone.
    """

    team: Team
    channel: Channel
    other: Channel
    bot: User
    ada: User
    owner: User
    stranger: User


def furnish(server: Mattermost) -> Scene:
    """Set a server up: the bot, Ada and the owner are in ``shift``, nobody is in ``expert``."""
    team = server.add_team("experiment")
    shift = server.add_channel(team, "shift")
    other = server.add_channel(team, "expert", "P")
    stranger = server.add_user("stranger")
    team.members.add(stranger.id)
    return Scene(
        team,
        shift,
        other,
        server.add_bot("autoctrl", [shift], ["create_post_ephemeral"]),
        server.add_user("ada", [shift]),
        server.add_user("owner", [shift], ["manage_slash_commands"]),
        stranger,
    )
