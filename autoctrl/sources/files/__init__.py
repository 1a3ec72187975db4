"""Runs as their raw files appear and close: ``type = "files"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import Adapter
from autoctrl.sources.files.settings import FilesSourceSettings

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.ports import Source


def open_files(name: str, section: FilesSourceSettings, settings: Settings) -> Source:
    """Return the source of this table.

    Raises ``SettingsError`` if the pattern or the command makes no sense.
    """
    from autoctrl.sources.files.source import make_source

    return make_source(name, section, settings)


ADAPTER = Adapter(FilesSourceSettings, open_files)
