"""Who is told: every notifier of the settings, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section
from autoctrl.notifiers.log import LogNotifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.config import Settings
    from autoctrl.ports import Notifier


class Everybody:
    """Tells each of several notifiers."""

    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        """Keep the notifiers, in their order."""
        self.notifiers = tuple(notifiers)

    def notify(self, severity: str, text: str, link: str = "") -> None:
        """Tell everybody."""
        for notifier in self.notifiers:
            notifier.notify(severity, text, link)


def open_notifier(settings: Settings) -> Notifier:
    """Return one notifier for all that the settings name; without any, ``.autoctrl/alerts.log`` is
    written.
    """
    if not settings.notifiers:
        return LogNotifier(
            settings.folder / ".autoctrl" / "alerts.log", environment=settings.environment
        )
    return Everybody(
        [
            open_section("notifiers", name, section, settings)
            for name, section in settings.notifiers.items()
        ]
    )
