"""Messages in a channel of Mattermost, by a bot or by a webhook: ``type = "mattermost"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, NotifierSettings, setting
from autoctrl.errors import MissingExtra, SettingsError, nearest

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.mattermost.address import Place
    from autoctrl.notifiers.mattermost.panel import Panel
    from autoctrl.ports import ChatServer, Notifier

OF_BOT = ("url", "token_file", "team", "channel")
TWO_FORMS = "A bot needs url, token_file, team and channel; a webhook needs webhook_file alone."


@dataclass(frozen=True)
class MattermostSettings(NotifierSettings):
    """``[notifiers.<name>]`` with ``type = "mattermost"``: a bot, or else a webhook."""

    url: str = setting(
        "Address of the server, as people open it in a browser.", "", separate="place"
    )
    token_file: str = setting("File that holds the token of a bot.", "")
    team: str = setting(
        "Name of the team, as it stands in the channel's address.", "", separate="place"
    )
    channel: str = setting(
        "Name of the channel, as it stands in its address.", "", separate="place"
    )
    webhook_file: str = setting(
        "File that holds the address of an incoming webhook, in place of a bot.",
        "",
        separate="path",
    )


def open_mattermost(name: str, section: MattermostSettings, settings: Settings) -> Notifier:
    """Return the notifier of this table; asks nobody.

    Raises ``SettingsError`` unless the table describes either a bot or a webhook.
    """
    check_form(name, section)
    if section.webhook_file:
        from autoctrl.notifiers.mattermost.webhook import MattermostWebhook

        return MattermostWebhook(name, settings.path(section.webhook_file), settings.environment)
    from autoctrl.notifiers.mattermost.bot import MattermostBot

    place, token_file = _find_place(name, section), settings.path(section.token_file)
    return MattermostBot(place, token_file, settings.environment, panel=_open_panel(settings))


def open_server(name: str, settings: Settings) -> ChatServer:
    """Return the server of a bot, for those who answer what people ask there; asks nobody.

    Raises ``SettingsError`` unless ``name`` is a notifier that is a bot.
    """
    section = settings.notifiers.get(name)
    if not isinstance(section, MattermostSettings) or section.webhook_file:
        message = f"[chat] notifier = '{name}' is not a bot of Mattermost."
        bots = [one for one, table in settings.notifiers.items() if table.type == "mattermost"]
        raise SettingsError(message, hint=f"{nearest(name, bots)} {TWO_FORMS}")
    check_form(name, section)
    from autoctrl.notifiers.mattermost.service import MattermostServer

    return MattermostServer(_find_place(name, section), settings.path(section.token_file))


def _find_place(name: str, section: MattermostSettings) -> Place:
    """Return where a bot posts. Raises ``SettingsError``."""
    from importlib.util import find_spec

    from autoctrl.mattermost.address import Place, read_server

    server = read_server(name, section.url)
    if find_spec("mattermostdriver") is None:
        what = f"[notifiers.{name}]"
        raise MissingExtra(what, "chat")
    return Place(name, server, section.team, section.channel)


def _open_panel(settings: Settings) -> Panel | None:
    """Return what makes buttons, None unless the settings say where these lead."""
    hooks = settings.hooks
    if not (hooks.url and hooks.secret_file):
        return None
    from autoctrl.notifiers.mattermost.panel import Panel

    return Panel(hooks.url, settings.path(hooks.secret_file), settings.environment)


def check_form(name: str, section: MattermostSettings) -> None:
    """Raise ``SettingsError`` unless a table has all that a bot needs, or a webhook and no more."""
    given = [key for key in OF_BOT if getattr(section, key)]
    missing = [key for key in OF_BOT if key not in given]
    if section.webhook_file and given:
        message = f"[notifiers.{name}] has a webhook_file and {', '.join(given)}, too."
        raise SettingsError(message, hint=f"Decide for one. {TWO_FORMS}")
    if not section.webhook_file and missing:
        message = f"[notifiers.{name}] lacks {', '.join(missing)}."
        raise SettingsError(message, hint=TWO_FORMS)


ADAPTER = Adapter(MattermostSettings, open_mattermost)
