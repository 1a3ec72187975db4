"""The server behind which people talk to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChatServer(Protocol):
    """The server of a chat, where we act as a bot; may be used by several threads.

    address  as people open it in a browser, without a slash at its end
    team     name of the team whose people talk to us
    """

    address: str
    team: str

    def open_dialog(self, trigger_id: str, url: str, dialog: Mapping[str, object]) -> None:
        """Show a dialog to whoever pulled the trigger; what is filled in is sent to ``url``.

        Raises ``NotifierError``.
        """

    def answer(self, channel_id: str, message_id: str, text: str) -> None:
        """Say something in the thread of a message. Raises ``NotifierError``."""
