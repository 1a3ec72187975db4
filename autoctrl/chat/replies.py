"""What a person is answered, and how that is written for Mattermost. Pure.

Whatever is said may hold what jobs have printed, so all of it is quoted here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.mattermost.quoting import LONGEST_POST, quote_block, quote_line, quote_link

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
    sentences = list(reply.sentences)[:MOST_LINES]
    room = MOST_LINES - len(sentences)
    lines = [_shorten(line) for line in list(reply.lines)[:room]]
    is_cut = len(reply.sentences) > len(sentences) or len(reply.lines) > len(lines)
    head = "\n".join(quote_line(sentence) for sentence in sentences)
    foot = ""
    if is_cut:
        number = len(reply.sentences) + len(reply.lines) - len(sentences) - len(lines)
        foot = f"and {number} more lines: {quote_link(reply.link)}".rstrip(": ")
    head = head[: LONGEST_POST // 2]
    block = quote_block("\n".join(lines), LONGEST_POST - len(head) - len(foot) - SPARE)
    return "\n".join(filter(None, [head, block, foot]))


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
