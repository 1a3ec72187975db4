"""What Mattermost translates from Slack's notation where it is not told to leave it."""

from __future__ import annotations

import re
from typing import Any

EVERYBODY = {"!channel": "@channel", "!here": "@here", "!everyone": "@all", "!all": "@all"}
MARK = re.compile(r"<([^<>|\s]+)(?:\|([^<>]*))?>")


def translate(text: str) -> str:
    """Return a text with ``<url|text>`` and ``<!channel>`` in Mattermost's Markdown."""
    return MARK.sub(_mark, text)


def translate_attachments(attachments: list[Any]) -> list[Any]:
    """Return attachments with their texts translated."""
    names = ("pretext", "text", "title")
    return [
        {key: translate(value) if key in names else value for key, value in one.items()}
        for one in attachments
    ]


def _mark(found: re.Match[str]) -> str:
    target, label = found.group(1), found.group(2)
    if target in EVERYBODY:
        return EVERYBODY[target]
    if not re.match(r"https?://|mailto:", target):
        return found.group()
    return f"[{label}]({target})" if label else target
