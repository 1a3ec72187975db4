"""What a person typed, as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.chat.words import Word, split_words

EM, EN, MINUS = "\u2014", "\u2013", "\u2212"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("retry  4521\treco", ["retry", "4521", "reco"]),
        ('"the node" was down', ["the node", "was", "down"]),
        ("\u201cthe node\u201d was \u2018down now\u2019", ["the node", "was", "down now"]),
        ("it wasn\u2019t 'our' fault", ["it", "wasn't", "our", "fault"]),
        ("a \u2018quoted", ["a", "'quoted"]),
        (f"{EM}campaign x {EN}dry-run -{EN}all", ["--campaign", "x", "--dry-run", "--all"]),
        (f"4500{EN}4510,4512{MINUS}4513", ["4500-4510,4512-4513"]),
        (f"pedestal {EN} twice", ["pedestal", EN, "twice"]),
        ('--reason="the node"', ["--reason=the node"]),
        ("a\u00a0b", ["a", "b"]),
        ("", []),
    ],
)
def test_words_are_as_they_were_meant(text: str, words: list[str]) -> None:
    """Quotes hold words together whatever their shape, dashes mean what was meant."""
    assert [word.text for word in split_words(text)] == words


def test_what_stands_in_quotes_is_no_option() -> None:
    """Also if it begins like one."""
    assert [word.is_option for word in split_words('--all "--all" --all="x y" -- -x')] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert split_words("'x'") == [Word("x", is_quoted=True)]


@given(st.text())
def test_any_text_has_words(text: str) -> None:
    """None is lost but blanks and quotes."""
    assert all(word.text or word.is_quoted for word in split_words(text))
