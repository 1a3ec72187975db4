"""Pieces of a log as numbered lines, and the lines that have a word. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.ports import LogPiece

MOST_FOUND = 500
LONGEST_LINE = 4000


class LogLine(NamedTuple):
    """One line.

    number    from 1; counted from the beginning of its piece where that is too far inside the log
    text      of the line, its end left out if it is very long
    left_out  number of characters left out
    """

    number: int
    text: str
    left_out: int = 0


class Match(NamedTuple):
    """A line that has the word, and where the piece begins in which it stands, in bytes."""

    line: LogLine
    begin: int


class Found(NamedTuple):
    """The lines that have a word.

    matches  the first of them
    total    number of lines that have it
    searched number of lines that were looked at
    """

    matches: tuple[Match, ...]
    total: int
    searched: int


def split_lines(text: str) -> list[str]:
    """Return the lines of a text; one that has not ended yet is one too."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def number_lines(piece: LogPiece) -> tuple[LogLine, ...]:
    """Return the lines of a piece."""
    return tuple(
        LogLine(number, text[:LONGEST_LINE], max(0, len(text) - LONGEST_LINE))
        for number, text in enumerate(split_lines(piece.text), piece.line or 1)
    )


def search(pieces: Iterable[LogPiece], word: str, most: int = MOST_FOUND) -> Found:
    """Return the lines that have a word, whether its letters are large or small."""
    wanted = word.casefold()
    matches: list[Match] = []
    total = searched = 0
    for piece in pieces:
        lines = split_lines(piece.text)
        searched += len(lines)
        if wanted not in piece.text.casefold():
            continue
        here = {number for number, text in enumerate(lines) if wanted in text.casefold()}
        total += len(here)
        if len(matches) < most:
            known = number_lines(piece)
            matches += [Match(known[number], piece.begin) for number in sorted(here)]
    return Found(tuple(matches[:most]), total, searched)
