"""What Discord makes of a text: whom it calls, and what stays inside code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.discord.records import Message

BLOCK = re.compile(r"```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n].*?)\n*```", re.IGNORECASE | re.DOTALL)
SPAN = re.compile(r"(`+)(.*?[^`])\1(?!`)", re.DOTALL)
ESCAPED = re.compile(r"\\[^0-9A-Za-z\s]")
MARK = re.compile(r"[*_~|`@<\[\]]|(?m:^)[ \t]*[>#-]")
USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")


@dataclass(frozen=True)
class Mentions:
    """Whom a message notifies: everybody, those who are here, users and roles by their ids."""

    is_everyone: bool = False
    is_here: bool = False
    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


NOBODY = Mentions()


def mentions(message: Message) -> Mentions:
    """Return whom a message notifies, given its ``allowed_mentions``.

    Without those a webhook calls users. Embeds call nobody. Neither a backslash nor code is
    trusted to keep a mention from calling, nor the flag of a silent message, which hides a sound.
    """
    allowed = {"parse": ["users"]} if message.allowed_mentions is None else message.allowed_mentions
    kinds = allowed.get("parse") or ()
    is_everyone = "everyone" in kinds
    users = frozenset(USER.findall(message.content))
    roles = frozenset(ROLE.findall(message.content))
    return Mentions(
        is_everyone=is_everyone and "@everyone" in message.content,
        is_here=is_everyone and "@here" in message.content,
        users=users if "users" in kinds else users & frozenset(allowed.get("users") or ()),
        roles=roles if "roles" in kinds else roles & frozenset(allowed.get("roles") or ()),
    )


@dataclass(frozen=True)
class Layout:
    """How a text is shown.

    inside   the text of each code block, in order
    spans    the text of each piece of code within a line
    outside  all else: what stands here has left the code that it was meant for
    marks    the characters outside that Discord may take for markup, in order
    """

    inside: tuple[str, ...]
    spans: tuple[str, ...]
    outside: str
    marks: str

    @property
    def is_open(self) -> bool:
        """Whether three backticks begin a block that never ends."""
        return "```" in self.outside


def blocks(text: str) -> Layout:
    """Return what of a text lies in code and what does not, as Discord reads it.

    A block ends at the first three backticks, wherever they stand.
    """
    inside, spans, outside, plain = [], [], [], []
    position = 0
    while position < len(text):
        if found := BLOCK.match(text, position):
            inside.append(found[2])
            piece, bare = "", "\n"
        elif found := ESCAPED.match(text, position):
            piece, bare = found[0], "\\"
        elif found := SPAN.match(text, position):
            spans.append(found[2])
            piece, bare = "", "x"
        else:
            piece = bare = text[position]
        outside.append(piece)
        plain.append(bare)
        position = found.end() if found else position + 1
    marks = "".join(MARK.findall("".join(plain))).replace(" ", "").replace("\t", "")
    return Layout(tuple(inside), tuple(spans), "".join(outside), marks)
