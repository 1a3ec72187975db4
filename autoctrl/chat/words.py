"""What a person typed, as words: with quotes and dashes of all shapes. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

# A telephone writes curly quotes for straight ones, and one long dash for the two of an option.
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032"
QUOTES = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE, "'"))
DASHES = "\u2010-\u2015\u2212"
LONG_DASH = re.compile(f"-?[{DASHES}]+(?=[A-Za-z])")
BETWEEN_FIGURES = re.compile(f"(?<=[0-9])[{DASHES}](?=[0-9])")
# A quotation ends where a word does: the apostrophe of "wasn't" begins and ends nothing.
WORD = re.compile(
    r"""(?P<name>--?[A-Za-z][\w-]*=)?(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')(?!\S)|\S+"""
)


class Word(NamedTuple):
    """One word.

    text       without its quotes
    is_quoted  it stood in quotes, so that it is never an option
    """

    text: str
    is_quoted: bool = False

    @property
    def is_option(self) -> bool:
        """Whether it names an option."""
        return not self.is_quoted and bool(re.match(r"--[A-Za-z]", self.text))


def split_words(text: str) -> list[Word]:
    """Return the words of a text; what stands in quotes is one."""
    return [_read(found) for found in WORD.finditer(text.translate(QUOTES))]


def _read(found: re.Match[str]) -> Word:
    inside = found["double"] if found["double"] is not None else found["single"]
    if inside is None:
        return Word(_straighten(found.group()))
    if found["name"]:
        return Word(f"{found['name']}{inside}")
    return Word(inside, is_quoted=True)


def _straighten(word: str) -> str:
    """Return a word with the dashes that were meant: of an option, and between figures."""
    dashed = LONG_DASH.match(word)
    if dashed:
        word = f"--{word[dashed.end() :]}"
    return BETWEEN_FIGURES.sub("-", word)
