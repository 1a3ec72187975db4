"""What was deployed: a file that only grows, with each intent before what came of it."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.config.release import SHORT_COMMIT
from autoctrl.model.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SCHEMA = 1
INTENT = "intent"
DONE = "done"
FAILED = "failed"


class Entry(NamedTuple):
    """One line of the journal.

    id        of the deployment: the same in its intent and its outcome
    step      ``intent``, then ``done`` or ``failed``
    time      when this was written, aware UTC
    actor     who deployed
    ref       full name of the ref
    commit    the commit that was to be current
    previous  the first digits of the commit that was current before, empty if none was
    reason    why
    is_back   it went back to an earlier release
    request   the request that it consumed, empty if none
    """

    id: str
    step: str
    time: datetime
    actor: Actor
    ref: str
    commit: str
    previous: str = ""
    reason: str = ""
    is_back: bool = False
    request: str = ""

    @property
    def release(self) -> str:
        """The name of the release's folder."""
        return self.commit[:SHORT_COMMIT]

    def followed(self, step: str, now: datetime) -> Entry:
        """Return the entry that says what came of this intent."""
        return self._replace(step=step, time=now)


def new_id() -> str:
    """Return an identity for a deployment."""
    return secrets.token_hex(6)


def write_entry(path: Path, entry: Entry) -> None:
    """Add a line, so that it is on disk afterwards. Raises ``OSError``."""
    line = json.dumps(_plain(entry), sort_keys=True).encode() + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            line = line if file.read(1) == b"\n" else b"\n" + line  # a line was cut by a crash
        file.write(line)
        os.fsync(file.fileno())


def read_entries(path: Path) -> list[Entry]:
    """Return the lines of a journal, oldest first; what is no entry is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [entry for line in lines if (entry := _parse(line)) is not None]


def _plain(entry: Entry) -> dict[str, Any]:
    values = entry._asdict()
    return {
        "schema": SCHEMA,
        **values,
        "time": entry.time.isoformat(),
        "actor": entry.actor.name,
        "via": entry.actor.via,
    }


def _parse(line: bytes) -> Entry | None:
    try:
        values = json.loads(line)
        actor = Actor(values.pop("actor"), values.pop("via"))
        when = datetime.fromisoformat(values.pop("time"))
        known = {name: values[name] for name in Entry._fields if name in values}
        return Entry(time=when, actor=actor, **known)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def unfinished(entries: Sequence[Entry]) -> list[Entry]:
    """Return the intents of which nobody wrote what came of them."""
    over = {entry.id for entry in entries if entry.step != INTENT}
    return [entry for entry in entries if entry.step == INTENT and entry.id not in over]


def outcome_of(intent: Entry, current: str, now: datetime) -> Entry:
    """Return what came of an intent whose deployment was ended, given the current release."""
    return intent.followed(DONE if intent.release == current else FAILED, now)


def deployed(entries: Iterable[Entry]) -> list[Entry]:
    """Return the deployments that were done, oldest first."""
    return [entry for entry in entries if entry.step == DONE]


def earlier(entries: Iterable[Entry]) -> list[Entry]:
    """Return the deployments to which one can go back, the nearest first.

    Going back takes away what was deployed since, so that going back again goes further.
    """
    stack: list[Entry] = []
    for entry in deployed(entries):
        known = [number for number, one in enumerate(stack) if one.commit == entry.commit]
        if entry.is_back and known:
            del stack[known[-1] + 1 :]
        elif not stack or stack[-1].commit != entry.commit:
            stack.append(entry)
        else:
            stack[-1] = entry
    return stack[-2::-1] if len(stack) > 1 else []


def by_age(entries: Iterable[Entry]) -> list[str]:
    """Return the names of the releases that were deployed, the last deployed first, each once."""
    return list(dict.fromkeys(entry.release for entry in reversed(deployed(entries))))


def used_requests(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the requests that deployments have consumed."""
    return frozenset(entry.request for entry in entries if entry.request)


def commits_of(entries: Iterable[Entry], ref: str) -> list[str]:
    """Return the commits at which a ref stood when it was deployed, oldest first, each once."""
    return list(dict.fromkeys(one.commit for one in deployed(entries) if one.ref == ref))
