"""What every error has in common, and the hint at a word that was meant."""

from __future__ import annotations

import pytest

from autoctrl.errors import AutoctrlError, MissingExtra, find_system_word, nearest


def test_an_error_is_one_paragraph_that_ends_with_the_hint() -> None:
    """Line breaks become spaces; message and hint stay apart for those who print them apart."""
    error = AutoctrlError("The disk\n  is full.", hint="Make\nroom.")
    assert (str(error), error.message, error.hint) == (
        "The disk is full. Make room.",
        "The disk is full.",
        "Make room.",
    )
    assert str(AutoctrlError("The disk is full.")) == "The disk is full."


def test_a_missing_dependency_names_its_extra() -> None:
    """The hint is the command that installs it."""
    assert str(MissingExtra("The web page", "web")) == (
        "The web page needs packages that are not installed. They are the extra 'web'. "
        "In a checkout: pip install -e '.[web]'; elsewhere see docs/howto/install.md."
    )


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        (["retry", "skip"], "Did you mean 'retry'?"),
        (["xyz", "abc"], "Known: abc, xyz."),
        ([], "None is known."),
        ([f"{number:04}" for number in range(99)], "There are 99, and none resembles it."),
    ],
)
def test_the_nearest_word_is_named_or_the_few_that_there_are(known: list[str], hint: str) -> None:
    """A close word is asked for; else a short list is shown, and a long one counted."""
    assert nearest("retyr", known) == hint


def test_the_word_of_the_system_is_found_behind_other_errors() -> None:
    """What a library raises holds what the system said, however deep; else there is none."""
    refused = OSError(111, "Connection refused")
    middle, outer = RuntimeError("pool"), ValueError("no answer")
    middle.__context__, outer.__cause__ = refused, middle
    assert find_system_word(outer) == "Connection refused"
    assert find_system_word(OSError("without a number")) == ""
