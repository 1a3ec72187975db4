"""Whom a message notifies, read as Mattermost's own Markdown parser reads it.

Names in code notify nobody. A backslash keeps nobody from being notified: it only keeps a backtick
from opening a code span. A character reference such as ``&#64;`` is as good as what it stands for.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

QUOTE = re.compile(r" {0,3}> ?")
FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
LIST_ITEM = re.compile(r" {0,3}([-+*]|\d{1,9}[.)])( |$)")
REFERENCE = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,8}|\w{1,31});")
DESTINATION = re.compile(r"\]\([^()\s\\`]*\)")
ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
WORD = re.compile(r"[:.\-_@\w]+")
EVERYBODY = frozenset({"all", "channel", "here"})


def mentions(text: str) -> frozenset[str]:
    """Return the names, in lower case and without ``@``, that a text mentions outside of code."""
    return frozenset(
        name
        for block in _blocks(text)
        for run in _runs(block)
        for word in WORD.findall(run)
        for name in _names(word)
    )


class _Fence:
    """An open fence: its mark and how deep in quotations it lies."""

    def __init__(self, mark: str, depth: int) -> None:
        self.mark = mark
        self.depth = depth

    def is_closed_by(self, line: str) -> bool:
        stripped = line.strip()
        is_mark = set(stripped) == {self.mark[0]} and len(stripped) >= len(self.mark)
        return is_mark and len(line) - len(line.lstrip(" ")) < 4


def _blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text: what is neither fenced nor indented code."""
    fence: _Fence | None = None
    paragraph: list[str] = []
    is_in_list = False
    for whole in [*re.split(r"\r\n|\r|\n", text), ""]:
        line, depth = _strip_quotes(whole)
        if fence and depth >= fence.depth:
            fence = None if fence.is_closed_by(line) else fence
            continue
        opening = FENCE.match(line)
        fence = _Fence(opening.group(1), depth) if opening else None
        if opening or not line.strip():
            yield "\n".join(paragraph)
            paragraph = []
            continue
        is_indented = line.startswith(("    ", "\t"))
        is_in_list = bool(LIST_ITEM.match(line)) or (is_in_list and line.startswith((" ", "\t")))
        if paragraph or is_in_list or not is_indented:
            paragraph.append(line)


def _strip_quotes(line: str) -> tuple[str, int]:
    """Return a line without the marks of quotations, and how many there were."""
    depth = 0
    while found := QUOTE.match(line):
        line = line[found.end() :]
        depth += 1
    return line, depth


def _runs(block: str) -> Iterator[str]:
    """Yield the stretches of a paragraph between code, with escapes and references resolved."""
    text = ""
    position = 0
    while position < len(block):
        rest = block[position:]
        if rest[0] == "`":
            length = len(rest) - len(rest.lstrip("`"))
            code = re.compile(rf".*?(?<!`)`{{{length}}}(?!`)", re.DOTALL).match(rest[length:])
            if code:
                yield text
                text, position = "", position + length + code.end()
            else:
                text, position = text + rest[:length], position + length
            continue
        piece, length = _piece(rest, has_bracket="[" in text)
        text, position = text + piece, position + length
    yield text


def _piece(rest: str, *, has_bracket: bool) -> tuple[str, int]:
    """Return what the beginning of ``rest`` stands for, and how long it is."""
    if rest[0] == "\\" and rest[1:2] in ESCAPABLE:
        return rest[1], 2
    if rest[0] == "&" and (reference := REFERENCE.match(rest)):
        return html.unescape(reference.group()), reference.end()
    if has_bracket and (destination := DESTINATION.match(rest)):
        return "]", destination.end()
    return rest[0], 1


def _names(word: str) -> Iterator[str]:
    """Yield whom a word mentions: a word may be ``@name.``, or hold ``@name`` after a stop."""
    if word[0] == word[-1] == ":":
        return  # an emoji
    word = word.lstrip(":.-_")
    for part in [word] if word.startswith("@") else re.split(r"[.:-]", word):
        name = part[1:].rstrip(".-:_").lower()
        if part.startswith("@") and name and "@" not in name:
            yield name
