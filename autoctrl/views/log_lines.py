"""A log as numbered lines: a window of it, and the lines that have a word. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = 1000
MOST_FOUND = 500
LONGEST_LINE = 4000


class LogLine(NamedTuple):
    """One line.

    number    from 1
    text      of the line, its end left out if it is very long
    left_out  number of characters left out
    """

    number: int
    text: str
    left_out: int = 0


class LogWindow(NamedTuple):
    """Some lines of a log, one after the other.

    lines  what is shown
    total  number of lines of the log
    older  first line of the window before it, None if there is none
    newer  first line of the window after it, None if there is none
    """

    lines: tuple[LogLine, ...]
    total: int
    older: int | None
    newer: int | None


class Found(NamedTuple):
    """The lines that have a word; of very many only the first."""

    lines: tuple[LogLine, ...]
    total: int


def split_lines(text: str) -> list[str]:
    """Return the lines of a log; a line that has not ended yet is one too."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def window(lines: Sequence[str], first: int | None = None, length: int = WINDOW) -> LogWindow:
    """Return ``length`` lines from number ``first`` on, by default the last ones."""
    total = len(lines)
    last_first = max(1, total - length + 1)
    begin = last_first if first is None else max(1, min(first, total))
    shown = lines[begin - 1 : begin - 1 + length]
    end = begin + len(shown)
    return LogWindow(
        lines=tuple(_line(begin + index, text) for index, text in enumerate(shown)),
        total=total,
        older=max(1, begin - length) if begin > 1 else None,
        newer=end if end <= total else None,
    )


def search(lines: Sequence[str], word: str, most: int = MOST_FOUND) -> Found:
    """Return the lines that have a word, whether its letters are large or small."""
    wanted = word.casefold()
    found = [number for number, text in enumerate(lines, 1) if wanted in text.casefold()]
    shown = tuple(_line(number, lines[number - 1]) for number in found[:most])
    return Found(shown, len(found))


def _line(number: int, text: str) -> LogLine:
    return LogLine(number, text[:LONGEST_LINE], max(0, len(text) - LONGEST_LINE))
