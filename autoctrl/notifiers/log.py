"""Messages as lines of a file, or on stderr."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.config import SEVERITIES, Adapter, NotifierSettings, setting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.config import Settings


@dataclass(frozen=True)
class LogNotifierSettings(NotifierSettings):
    """``[notifiers.<name>]`` with ``type = "log"``: one line per message."""

    path: str = setting(
        "File to append to, below the project's folder; empty writes to stderr.",
        "",
        separate="path",
    )


class LogNotifier:
    """Appends one line per message: time, severity, environment, text, link."""

    def __init__(
        self,
        path: Path | None,
        severity: str = SEVERITIES[0],
        environment: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Write to ``path``, or to stderr without one; messages below ``severity`` are left out."""
        self._path, self._environment, self._now = path, environment, now
        self._told = SEVERITIES[SEVERITIES.index(severity) :]

    def notify(self, severity: str, text: str, link: str = "") -> None:
        """Write one line. A file that cannot be written is said on stderr, together with the
        message.
        """
        if severity not in self._told:
            return
        where = f"[{self._environment}] " if self._environment else ""
        time = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line = " ".join(f"{time} {severity} {where}{text} {link}".split())
        if self._path is None:
            _say(line)
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line + "\n")
        except OSError as error:
            _say(f"{line} (not written to {self._path}: {error.strerror})")


def _say(line: str) -> None:
    # A closed or full stderr is no reason to stop a cycle.
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return


def open_log(name: str, section: LogNotifierSettings, settings: Settings) -> LogNotifier:
    """Return the notifier of this table."""
    del name
    path = settings.path(section.path) if section.path else None
    return LogNotifier(path, section.severity, settings.environment)


ADAPTER = Adapter(LogNotifierSettings, open_log)
