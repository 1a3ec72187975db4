"""The notifiers that must keep the contract, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import parse_settings
from autoctrl.notifiers.log import LogNotifierSettings, open_log
from autoctrl.testing import RecordingNotifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.conformance import NotifierSubject
    from autoctrl.ports import Notifier


class Recording:
    """The double for authors' tests."""

    def __init__(self, folder: Path) -> None:
        del folder
        self.notifier = RecordingNotifier()

    def open(self) -> Notifier:
        return self.notifier

    def seen(self) -> str:
        return "\n".join(map(str, self.notifier.shown.values()))

    def break_service(self) -> None:
        self.notifier.is_down = True


class Log:
    """A log in a folder that becomes a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "alerts" / "alerts.log"
        self.settings = parse_settings("", folder, environ={})

    def open(self) -> Notifier:
        return open_log("desk", LogNotifierSettings(type="log", path=str(self.path)), self.settings)

    def seen(self) -> str:
        return self.path.read_text()

    def break_service(self) -> None:
        self.path.unlink()
        self.path.parent.rmdir()
        self.path.parent.write_text("in the way")


NOTIFIERS: dict[str, Callable[[Path], NotifierSubject]] = {
    "recording": Recording,
    "log": Log,
}
