"""A strict fake of a Mattermost server, to be set up, used, broken and looked at by tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer, Fault
from tests.fakes.mattermost.acting import Acting, Result
from tests.fakes.mattermost.channels import Channels
from tests.fakes.mattermost.commands import Commands
from tests.fakes.mattermost.core import Core, busy_answer
from tests.fakes.mattermost.dialogs import Dialogs
from tests.fakes.mattermost.hooks import Hooks
from tests.fakes.mattermost.limits import Site, wall_clock
from tests.fakes.mattermost.posts import Posts
from tests.fakes.mattermost.responses import Responses
from tests.fakes.mattermost.state import Channel, Command, Dialog, Hook, Post, Team, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.fakes.mattermost.outgoing import Received

BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Mattermost(Core):
    """The server. Use it in a ``with`` block, whose end fails if the contract was violated."""

    def __init__(self, site: Site | None = None, clock: Callable[[], float] = wall_clock) -> None:
        super().__init__(site, clock)
        self.channels_api = Channels(self)
        self.posts_api = Posts(self)
        self.responses = Responses(self, self.posts_api)
        self.hooks_api = Hooks(self, self.posts_api, self.responses)
        self.commands_api = Commands(self)
        self.dialogs_api = Dialogs(self)
        self.acting = Acting(self, self.posts_api, self.responses)

    # What an administrator sets up.

    def add_team(self, name: str) -> Team:
        """Make a team."""
        team = Team(name)
        self.state.teams[team.id] = team
        return team

    def add_channel(self, team: Team, name: str, kind: str = "O") -> Channel:
        """Make a channel: O is open, P is private."""
        channel = Channel(name, team.id, kind)
        self.state.channels[channel.id] = channel
        return channel

    def add_user(
        self, name: str, channels: Iterable[Channel] = (), permissions: Iterable[str] = ()
    ) -> User:
        """Make a person who is in channels, and in their teams, and has a token of their own."""
        return self._add(User(name, permissions=set(permissions)), channels)

    def add_bot(
        self, name: str, channels: Iterable[Channel] = (), permissions: Iterable[str] = ()
    ) -> User:
        """Make a bot; raises where bot accounts are switched off."""
        if not self.site.are_bots_on:
            message = "bot accounts are switched off: EnableBotAccountCreation"
            raise ValueError(message)
        return self._add(User(name, is_bot=True, permissions=set(permissions)), channels)

    def _add(self, user: User, channels: Iterable[Channel]) -> User:
        with self.lock:
            self.state.users[user.id] = user
            self.state.secrets.add(user.token)
            for channel in channels:
                self.join(user, channel)
        return user

    def join(self, user: User, channel: Channel) -> None:
        """Let somebody into a channel and its team."""
        channel.members.add(user.id)
        if channel.team_id:
            self.state.teams[channel.team_id].members.add(user.id)

    def leave(self, user: User, channel: Channel) -> None:
        """Take somebody out of a channel."""
        channel.members.discard(user.id)

    def add_hook(self, owner: User, channel: Channel, *, is_locked: bool = False) -> Hook:
        """Make an incoming webhook; bots own none."""
        if owner.is_bot:
            message = "a bot cannot own a webhook"
            raise ValueError(message)
        hook = Hook(owner.id, channel.id, channel.team_id, is_locked)
        self.state.hooks[hook.id] = hook
        self.state.secrets.add(hook.id)
        return hook

    def hook_url(self, hook: Hook) -> str:
        """Return the address of a webhook, which is a secret."""
        return f"{self.url}/hooks/{hook.id}"

    def add_command(self, owner: User, team: Team, trigger: str, url: str) -> Command:
        """Register a slash command as a person does in the settings; bots own none."""
        if owner.is_bot:
            message = "a bot cannot own a slash command"
            raise ValueError(message)
        body = {"team_id": team.id, "method": "P", "trigger": trigger, "url": url}
        command = Command(team.id, owner.id, self.commands_api.check(body, ""), self.now_ms())
        self.state.commands[command.id] = command
        self.state.secrets.add(command.token)
        return command

    # What is there.

    @property
    def posts(self) -> list[Post]:
        """Every post so far in the order of creation, the deleted and ephemeral ones too."""
        with self.lock:
            return list(self.state.posts.values())

    def posts_with(self, **props: Any) -> list[Post]:
        """Return the posts for all to see, deleted ones too, that have these props now."""
        return [
            post
            for post in self.posts
            if not post.ephemeral_for
            if all(post.props.get(name) == value for name, value in props.items())
        ]

    @property
    def dialogs(self) -> list[Dialog]:
        """Every dialog that was opened."""
        with self.lock:
            return list(self.state.dialogs)

    # What people do.

    def say(self, user: User, channel: Channel, message: str, root_id: str = "") -> Post:
        """Post something as a person does."""
        with self.lock:
            self.posts_api.check_root(root_id, channel.id)
            return self.posts_api.save(user, channel.id, message, {}, root_id=root_id)

    def slash(
        self,
        user: User,
        channel: Channel,
        text: str,
        *,
        root_id: str = "",
        forge: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Result:
        """Type a command such as ``/autoctrl status`` and return what came of it."""
        return self.acting.slash(user, channel, text, root_id=root_id, forge=forge, headers=headers)

    def click(
        self,
        post: Post,
        action: str,
        user: User,
        *,
        selected: str = "",
        forge: Mapping[str, Any] | None = None,
    ) -> Result:
        """Click on the action of a post that has this id and return what came of it."""
        return self.acting.click(post, action, user, selected=selected, forge=forge)

    def submit(
        self,
        dialog: Dialog,
        submission: Mapping[str, Any] | None = None,
        *,
        is_cancelled: bool = False,
        forge: Mapping[str, Any] | None = None,
    ) -> Result:
        """Submit or cancel a dialog and return what came of it."""
        return self.acting.submit(dialog, submission, is_cancelled=is_cancelled, forge=forge)

    def replay(self, result: Result) -> Received:
        """Send once more what an integration was sent, as a thief would; return its answer."""
        assert result.sent is not None
        return self.acting.ask(result.sent)

    # What goes wrong.

    def be_busy(self, times: int = 1, where: str = "", seconds: int = 1) -> None:
        """Answer with 429 in plain text."""
        headers = (
            ("X-Ratelimit-Limit", "100"),
            ("X-Ratelimit-Remaining", "0"),
            ("X-Ratelimit-Reset", str(seconds)),
        )
        answer = busy_answer(seconds)
        answer = answer._replace(headers=answer.headers + headers)
        self.faults.append(Fault(answer, where=where, times=times))

    def be_hidden(self, times: int = 1, where: str = "") -> None:
        """Let a proxy before the server answer with 502 in HTML."""
        answer = Answer(502, BAD_GATEWAY, "text/html")
        self.faults.append(Fault(answer, where=where, times=times))

    def be_slow(self, seconds: float, times: int = 1, where: str = "") -> None:
        """Carry out and answer late."""
        self.faults.append(Fault(seconds=seconds, where=where, times=times))

    def lose_answer(self, times: int = 1, where: str = "POST /api/v4/posts") -> None:
        """Carry out, and cut the connection before the answer."""
        self.faults.append(Fault(is_lost=True, where=where, times=times))

    def cut(self, times: int = 1, where: str = "") -> None:
        """Cut the connection before anything is carried out."""
        self.faults.append(Fault(is_cut=True, where=where, times=times))
