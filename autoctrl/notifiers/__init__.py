"""Who is told: all notifiers of the settings, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section
from autoctrl.model.names import ALERTS, STATE_FOLDER
from autoctrl.model.severity import Severity
from autoctrl.notifiers.everybody import Everybody, Listener

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.ports import Notifier

DEFAULT_LOG = f"{STATE_FOLDER}/{ALERTS}"


def open_notifier(settings: Settings) -> Notifier:
    """Return one notifier for all that the settings name; without any, a log in the project.

    Raises ``SettingsError`` if what a table says makes no sense.
    """
    if not settings.notifiers:
        from autoctrl.notifiers.log import LogNotifierSettings, open_log

        return open_log("", LogNotifierSettings(type="log", path=DEFAULT_LOG), settings)
    return Everybody(
        [
            Listener(
                name, open_section("notifiers", name, section, settings), Severity(section.severity)
            )
            for name, section in settings.notifiers.items()
        ]
    )
