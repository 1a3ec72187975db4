"""What the buttons below a message carry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autoctrl.mattermost.buttons import (
    LASTS,
    Button,
    Key,
    read_button,
    sign_button,
    spell_buttons,
)
from autoctrl.model.signature import Expired, Forged

KEY = "k" * 32
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BUTTON = Button("store", "production", "prompt", "3fa2c1", "retry", "d1")


def test_a_button_is_read_as_it_was_signed() -> None:
    """It says for a week which verb it is, on which tasks of which incident, where."""
    context = sign_button([KEY], BUTTON, NOW, "n1")
    assert read_button([KEY], context, NOW + LASTS - timedelta(seconds=1)) == (BUTTON, "n1")
    with pytest.raises(Expired):
        read_button([KEY], context, NOW + LASTS)
    with pytest.raises(Forged):
        read_button([KEY], {**context, "verb": "skip"}, NOW)


def test_buttons_lead_to_the_listener() -> None:
    """Each has a type, a name and what it carries; without any there is no attachment."""
    (shown,) = spell_buttons("https://host:8443/", [(Key("why", "why"), {"v": 1})])
    assert shown["actions"] == [
        {
            "id": "why",
            "type": "button",
            "name": "why",
            "style": "default",
            "integration": {
                "url": "https://host:8443/hooks/mattermost/action",
                "context": {"v": 1},
            },
        }
    ]
    assert spell_buttons("https://host", []) == []
