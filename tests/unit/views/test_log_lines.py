"""A log as numbered lines."""

from __future__ import annotations

import pytest

from autoctrl.views.log_lines import LONGEST_LINE, LogWindow, search, split_lines, window

TEN = [f"line {number}" for number in range(1, 11)]


def numbers(seen: LogWindow) -> list[int]:
    """Return the numbers of the lines that are shown."""
    return [line.number for line in seen.lines]


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]), ("\n", [""])],
)
def test_a_log_is_split_into_lines(text: str, lines: list[str]) -> None:
    """An empty line is a line, nothing after the last line end is none."""
    assert split_lines(text) == lines


@pytest.mark.parametrize(
    ("first", "shown", "older", "newer"),
    [
        (None, [7, 8, 9, 10], 3, None),
        (1, [1, 2, 3, 4], None, 5),
        (3, [3, 4, 5, 6], 1, 7),
        (7, [7, 8, 9, 10], 3, None),
        (10, [10], 6, None),
        (999, [10], 6, None),
        (0, [1, 2, 3, 4], None, 5),
    ],
)
def test_a_window_shows_some_lines_and_knows_its_neighbours(
    first: int | None, shown: list[int], older: int | None, newer: int | None
) -> None:
    """By default the last ones; what lies beyond the end is brought back to it."""
    seen = window(TEN, first, 4)
    assert numbers(seen) == shown
    assert (seen.total, seen.older, seen.newer) == (10, older, newer)


def test_all_windows_together_show_each_line_once() -> None:
    """Whoever goes on to the next misses nothing."""
    read: list[int] = []
    first: int | None = 1
    while first is not None:
        seen = window(TEN, first, 3)
        read += numbers(seen)
        first = seen.newer
    assert read == list(range(1, 11))


def test_an_empty_log_has_an_empty_window() -> None:
    """And no neighbours."""
    assert window([]) == LogWindow((), 0, None, None)


def test_lines_that_have_a_word_are_found() -> None:
    """Large letters or small; of very many the first, and all are counted."""
    found = search(["Error", "fine", "an ERROR", "error"], "error", most=2)
    assert [line.number for line in found.lines] == [1, 3]
    assert found.total == 3


def test_a_very_long_line_is_cut() -> None:
    """With how much is left out."""
    (line,) = window(["x" * (LONGEST_LINE + 7)]).lines
    assert (len(line.text), line.left_out) == (LONGEST_LINE, 7)
