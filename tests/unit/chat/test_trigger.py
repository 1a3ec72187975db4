"""The moment of a request, as its trigger says."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.chat.trigger import check_trigger
from autoctrl.errors import UsageError

ADA = "a" * 26
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


def trigger(*parts: object) -> str:
    return base64.b64encode(":".join(map(str, parts)).encode()).decode()


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_trigger_of_just_now_is_known_by_its_nonce(seconds: int) -> None:
    """The same for the same trigger, whatever stands behind it; another one for another."""
    text = trigger("c" * 26, ADA, MS, "a:b")
    nonce = check_trigger(text, ADA, NOW + timedelta(seconds=seconds))
    assert nonce == check_trigger(text, ADA, NOW)
    assert nonce == check_trigger(trigger("c" * 26, ADA, MS, "other"), ADA, NOW)
    assert nonce != check_trigger(trigger("d" * 26, ADA, MS, "a:b"), ADA, NOW)
    assert len(nonce) == len("trigger:") + 64


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (trigger("c", "e" * 26, MS, "m"), "somebody else"),
        (trigger("c", ADA, MS - 300_001, "m"), "last 5 minutes"),
        (trigger("c", ADA, MS + 300_001, "m"), "last 5 minutes"),
        (trigger("c", ADA, 10**30, "m"), "when it was made"),
        (trigger("c", ADA, "x", "m"), "when it was made"),
        (trigger("c", ADA), "when it was made"),
        (trigger("é"), "when it was made"),
        ("not base64", "when it was made"),
        ("", "when it was made"),
    ],
)
def test_any_other_is_refused(text: str, why: str) -> None:
    """Of somebody else, of another time, or none at all."""
    with pytest.raises(UsageError, match=why):
        check_trigger(text, ADA, NOW)
