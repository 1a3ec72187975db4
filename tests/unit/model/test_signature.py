"""Signed values: whatever is changed, left out or used elsewhere is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.model.signature import Expired, Forged, sign, verify

KEY, OTHER = "k" * 32, "o" * 32
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VALUES = {"verb": "retry", "incident": "3fa2c1", "reason": "the node “was” down"}
TOKEN = sign([KEY], "button", VALUES, NOW + timedelta(hours=1), "n1")
TEXT = json.dumps(TOKEN)


def test_what_was_signed_comes_back() -> None:
    """Values, expiry and nonce are as they were, and travel as plain JSON."""
    signed = verify([KEY], "button", json.loads(TEXT), NOW)
    assert signed == (VALUES, NOW + timedelta(hours=1), "n1")


def test_two_keys_are_good_while_one_is_changed() -> None:
    """The first key signs, and what either has signed is good."""
    fresh = sign([OTHER, KEY], "button", VALUES, NOW + timedelta(hours=1), "n2")
    assert verify([OTHER, KEY], "button", TOKEN, NOW).nonce == "n1"
    assert verify([OTHER], "button", fresh, NOW).nonce == "n2"
    with pytest.raises(Forged):
        verify([OTHER], "button", TOKEN, NOW)


def test_a_signature_is_for_one_purpose() -> None:
    """What was signed for a button is nothing for a dialog."""
    with pytest.raises(Forged):
        verify([KEY], "dialog", TOKEN, NOW)


def test_a_signature_ends() -> None:
    """It is good until its expiry and not at it."""
    assert verify([KEY], "button", TOKEN, NOW + timedelta(seconds=3599))
    with pytest.raises(Expired, match="good until 2026-11-20 13:00 UTC"):
        verify([KEY], "button", TOKEN, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "skip"},
        {"exp": 4_000_000_000},
        {"exp": str(TOKEN["exp"])},
        {"nonce": "n2"},
        {"v": 2},
        {"v": True},
        {"more": "x"},
        {"mac": ""},
        {"mac": 7},
        {"mac": "\udc80"},
        {"verb": ["retry"]},
        {"verb": None},
    ],
)
def test_a_change_is_seen(change: dict[str, Any]) -> None:
    """Another value, another type, one more: none passes."""
    with pytest.raises(Forged):
        verify([KEY], "button", TOKEN | change, NOW)


@pytest.mark.parametrize("name", [*TOKEN])
def test_nothing_can_be_left_out(name: str) -> None:
    """Without any of its parts it is nothing."""
    with pytest.raises(Forged):
        verify([KEY], "button", {key: TOKEN[key] for key in TOKEN if key != name}, NOW)


def test_an_older_form_is_nothing() -> None:
    """What was signed in a form of another version does not hold, though its sum does."""
    with pytest.raises(Forged):
        verify([KEY], "button", resigned({**TOKEN, "v": 0}), NOW)


def resigned(token: dict[str, Any]) -> dict[str, Any]:
    from autoctrl.model import signature

    rest = {name: value for name, value in token.items() if name != "mac"}
    return {**rest, "mac": signature._sum(KEY, "button", rest)}


@given(st.integers(0, len(TEXT) - 1), st.characters(min_codepoint=32, max_codepoint=126))
def test_every_character_counts(position: int, letter: str) -> None:
    """A token with one character changed is refused, or means the same to whoever reads JSON."""
    changed = TEXT[:position] + letter + TEXT[position + 1 :]
    try:
        token = json.loads(changed)
    except ValueError:
        return
    if token == TOKEN:
        return
    with pytest.raises(Forged):
        verify([KEY], "button", token, NOW)
