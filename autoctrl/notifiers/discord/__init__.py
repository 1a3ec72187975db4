"""Messages in a channel of Discord, by a webhook: ``type = "discord"``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, NotifierSettings, setting

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.notifiers.discord.notifier import DiscordNotifier


@dataclass(frozen=True)
class DiscordNotifierSettings(NotifierSettings):
    """``[notifiers.<name>]`` with ``type = "discord"``: one message per trouble."""

    webhook_file: str = setting(
        "File with the address of the webhook, which is a secret.", separate="path"
    )


def open_discord(
    name: str, section: DiscordNotifierSettings, settings: Settings
) -> DiscordNotifier:
    """Return the notifier of this table.

    Raises ``SettingsError`` if its file holds no address of a webhook.
    """
    from autoctrl.notifiers.discord.client import WebhookClient
    from autoctrl.notifiers.discord.notifier import DiscordNotifier
    from autoctrl.notifiers.discord.webhook import WebhookFile, read_webhook

    file = WebhookFile(name, settings.path(section.webhook_file), section.webhook_file)
    read_webhook(file)
    where = [settings.project.name, settings.environment]
    # Read again for each message: a new webhook counts without a restart.
    client = WebhookClient(partial(read_webhook, file))
    return DiscordNotifier(client, " · ".join(part for part in where if part))


ADAPTER = Adapter(DiscordNotifierSettings, open_discord)
