"""The fake knows no call that Mattermost's own description of its API does not."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.mattermost import commands, dialogs, posts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.mattermost import Mattermost

NAME = Path("shared/contracts/data/mattermost-openapi.yaml")
BODIES: dict[str, Mapping[str, object]] = {
    "POST /api/v4/posts": posts.NEW,
    "POST /api/v4/posts/ephemeral": {"user_id": str, "post": dict},
    "PUT /api/v4/posts/{post_id}": posts.FULL,
    "PUT /api/v4/posts/{post_id}/patch": posts.PATCH,
    "POST /api/v4/commands": commands.NEW,
    "POST /api/v4/actions/dialogs/open": dialogs.OPEN,
}


@cache
def described() -> dict[str, list[str]]:
    """Return the lines about each call, by method and path; skips where the file is not."""
    found = [parent / NAME for parent in Path(__file__).parents if (parent / NAME).is_file()]
    if not found:
        pytest.skip("the description of Mattermost's API does not lie beside the repository")
    calls: dict[str, list[str]] = {}
    path = method = ""
    for line in found[0].read_text().splitlines():
        if start := re.fullmatch(r'  "?(/api/v4/[^"]*?)"?:', line):
            path, method = start.group(1), ""
        elif start := re.fullmatch(r"    (get|post|put|delete|patch):", line):
            method = start.group(1).upper()
        elif re.match(r" {0,3}\S", line):
            path = ""
        if path and method:
            calls.setdefault(f"{method} {path}", []).append(line)
    return calls


def required(lines: list[str]) -> set[str]:
    """Return the keys that a call's body must have."""
    text = "\n".join(lines).partition("requestBody:")[2].partition("responses:")[0]
    found = re.search(r"schema:\n +type: object\n +required:\n((?: +- \w+\n)+)", text)
    return set(re.findall(r"- (\w+)", found.group(1))) if found else set()


def test_every_call_is_described(server: Mattermost) -> None:
    """Each method and path of the fake's API stands in the description."""
    ours = {f"{route.method} {route.path}" for route in server.routes if "/api/" in route.path}
    ours = {line.replace("/users/me", "/users/{user_id}") for line in ours}
    assert ours <= described().keys()
    assert len(ours) > 15


@pytest.mark.parametrize("line", BODIES)
def test_required_keys_are_known(line: str) -> None:
    """What the description requires in a body, the fake knows."""
    assert required(described()[line]) <= BODIES[line].keys()


def test_what_a_command_requires() -> None:
    """The fake requires of a command and a dialog what the description requires."""
    assert required(described()["POST /api/v4/commands"]) == commands.REQUIRED
    assert required(described()["POST /api/v4/actions/dialogs/open"]) == dialogs.OPEN.keys()
