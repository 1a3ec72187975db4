"""Where runs come from: raw files that appear, run tables, whatever else is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.ports import Source


def open_sources(settings: Settings) -> list[Source]:
    """Return the sources of the settings, in their order.

    Raises ``SettingsError`` if what a table says makes no sense.
    """
    return [
        open_section("sources", name, section, settings)
        for name, section in settings.sources.items()
    ]
