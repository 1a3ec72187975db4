"""What git complains of, in people's words."""

from __future__ import annotations

import pytest

from autoctrl.git import failure


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "error: invalid path '.git/config'\nfatal: Could not reset index file to 'HEAD'.\n",
            "git x failed: invalid path '.git/config'.",
        ),
        (
            "fatal: unable to access 'https://me:s3cret@host/x': Connection refused\n",
            "the repository cannot be reached",
        ),
        ("error: file write error: No space left on device\n", "the disk is full"),
        ("error: unable to write file a.txt\nfatal: no\n", "a file cannot be written"),
        ("", "git x failed: it says nothing."),
        ("remote: \x1b[31mred\udcff\n", "git x failed: remote: ?[31mred?."),
    ],
)
def test_the_first_complaint_counts(said: str, sentence: str) -> None:
    """What follows from it is left out; so are secrets, and what a terminal would act upon."""
    text = failure("git x", said).message
    assert sentence in text
    assert "s3cret" not in text
