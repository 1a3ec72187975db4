"""What a Mattermost server keeps: people, channels, posts with their edits, hooks, commands."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.mattermost.mentions import mentions

ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
ID_LENGTH = 26
ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_random = random.Random()


def new_id() -> str:
    """Return 26 characters as the server makes them."""
    return "".join(_random.choices(ALPHABET, k=ID_LENGTH))


def is_id(value: object) -> bool:
    """Say whether something has the shape of an id."""
    return isinstance(value, str) and len(value) == ID_LENGTH and set(value) <= ID_CHARACTERS


@dataclass(eq=False)
class User:
    """A person or a bot, with the token of its own and its rights beyond those of a member."""

    name: str
    is_bot: bool = False
    id: str = field(default_factory=new_id)
    token: str = field(default_factory=new_id)
    permissions: set[str] = field(default_factory=set)
    is_active: bool = True


@dataclass(eq=False)
class Team:
    """A team and the ids of its members."""

    name: str
    id: str = field(default_factory=new_id)
    members: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Channel:
    """A channel: ``type`` is O for open, P for private, D for direct; a direct one has no team."""

    name: str
    team_id: str = ""
    type: str = "O"
    id: str = field(default_factory=new_id)
    members: set[str] = field(default_factory=set)

    def view(self) -> dict[str, Any]:
        """Return the channel as clients see it."""
        shown = {"id": self.id, "team_id": self.team_id, "type": self.type, "name": self.name}
        return {**shown, "display_name": self.name, "create_at": 1, "delete_at": 0}


@dataclass(frozen=True)
class Version:
    """What a post said from ``at`` on, in milliseconds since 1970, and whom that mentions."""

    at: int
    message: str
    props: dict[str, Any]
    is_pinned: bool = False

    @property
    def mentions(self) -> frozenset[str]:
        """The names that are mentioned outside of code, by the message and its attachments."""
        return frozenset().union(*map(mentions, [self.message, *self._attached()]))

    def _attached(self) -> list[str]:
        texts: list[str] = []
        for one in attachments_of(self.props):
            texts += [str(one.get("pretext") or ""), str(one.get("text") or "")]
            texts += [str(each.get("value", "")) for each in one.get("fields") or []]
        return texts


@dataclass(eq=False)
class Post:
    """A post with all that it ever said; ``ephemeral_for`` is the only one who sees it."""

    user_id: str
    channel_id: str
    versions: list[Version]
    root_id: str = ""
    type: str = ""
    priority: dict[str, Any] = field(default_factory=dict)
    file_ids: list[str] = field(default_factory=list)
    ephemeral_for: str = ""
    is_silent: bool = False
    id: str = field(default_factory=new_id)
    update_at: int = 0
    delete_at: int = 0
    reactions: set[tuple[str, str]] = field(default_factory=set)
    notified: frozenset[str] = frozenset()

    @property
    def last(self) -> Version:
        """What it says now."""
        return self.versions[-1]

    @property
    def message(self) -> str:
        """The message that it has now."""
        return self.last.message

    @property
    def props(self) -> dict[str, Any]:
        """The props that it has now, with what clients do not see."""
        return self.last.props

    @property
    def create_at(self) -> int:
        """When it was made, in milliseconds since 1970."""
        return self.versions[0].at

    @property
    def actions(self) -> list[dict[str, Any]]:
        """The buttons and menus that it has now."""
        return [action for one in attachments_of(self.props) for action in one.get("actions") or []]

    def view(self) -> dict[str, Any]:
        """Return the post as clients see it: no action tells where it leads."""
        edit_at = self.last.at if len(self.versions) > 1 else 0
        shown = {"id": self.id, "user_id": self.user_id, "channel_id": self.channel_id}
        shown |= {"root_id": self.root_id, "message": self.message, "type": self.type}
        shown |= {"original_id": "", "hashtags": "", "pending_post_id": ""}
        return {
            **shown,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "edit_at": edit_at,
            "delete_at": self.delete_at,
            "is_pinned": self.last.is_pinned,
            "props": strip_integrations(self.props),
            "file_ids": self.file_ids,
            "metadata": {"priority": self.priority} if self.priority else {},
        }


@dataclass(eq=False)
class Hook:
    """An incoming webhook: who owns it, where it posts, and whether it may post elsewhere."""

    user_id: str
    channel_id: str
    team_id: str
    is_locked: bool = False
    id: str = field(default_factory=new_id)


@dataclass(eq=False)
class Command:
    """A slash command; ``fields`` are what its owner chose."""

    team_id: str
    creator_id: str
    fields: dict[str, Any]
    at: int
    id: str = field(default_factory=new_id)
    token: str = field(default_factory=new_id)
    update_at: int = 0

    @property
    def trigger(self) -> str:
        """The word after the slash."""
        return str(self.fields["trigger"])

    def view(self) -> dict[str, Any]:
        """Return the command as those see it who may change it."""
        times = {"create_at": self.at, "update_at": self.update_at or self.at, "delete_at": 0}
        names = {"id": self.id, "token": self.token, "creator_id": self.creator_id}
        return {**self.fields, **names, **times, "team_id": self.team_id}


@dataclass(eq=False)
class ResponseUrl:
    """Where an integration may answer a command later; counts how often it has."""

    command: Command
    user_id: str
    channel_id: str
    root_id: str
    at: float
    uses: int = 0
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Trigger:
    """What a person did that may open a dialog."""

    id: str
    user_id: str
    channel_id: str
    team_id: str


@dataclass(eq=False)
class Dialog:
    """A dialog that a person sees."""

    trigger: Trigger
    url: str
    content: dict[str, Any]
    is_open: bool = True

    @property
    def elements(self) -> list[dict[str, Any]]:
        """What is asked for."""
        return self.content.get("elements") or []


@dataclass
class State:
    """All that a server keeps, by id."""

    users: dict[str, User] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    dialogs: list[Dialog] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


def attachments_of(props: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the attachments among a post's props that have the right shape."""
    found = props.get("attachments")
    every = found if isinstance(found, list) else []
    return [one for one in every if isinstance(one, dict)]


def strip_integrations(props: dict[str, Any]) -> dict[str, Any]:
    """Return props without the addresses and contexts of actions."""
    if "attachments" not in props:
        return props
    return {**props, "attachments": [_strip(one) for one in attachments_of(props)]}


def _strip(attachment: dict[str, Any]) -> dict[str, Any]:
    if "actions" not in attachment:
        return attachment
    actions = [
        {key: value for key, value in action.items() if key != "integration"}
        for action in attachment["actions"]
    ]
    return {**attachment, "actions": actions}
