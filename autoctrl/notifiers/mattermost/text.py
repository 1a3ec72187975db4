"""A message as a post: a bold title, the text as a block of code, where to read more. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.mattermost.quoting import LONGEST_POST, quote_block, quote_link, quote_title
from autoctrl.model.severity import Severity

if TYPE_CHECKING:
    from autoctrl.ports import Message

SIGNS = {Severity.ALARM: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
OVER = "🟢"


def spell_post(message: Message, environment: str = "") -> str:
    """Return what is posted: a bold title, the text as a block of code, where to read more."""
    title = f"[{environment}] {message.title}" if environment else message.title
    sign = OVER if message.is_over else SIGNS[message.severity]
    head = f"{sign} {quote_title(title)}"
    foot = quote_link(message.link)
    room = LONGEST_POST - len(head) - len(foot) - len("\n\n")
    return "\n".join(filter(None, [head, quote_block(message.text, room), foot]))
