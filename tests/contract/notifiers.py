"""The notifiers that must keep the contract, one line each."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import parse_settings
from autoctrl.notifiers import open_listener
from autoctrl.notifiers.command import CommandNotifierSettings, open_command
from autoctrl.notifiers.discord import DiscordNotifierSettings, open_discord
from autoctrl.notifiers.log import LogNotifierSettings, open_log
from autoctrl.testing import RecordingNotifier
from tests.contract.fakes.discord.client import WIDE
from tests.fakes.discord import Discord
from tests.fakes.mattermost import Mattermost, furnish

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from autoctrl.conformance import NotifierSubject
    from autoctrl.ports import Notifier


class Recording:
    """The double for authors' tests."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        del folder, stack
        self.notifier = RecordingNotifier()

    def open(self) -> Notifier:
        return self.notifier

    def seen(self) -> str:
        return "\n".join(map(str, self.notifier.shown.values()))

    def break_service(self) -> None:
        self.notifier.is_down = True


class Log:
    """A log in a folder that becomes a file."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        del stack
        self.path = folder / "alerts" / "alerts.log"
        self.settings = parse_settings("", folder, environ={})

    def open(self) -> Notifier:
        return open_log("desk", LogNotifierSettings(type="log", path=str(self.path)), self.settings)

    def seen(self) -> str:
        return self.path.read_text()

    def break_service(self) -> None:
        self.path.unlink()
        self.path.parent.rmdir()
        self.path.parent.write_text("in the way")


class MattermostSubject:
    """A channel of a fake server."""

    table: str

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.server = stack.enter_context(Mattermost())
        self.scene = furnish(self.server)

    def open(self) -> Notifier:
        text = f"[notifiers.shift]\ntype = 'mattermost'\n{self.table}"
        settings = parse_settings(text, self.folder, environ={})
        return open_listener(settings, "shift").notifier

    def seen(self) -> str:
        return "\n".join(post.message for post in self.server.posts)

    def break_service(self) -> None:
        self.server.stop()


class MattermostBot(MattermostSubject):
    """A bot in the channel."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        pytest.importorskip("mattermostdriver")
        super().__init__(folder, stack)
        (folder / "token").write_text(self.scene.bot.token)
        names = f"team = '{self.scene.team.name}'\nchannel = '{self.scene.channel.name}'\n"
        self.table = f"url = '{self.server.url}'\ntoken_file = 'token'\n{names}"


class MattermostWebhook(MattermostSubject):
    """A webhook into the channel."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        super().__init__(folder, stack)
        hook = self.server.add_hook(self.scene.owner, self.scene.channel)
        (folder / "webhook").write_text(self.server.hook_url(hook))
        self.table = "webhook_file = 'webhook'\n"


class DiscordChannel:
    """A channel of Discord whose webhook is deleted."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.service = stack.enter_context(Discord(limits=WIDE))
        self.file = folder / "webhook"
        self.file.write_text(self.service.url)
        self.settings = parse_settings("", folder, environ={})

    def open(self) -> Notifier:
        section = DiscordNotifierSettings(type="discord", webhook_file=str(self.file))
        return open_discord("shift", section, self.settings)

    def seen(self) -> str:
        embeds = [embed for message in self.service.messages for embed in message.embeds]
        shown = "\n".join(f"{embed['title']}\n{embed['description']}" for embed in embeds)
        return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", shown)

    def break_service(self) -> None:
        self.service.revoke()


class Command:
    """A program that writes down what it reads, and is deleted."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        del stack
        self.folder = folder
        self.program = folder / "write-down"
        self.program.write_text("#!/bin/sh\ncat >>told\n")
        self.program.chmod(0o755)
        self.settings = parse_settings("", folder, environ={})

    def open(self) -> Notifier:
        section = CommandNotifierSettings(type="command", argv=str(self.program))
        return open_command("mail", section, self.settings)

    def seen(self) -> str:
        told = [json.loads(line) for line in (self.folder / "told").read_text().splitlines()]
        return "\n".join(f"{one['title']}\n{one['text']}\n{one['link']}" for one in told)

    def break_service(self) -> None:
        self.program.unlink()


NOTIFIERS: dict[str, Callable[[Path, ExitStack], NotifierSubject]] = {
    "recording": Recording,
    "log": Log,
    "mattermost-bot": MattermostBot,
    "mattermost-webhook": MattermostWebhook,
    "discord": DiscordChannel,
    "command": Command,
}
