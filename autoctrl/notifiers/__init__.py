"""Who is told: the notifiers that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section
from autoctrl.model.names import ALERTS
from autoctrl.model.severity import Severity
from autoctrl.notifiers.listener import Listener

if TYPE_CHECKING:
    from autoctrl.config import Settings

DEFAULT_NAME = "log"


def list_notifiers(settings: Settings) -> list[str]:
    """Return the names of the notifiers: without any in the settings, a log in the project."""
    return [*settings.notifiers] or [DEFAULT_NAME]


def open_listener(settings: Settings, name: str) -> Listener:
    """Return one of the notifiers.

    Raises ``SettingsError`` if what its table says makes no sense.
    """
    if name not in settings.notifiers:
        from autoctrl.notifiers.log import LogNotifierSettings, open_log

        path = f"{settings.state.folder}/{ALERTS}"
        section = LogNotifierSettings(type="log", path=path)
        return Listener(name, open_log(name, section, settings))
    table = settings.notifiers[name]
    return Listener(
        name,
        open_section("notifiers", name, table, settings),
        Severity(table.severity),
        tuple(table.workflows.replace(",", " ").split()),
    )
