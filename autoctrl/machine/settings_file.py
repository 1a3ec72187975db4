"""The file of the settings, which somebody may break while a process goes by what it has read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.config import load_settings
from autoctrl.config.settings import FILE_NAME
from autoctrl.errors import SettingsError
from autoctrl.model.condition import ConditionKind, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.config import Settings

    Signature = tuple[int, int, int]

NS_PER_S = 1e9


class SettingsFile:
    """Reads the settings again when their file has changed."""

    def __init__(self, settings: Settings) -> None:
        """Take the file as it is now for what was read."""
        self._folder, self._environment = settings.folder, settings.environment
        self._seen = _signature(self._folder / FILE_NAME)
        self._reason = ""

    def broken_since(self, now: datetime) -> datetime:
        """Return when the file was last changed, ``now`` if it is gone."""
        changed = self._seen
        return now if changed is None else datetime.fromtimestamp(changed[0] / NS_PER_S, UTC)

    def judge(self) -> Verdict:
        """Return whether a process that starts now could read the settings."""
        now = _signature(self._folder / FILE_NAME)
        if now != self._seen:
            self._seen, self._reason = now, self._why_unreadable()
        return Verdict(ConditionKind.SETTINGS, FILE_NAME, self._reason)

    def _why_unreadable(self) -> str:
        try:
            load_settings(self._folder, environment=self._environment or None)
        except SettingsError as error:
            return str(error)
        return ""


def _signature(path: Path) -> Signature | None:
    """Return what changes with the content of a file, None if there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
