"""A channel of Discord as people who are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import NotifierError, PerhapsTold
from autoctrl.notifiers.discord.client import Refused
from autoctrl.notifiers.discord.connection import NoAnswer
from autoctrl.notifiers.discord.quoting import clean, is_id, write_body

if TYPE_CHECKING:
    from autoctrl.notifiers.discord.client import WebhookClient
    from autoctrl.ports import Message

UNKNOWN_MESSAGE = 10008
LONGEST_FACT = 80


class DiscordNotifier:
    """Posts one message per trouble and changes it while the trouble lasts."""

    # Discord knows no key by which a message that was posted twice would be there once.
    has_safe_repeat = False

    def __init__(self, client: WebhookClient, where: str = "") -> None:
        """Tell by ``client``; ``where`` names project and environment for people."""
        self._client, self._where = client, where
        self._complaint: NotifierError | None = None

    def tell(self, message: Message) -> str | None:
        """Post a message; return its id. Raises ``PerhapsTold`` if the answer was lost."""
        try:
            answer = self._client.post(write_body(message, self._where))
        except NoAnswer as error:
            raise PerhapsTold(error.message, hint=error.hint) from error
        except NotifierError as error:
            self._complaint = error
            return None
        self._complaint = None
        return str(answer.body["id"])

    def change(self, message_id: str, message: Message) -> bool:
        """Replace a message; one of another notifier stays, and the new one is told beside it.

        A lost answer needs no care here: the same change again shows nothing twice.
        """
        if not is_id(message_id):
            return self.tell(message) is not None
        try:
            self._client.change(message_id, write_body(message, self._where))
        except Refused as error:
            # People have deleted it: they want to see no more of it, and nothing will bring it
            # back, so that trying again would never end.
            if error.code == UNKNOWN_MESSAGE:
                return True
            self._complaint = error
        except NotifierError as error:
            self._complaint = error
        else:
            self._complaint = None
        return self._complaint is None

    def ping(self) -> str:
        """Say which webhook answers; it posts nothing.

        Raises ``NotifierError``: first, without asking anew, for what the last message met.
        """
        complaint, self._complaint = self._complaint, None
        if complaint is not None:
            raise complaint
        body = self._client.describe().body
        return f"webhook {_spell(body.get('name'))} writes into {_spell(body.get('channel_id'))}"


def _spell(fact: object) -> str:
    """Return what Discord says of a webhook, in one line."""
    return " ".join(clean(str(fact or "?")).split())[:LONGEST_FACT]
