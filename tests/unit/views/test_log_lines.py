"""Pieces of a log as numbered lines."""

from __future__ import annotations

import pytest

from autoctrl.ports import LogPiece
from autoctrl.views.log_lines import LONGEST_LINE, number_lines, search, split_lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]), ("\n", [""])],
)
def test_a_log_is_split_into_lines(text: str, lines: list[str]) -> None:
    """An empty line is a line, nothing after the last line end is none."""
    assert split_lines(text) == lines


@pytest.mark.parametrize(("line", "numbers"), [(7, [7, 8]), (1, [1, 2]), (None, [1, 2])])
def test_lines_are_numbered_as_they_stand_in_the_log(line: int | None, numbers: list[int]) -> None:
    """Or from the piece's beginning, where nobody counts so far."""
    piece = LogPiece("a\nb\n", line=line)
    assert [(one.number, one.text) for one in number_lines(piece)] == [
        *zip(numbers, "ab", strict=True)
    ]


def test_lines_that_have_a_word_are_found_in_all_pieces() -> None:
    """Large letters or small; of very many the first, and all are counted."""
    pieces = [
        LogPiece("Error\nfine\n", begin=0, line=1),
        LogPiece("fine\n", begin=11, line=3),
        LogPiece("an ERROR\nerror\n", begin=16, line=4),
        LogPiece("error\n", begin=31, line=6),
    ]
    found = search(pieces, "error", most=2)
    assert [(match.line.number, match.begin) for match in found.matches] == [(1, 0), (4, 16)]
    assert (found.total, found.searched) == (4, 6)


def test_a_very_long_line_is_cut() -> None:
    """With how much is left out."""
    (line,) = number_lines(LogPiece("x" * (LONGEST_LINE + 7)))
    assert (len(line.text), line.left_out) == (LONGEST_LINE, 7)
