"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("1.5min", 90), ("2h", 7200), ("7", 7), ("2d", 172_800)]
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    """Without one it is in seconds."""
    assert parse_duration(text) == seconds


def test_nothing_lasts_for_ever() -> None:
    """So that every time to come has a date."""
    assert parse_duration("87600h") == 10 * 365 * 86400
    for text in ("87601h", "9" * 400):
        with pytest.raises(UsageError, match="longer than ten years"):
            parse_duration(text)


@pytest.mark.parametrize("text", ["", "h", "-1s", "1w", "one", "²s", "1.2.3s"])
def test_anything_else_is_refused(text: str) -> None:
    """With how it is written."""
    with pytest.raises(UsageError, match="Write it as 10s"):
        parse_duration(text)
