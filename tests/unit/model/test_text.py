"""Texts from outside, as they may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.model.text import one_line, readable


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("plain", "plain", "plain"),
        ("Ärger  über\n\ttabs ", "Ärger über tabs", "Ärger  über\n\ttabs "),
        ("\x1b[2J\x07\r", r"\x1b[2J\x07", r"\x1b[2J\x07\x0d"),
        ("\x9b31m\u202e", r"\x9b31m\x202e", r"\x9b31m\x202e"),
        ("half \ud83d", r"half \ud83d", r"half \ud83d"),
        ("", "", ""),
    ],
)
def test_what_a_terminal_would_obey_is_spelt(text: str, line: str, lines: str) -> None:
    """White space may be shown, in one line as blanks; control characters may not."""
    assert one_line(text) == line
    assert readable(text) == lines


@given(st.text())
def test_whatever_comes_can_be_shown(text: str) -> None:
    """Nothing is left that is neither printable nor, in a text of many lines, its layout."""
    assert one_line(text).isprintable()
    assert all(sign.isprintable() or sign in "\n\t" for sign in readable(text))
    assert readable(readable(text)) == readable(text)
