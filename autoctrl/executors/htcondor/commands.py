"""The submit commands that HTCondor knows.

It takes a misspelt one without a word, so somebody has to look.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGED = Path(__file__).parents[2] / "templates" / "htcondor"
COMMANDS = frozenset((PACKAGED / "commands.txt").read_text(encoding="ascii").split())
FAMILIES = re.compile(
    r"(request|require)_\w+|\w+_oauth_(permissions|resource|handle)(_\w+)?|\+\s*\w+|my\.\w+"
)
# Without these, in any spelling of theirs, jobs would be started that nobody ever finds again.
NEEDED = ("executable", "arguments", "initialdir", "leave_in_queue")
NEEDED_ATTRIBUTES = (
    "AutoctrlStore",
    "AutoctrlBatch",
    "AutoctrlTag",
    "AutoctrlCommon",
    "AutoctrlSpec",
)
KEY = re.compile(r"^[ \t]*(\+?[ \t]*[A-Za-z_][\w.]*)[ \t]*=", re.MULTILINE)
QUEUE = re.compile(r"^[ \t]*(queue)\b", re.MULTILINE | re.IGNORECASE)


def find_unknown_keys(description: str) -> Iterator[str]:
    """Yield each key that is neither a command nor an attribute nor a macro that is used."""
    used = {name.lower() for name in re.findall(r"\$[A-Za-z]*\(([\w.]+)", description)}
    for match in KEY.finditer(description):
        key = match.group(1).lower()
        name = key.replace(" ", "")
        is_known = name in COMMANDS or name in used or FAMILIES.fullmatch(key)
        if not is_known or is_close_to_request(name):
            yield match.group(1)
    if QUEUE.search(description):
        yield "queue"


def is_close_to_request(name: str) -> bool:
    """Say whether a custom resource looks like a misspelt one of HTCondor's own:
    ``request_memroy``.
    """
    from difflib import get_close_matches

    own = [command for command in COMMANDS if command.startswith("request_")]
    return (
        name.startswith("request_")
        and name not in COMMANDS
        and bool(get_close_matches(name, own, cutoff=0.85))
    )


def find_missing_keys(description: str) -> list[str]:
    """Return what a description must have and does not."""
    there = {
        match.group(1).replace(" ", "").lower().replace("my.", "+")
        for match in KEY.finditer(description)
    }
    attributes = [f"+{name}" for name in NEEDED_ATTRIBUTES]
    return [key for key in (*NEEDED, *attributes) if key.lower() not in there]
