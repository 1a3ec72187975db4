"""What limits the room that there is: a disk, a quota of EOS or AFS, an XRootD server, a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import open_section
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.model.quota import Usage
    from autoctrl.ports import Quota


def open_quotas(settings: Settings) -> dict[str, Quota]:
    """Return the quotas of the settings, by name and in their order.

    One whose table makes no sense says so when it is asked, so that the others can be asked.
    """
    return {name: _open_quota(settings, name) for name in settings.quotas}


def _open_quota(settings: Settings, name: str) -> Quota:
    try:
        quota: Quota = open_section("quotas", name, settings.quotas[name], settings)
    except SettingsError as error:
        return Unopened(name, error)
    return quota


class Unopened:
    """A quota that cannot be opened."""

    def __init__(self, name: str, error: SettingsError) -> None:
        """Be named as the settings name it; ``error`` says why."""
        self.name, self._error = name, error

    def ask(self) -> Usage | None:
        """Raise ``SettingsError``."""
        raise self._error
