"""Where runs come from: raw files that appear, run tables, whatever else is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.config import Settings
    from autoctrl.ports import Seen, Source


def open_sources(settings: Settings) -> list[Source]:
    """Return the sources of the settings, in their order.

    One whose table makes no sense says so when it is asked, so that the others can be asked.
    """
    return [_open_source(settings, name) for name in settings.sources]


def _open_source(settings: Settings, name: str) -> Source:
    try:
        source: Source = open_section("sources", name, settings.sources[name], settings)
    except SettingsError as error:
        return Unopened(name, error)
    return source


class Unopened:
    """A source that cannot be opened."""

    problems: Sequence[str] = ()

    def __init__(self, name: str, error: SettingsError) -> None:
        """Be named as the settings name it; ``error`` says why."""
        self.name, self._error = name, error

    def discover(self) -> Iterable[Seen]:
        """Raise ``SettingsError``."""
        raise self._error
