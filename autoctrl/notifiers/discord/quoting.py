"""What Discord shows of a message: within limits, and without markup from what jobs print. Pure.

All is said in one embed, for embeds call nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from autoctrl.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.ports import Message

LONGEST_TITLE = 256
LONGEST_DESCRIPTION = 4096
# Discord bears 2048, but 6000 in all texts of a message.
LONGEST_FOOTER = 200
LONGEST_LINK = 1000
COLOURS: Mapping[Severity, int] = {
    Severity.INFO: 0x3498DB,
    Severity.WARNING: 0xF1C40F,
    Severity.ALARM: 0xE74C3C,
}
OVER_COLOUR = 0x2ECC71
NOBODY: Mapping[str, Any] = {"parse": []}

MARKUP = re.compile(r"[\\*_~`|<>@\[\]]|^[#-]")
# Neither control characters, nor halves of a character, nor what turns the direction of writing.
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
UNKNOWN = "\ufffd"
GAP = "\u200b"  # has no width
CUT = "…"
FENCE = "```"
WEB = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][A-Za-z0-9._~:/?#!$&'()+,;=%-]*)?")
# Ids hold the time: milliseconds since 2015 above 22 other bits.
EPOCH_MS = 1_420_070_400_000
OTHER_BITS = 22


def write_body(message: Message, where: str) -> dict[str, Any]:
    """Return the body that shows a message; ``where`` names project and environment."""
    return {"embeds": [write_embed(message, where)], "allowed_mentions": NOBODY}


def write_embed(message: Message, where: str) -> dict[str, Any]:
    """Return the one embed of a message."""
    title = " ".join(clean(message.title).split())
    shown = escape(title, LONGEST_TITLE)
    is_whole = shown == escape(title, 2 * len(title))
    text = message.text if is_whole else f"{title}\n{message.text}"
    return {
        "title": shown,
        "description": _describe(message, text),
        "color": OVER_COLOUR if message.is_over else COLOURS[message.severity],
        "footer": {"text": _footer(message, where)},
    }


def _describe(message: Message, text: str) -> str:
    """Return what stands below the title: what it reminds of, the text as it is, the link."""
    before = remind(message.below) if message.below else ""
    after = write_link(message.link)
    room = LONGEST_DESCRIPTION - sum(len(part) + 1 for part in (before, after) if part)
    return "\n".join(part for part in (before, fence(text, room), after) if part)


def _footer(message: Message, where: str) -> str:
    state = "over" if message.is_over else str(message.severity)
    again = "perhaps told before" if message.is_again else ""
    parts = (state, " ".join(clean(where).split()), again)
    return cut(" · ".join(part for part in parts if part), LONGEST_FOOTER)


def clean(text: str) -> str:
    """Return a text of lines that end in line feeds, its characters such as can be shown."""
    return UNFIT.sub(UNKNOWN, "\n".join(text.splitlines()))


def cut(text: str, most: int) -> str:
    """Return so many characters of a text at most; what was cut ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + CUT


def escape(text: str, most: int) -> str:
    """Return one line in which nothing is markup, so many characters at most, none in halves."""
    whole = MARKUP.sub(r"\\\g<0>", text)
    if len(whole) <= most:
        return whole
    shown = whole[: most - 1]
    backslashes = len(shown) - len(shown.rstrip("\\"))
    return shown[: len(shown) - backslashes % 2].rstrip() + CUT


def fence(text: str, most: int) -> str:
    """Return a text as one block of code, so many characters at most; empty if it says nothing.

    A block ends at the first three backticks, so that they are kept apart in it.
    """
    inner = re.sub("``(?=`)", f"``{GAP}", clean(text).strip())
    inner = cut(inner, most - len(f"{FENCE}\n\n{FENCE}"))
    return f"{FENCE}\n{inner}\n{FENCE}" if inner else ""


def write_link(link: str) -> str:
    """Return an address of the web as it is, for Discord makes it a link; all else as code."""
    line = " ".join(clean(link).split())
    if len(line) <= LONGEST_LINK and WEB.fullmatch(line):
        return line
    shown = cut(line.replace("`", "'"), LONGEST_LINK)
    return f"`{shown}`" if shown else ""


def remind(message_id: str) -> str:
    """Return the line that says which message a reminder is of.

    In ordinary channels a webhook can neither answer a message nor open a thread below it. Its time
    is shown as each reader's clock has it.
    """
    if not is_id(message_id):
        return "A reminder: this was told before."
    seconds = ((int(message_id) >> OTHER_BITS) + EPOCH_MS) // 1000
    return f"A reminder of the message of <t:{seconds}:f>."


def is_id(text: str) -> bool:
    """Say whether a text can be the id of a message of Discord."""
    return re.fullmatch(r"\d{17,20}", text, re.ASCII) is not None
