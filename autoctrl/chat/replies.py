"""What a person is answered, and how that is written for Mattermost. Pure.

Whatever is said may hold what jobs have printed, so all of it is quoted here and nowhere else.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.mattermost.quoting import (
    LONGEST_POST,
    LONGEST_RUN,
    quote_block,
    quote_line,
    quote_link,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_LINES = 50
LONGEST_LINE = 400
SPARE = 200


class Reply(NamedTuple):
    """One answer.

    sentences    what is said, a line each
    lines        a table or a list, shown as it is
    link         address, or words, by which the rest is seen if not all lines are shown
    attachments  buttons below it
    following    gives the next answer once there is one; it may take long
    is_refusal   nothing was done
    """

    sentences: Sequence[str] = ()
    lines: Sequence[str] = ()
    link: str = ""
    attachments: Sequence[Mapping[str, Any]] = ()
    following: Callable[[], Reply] | None = None
    is_refusal: bool = False


def say(*sentences: str) -> Reply:
    """Return an answer of a few sentences."""
    return Reply(sentences)


def refuse(*sentences: str) -> Reply:
    """Return that nothing was done, and why."""
    return Reply(sentences, is_refusal=True)


def spell_reply(reply: Reply) -> str:
    """Return an answer as text of 50 lines at most; the rest is a link."""
    sentences = [quote_line(sentence) for sentence in reply.sentences]
    lines = [_shorten(piece) for line in reply.lines for piece in line.splitlines() or [""]]
    link = quote_link(reply.link)
    said = _fitting(sentences, MOST_LINES, LONGEST_POST // 2)
    head = "\n".join(said)
    room = LONGEST_POST - len(head) - len(link) - SPARE
    shown = _fitting(lines, MOST_LINES - len(said), room - 2 * LONGEST_RUN)
    number = len(sentences) + len(lines) - len(said) - len(shown)
    foot = f"and {number} more lines: {link}".rstrip(": ") if number else ""
    return "\n".join(filter(None, [head, quote_block("\n".join(shown), room), foot]))


def _fitting(lines: Sequence[str], most: int, longest: int) -> Sequence[str]:
    """Return the first lines, ``most`` at most, that have together at most so many characters."""
    lengths = accumulate(len(line) + 1 for line in lines[:most])
    return lines[: sum(length <= longest for length in lengths)]


def _shorten(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def as_response(reply: Reply) -> dict[str, Any]:
    """Return an answer to a command, which the caller alone sees."""
    answer: dict[str, Any] = {
        "response_type": "ephemeral",
        "text": spell_reply(reply),
        "skip_slack_parsing": True,
    }
    if reply.attachments:
        answer["attachments"] = [dict(one) for one in reply.attachments]
    return answer


def as_click_answer(reply: Reply) -> dict[str, Any]:
    """Return an answer to a click, which whoever clicked alone sees; nothing if nothing is said."""
    text = spell_reply(reply)
    return {"ephemeral_text": text, "skip_slack_parsing": True} if text else {}
