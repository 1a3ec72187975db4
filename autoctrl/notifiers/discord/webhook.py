"""The address of a webhook: whoever knows it can write into its channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from autoctrl.errors import SettingsError
from autoctrl.model.secret import REDACTED

if TYPE_CHECKING:
    from pathlib import Path

TLS_PORT = 443
LONGEST_FILE = 2000
# Another host would be sent what jobs print. The loopback is for tests; nothing else goes without
# TLS.
ADDRESS = re.compile(
    r"(?:https://(?P<host>(?:ptb\.|canary\.)?discord(?:app)?\.com)(?::443)?"
    r"|http://(?P<local>127\.0\.0\.1):(?P<port>\d{1,5}))"
    r"/api(?:/v\d+)?/webhooks/(?P<number>\d{17,20})/(?P<token>[A-Za-z0-9_-]{50,100})/?"
    r"(?:\?thread_id=(?P<thread>\d{17,20}))?",
    re.ASCII,
)


class WebhookFile(NamedTuple):
    """Where the address stands.

    notifier  name of the notifier
    path      the file
    shown_as  the file as the settings name it
    """

    notifier: str
    path: Path
    shown_as: str


@dataclass(frozen=True)
class Webhook:
    """One webhook.

    host    host of Discord
    number  its id
    token   the secret part of its address
    port    port of the host
    is_tls  whether it is asked by TLS, as all but those of tests are
    thread  id of the thread that its messages lie in, empty if in none
    file    the file of its address, as people know it
    """

    host: str
    number: str
    token: str = field(repr=False)
    port: int = TLS_PORT
    is_tls: bool = True
    thread: str = ""
    file: str = ""

    def target(self, message_id: str = "", *, is_post: bool = False) -> str:
        """Return path and query of a request: always of the version that we know."""
        path = f"/api/v10/webhooks/{self.number}/{self.token}"
        path += f"/messages/{message_id}" if message_id else ""
        query = {"wait": "true"} if is_post else {}
        query |= {"thread_id": self.thread} if self.thread and (is_post or message_id) else {}
        return f"{path}?{urlencode(query)}" if query else path

    def redact(self, text: str) -> str:
        """Return a text without the token."""
        return text.replace(self.token, REDACTED)


def parse_webhook(text: str, file: str = "") -> Webhook | None:
    """Return the webhook of an address, None if it is none of Discord's."""
    found = ADDRESS.fullmatch(text)
    if found is None:
        return None
    return Webhook(
        host=found["host"] or found["local"],
        number=found["number"],
        token=found["token"],
        port=int(found["port"] or TLS_PORT),
        is_tls=found["local"] is None,
        thread=found["thread"] or "",
        file=file,
    )


def read_webhook(file: WebhookFile) -> Webhook:
    """Return the webhook whose address a file holds. Raises ``SettingsError`` without one."""
    setting = f"[notifiers.{file.notifier}] webhook_file"
    try:
        with file.path.open(encoding="utf-8") as opened:
            text = opened.read(LONGEST_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not hold text"
        message = f"{setting}: {file.shown_as} cannot be read: {why}."
        raise SettingsError(
            message, hint="Name a file that this user may read, with the address of a webhook."
        ) from error
    webhook = parse_webhook(text, file.shown_as)
    if webhook is None:
        message = f"{setting}: {file.shown_as} does not hold the address of a webhook of Discord."
        raise SettingsError(
            message,
            hint="Copy the address that Discord shows, https://discord.com/api/webhooks/…, and "
            "nothing else into it.",
        )
    return webhook
