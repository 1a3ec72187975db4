"""A server of Mattermost as those see it who answer what people ask there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.mattermost.address import read_secret
from autoctrl.notifiers.mattermost.calls import Calls
from autoctrl.notifiers.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autoctrl.mattermost.address import Place

DIALOG_S = 2.0  # a trigger is good for a few seconds only
ANSWER_S = 8.0


class MattermostServer:
    """Opens dialogs and answers in threads, with the token of a bot; asks nobody before."""

    def __init__(self, place: Place, token_file: Path) -> None:
        """Act as the bot whose token a file holds, which is read each time."""
        self.address, self.team = str(place.server), place.team
        self._place, self._token_file = place, token_file

    def open_dialog(self, trigger_id: str, url: str, dialog: Mapping[str, object]) -> None:
        """Show a dialog to whoever pulled the trigger. Raises ``NotifierError``."""
        self._calls(DIALOG_S).open_dialog(
            {"trigger_id": trigger_id, "url": url, "dialog": dict(dialog)}
        )

    def answer(self, channel_id: str, message_id: str, text: str) -> None:
        """Say something in the thread of a post. Raises ``NotifierError``."""
        content = {"channel_id": channel_id, "root_id": message_id, "message": text}
        self._calls(ANSWER_S).create(content)

    def _calls(self, limit_s: float) -> Calls:
        token = read_secret(self._place.notifier, "token_file", self._token_file)
        return Calls(self._place, token, Patience(limit_s, time_left=lambda: limit_s))
