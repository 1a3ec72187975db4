"""Where runs come from: raw files that appear, and run tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import FilesSourceSettings

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.ports import Source


def open_sources(settings: Settings) -> list[Source]:
    """Return the sources of the settings, in their order; each is imported only if it is used.

    Raises ``SettingsError`` if a pattern or a command makes no sense.
    """
    sources: list[Source] = []
    for name, section in settings.sources.items():
        if isinstance(section, FilesSourceSettings):
            from autoctrl.sources.files import open_files

            sources.append(open_files(name, section, settings))
        else:
            from autoctrl.sources.table import TableSource

            sources.append(
                TableSource(name, settings.path(section.path), section, settings.attributes)
            )
    return sources
