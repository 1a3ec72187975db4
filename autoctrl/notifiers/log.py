"""Messages as lines of a file, or on stderr: ``type = "log"``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, NotifierSettings, setting
from autoctrl.errors import NotifierError
from autoctrl.notifiers.stderr import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.ports import Message


@dataclass(frozen=True)
class LogNotifierSettings(NotifierSettings):
    """``[notifiers.<name>]`` with ``type = "log"``: one line per message."""

    path: str = setting(
        "File to append to, below the project's folder; empty writes to stderr.",
        "",
        separate="path",
    )


class LogNotifier:
    """Appends one line per message: time, severity, environment, title, text, link."""

    has_safe_repeat = False

    def __init__(
        self,
        path: Path | None,
        environment: str = "",
        *,
        shown_as: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Write to ``path``, which people know as ``shown_as``, or to stderr without one."""
        self._path, self._environment, self._now = path, environment, now
        self._shown_as = shown_as or str(path)

    def tell(self, message: Message) -> str | None:
        """Write one line; return the message's key, for lines are found by what they are about.

        If the file cannot be written, the message goes to stderr with the reason.
        """
        line = self._line(message)
        if self._path is None:
            return message.key if say(line) else None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line + "\n")
        except OSError as error:
            say(f"{line} (not written to {self._path}: {error.strerror})")
            return None
        return message.key

    def change(self, message_id: str, message: Message) -> bool:
        """Write one more line: what was written stays."""
        del message_id
        return self.tell(message) is not None

    def ping(self) -> str:
        """Say where the lines go. Raises ``NotifierError`` if the file cannot be written."""
        if self._path is None:
            return "alerts are written to stderr"
        existing = next(path for path in (self._path, *self._path.parents) if path.exists())
        is_folder = existing.is_dir()
        if is_folder == (existing == self._path) or not os.access(existing, os.W_OK):
            message = f"The file {self._shown_as} for alerts cannot be written."
            raise NotifierError(message, hint=f"Check {existing}.")
        return f"alerts are written to {self._shown_as}"

    def _line(self, message: Message) -> str:
        time = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        where = f"[{self._environment}]" if self._environment else ""
        words = (time, message.severity, where, message.title, message.text, message.link)
        return " ".join(" ".join(words).split())


def open_log(name: str, section: LogNotifierSettings, settings: Settings) -> LogNotifier:
    """Return the notifier of this table."""
    del name
    path = settings.path(section.path) if section.path else None
    return LogNotifier(path, settings.environment, shown_as=section.path)


ADAPTER = Adapter(LogNotifierSettings, open_log)
