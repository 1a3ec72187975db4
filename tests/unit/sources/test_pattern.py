"""Patterns that make no sense are refused before any folder is listed."""

from __future__ import annotations

import pytest

from autoctrl.errors import SettingsError
from autoctrl.sources.files.pattern import Pattern


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("raw/run.mid.gz", "does not contain {run}"),
        ("raw/run{run", "cannot be read"),
        ("{knd}/run{run}.mid.gz", "Did you mean 'kind'"),
        ("run{run:5s}.mid.gz", "Write {run}, or {run:05d}"),
    ],
)
def test_a_pattern_without_sense_is_refused(text: str, part: str) -> None:
    """The error names the source's section and says how to write it."""
    with pytest.raises(SettingsError) as caught:
        Pattern(text, ["kind"], "[sources.raw]")
    assert part in str(caught.value)
    assert "[sources.raw]" in str(caught.value)
