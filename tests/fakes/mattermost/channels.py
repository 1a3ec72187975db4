"""Who asks, channels by name, direct channels, and reactions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.fakes.http import Answer, Route
from tests.fakes.mattermost.core import BODY_PARAM, Core, RefusalError
from tests.fakes.mattermost.state import Post, is_id

if TYPE_CHECKING:
    from tests.fakes.http import Request

REACTION = {"user_id": str, "post_id": str, "emoji_name": str}
EMOJI_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_+-")
EMOJI_RUNES = 64


class Channels:
    """The calls about people and channels, and the reactions to posts."""

    def __init__(self, core: Core) -> None:
        self.core = core
        by_name = "/api/v4/teams/name/{team_name}/channels/name/{channel_name}"
        reaction = "/api/v4/users/{user_id}/posts/{post_id}/reactions/{emoji_name}"
        core.routes += [
            Route("GET", "/api/v4/users/me", self.me),
            Route("GET", by_name, self.by_name),
            Route("POST", "/api/v4/channels/direct", self.direct),
            Route("POST", "/api/v4/reactions", self.react),
            Route("DELETE", reaction, self.take_back),
        ]

    def me(self, request: Request) -> Answer:
        """Show who asks."""
        self.core.check_no_body(request)
        user = self.core.user_of(request)
        shown = {"id": user.id, "username": user.name, "is_bot": user.is_bot}
        return Answer.of({**shown, "roles": "system_user", "delete_at": 0})

    def by_name(self, request: Request) -> Answer:
        """Show a channel that whoever asks may see."""
        self.core.check_no_body(request)
        user = self.core.user_of(request)
        names = request.params
        teams = self.core.state.teams.values()
        team = next((team for team in teams if team.name == names["team_name"]), None)
        channel = team and self.core.channel_named(team.id, names["channel_name"])
        if not channel or not team or user.id not in team.members:
            channel = None
        if channel is None or (channel.type != "O" and user.id not in channel.members):
            raise RefusalError(404, "app.channel.get_by_name.missing.app_error", "No such channel.")
        return Answer.of(channel.view())

    def direct(self, request: Request) -> Answer:
        """Show the channel between whoever asks and somebody else."""
        user = self.core.user_of(request)
        try:
            ids = json.loads(request.body)
        except ValueError:
            ids = None
        if not isinstance(ids, list) or len(ids) != 2 or not all(map(is_id, ids)):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing user_ids in request body.")
        self.core.require(is_allowed=user.id in ids)
        users = [self.core.state.users.get(each) for each in ids]
        if users[0] is None or users[1] is None:
            raise RefusalError(404, "app.user.missing_account.const", "Unable to find the user.")
        return Answer.of(self.core.direct_channel(users[0], users[1]).view(), 201)

    def react(self, request: Request) -> Answer:
        """Let whoever asks react to a post."""
        user = self.core.user_of(request)
        body = self.core.body_of(request, REACTION)
        emoji = body.get("emoji_name") or ""
        is_named = set(emoji) <= EMOJI_CHARACTERS and 0 < len(emoji) <= EMOJI_RUNES
        if not is_id(body.get("post_id")) or not is_id(body.get("user_id")) or not is_named:
            message = "Reaction is not valid."
            raise RefusalError(400, "api.reaction.save_reaction.invalid.app_error", message)
        if body["user_id"] != user.id:
            message = "You cannot save reaction for the other user."
            raise RefusalError(403, "api.reaction.save_reaction.user_id.app_error", message)
        post = self.core.state.posts.get(body["post_id"])
        channel = self.core.state.channels.get(post.channel_id) if post else None
        self.core.require(is_allowed=self.core.is_member(user, channel))
        if post is not None:
            post.reactions.add((user.name, emoji))
        return Answer.of({**body, "create_at": self.core.now_ms()}, 201)

    def take_back(self, request: Request) -> Answer:
        """Take a reaction of whoever asks away."""
        self.core.check_no_body(request)
        user = self.core.user_of(request)
        self.core.require(is_allowed=request.params["user_id"] in ("me", user.id))
        post: Post | None = self.core.state.posts.get(self.core.id_of(request, "post_id"))
        if post is None:
            self.core.require(is_allowed=False)
        else:
            post.reactions.discard((user.name, request.params["emoji_name"]))
        return Answer.of({"status": "OK"})
