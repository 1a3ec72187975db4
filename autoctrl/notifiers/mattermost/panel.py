"""The buttons below a bot's messages, signed anew each time that a message is written."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from autoctrl.config import read_secret_lines
from autoctrl.errors import NotifierError, SettingsError
from autoctrl.mattermost.buttons import Button, Key, sign_button, spell_buttons
from autoctrl.model.signature import SHORTEST_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.ports import Message

STYLES = {"retry": "primary"}


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class Panel:
    """Makes buttons that lead to the listener."""

    def __init__(
        self,
        url: str,
        secret_file: Path,
        environment: str = "",
        *,
        now: Callable[[], datetime] = _wall_clock,
    ) -> None:
        """Lead to ``url``; the key is read when it is needed."""
        self._url, self._secret_file, self._environment = url, secret_file, environment
        self._now = now

    def attach(self, message: Message) -> list[dict[str, Any]]:
        """Return the attachments that show what people may ask for below a message.

        A key that cannot be read leaves people without buttons, not without the message: ``check``
        says so.
        """
        if message.subject is None or message.below:
            return []
        try:
            keys = self._keys()
        except SettingsError:
            return []
        store, campaign, tasks = message.subject
        shown = []
        for action in message.actions:
            button = Button(store, self._environment, campaign, message.key, action.verb, tasks)
            context = sign_button(keys, button, self._now(), secrets.token_hex(16))
            key = Key(action.verb, action.name, STYLES.get(action.verb, "default"))
            shown.append((key, context))
        return spell_buttons(self._url, shown)

    def check(self) -> None:
        """Raise ``NotifierError`` if messages go without buttons because of the key."""
        try:
            self._keys()
        except SettingsError as error:
            raise NotifierError(error.message, hint=error.hint) from error

    def _keys(self) -> tuple[str, ...]:
        path = self._secret_file
        return read_secret_lines(path, "[hooks] secret_file", shortest=SHORTEST_KEY)
