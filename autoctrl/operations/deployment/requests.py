"""Requests: what a verb asked to have deployed, so that a build of Jenkins may do it, once."""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import DeploymentError, UsageError
from autoctrl.files import write_whole
from autoctrl.model.actor import Actor
from autoctrl.operations.deployment.journal import read_entries, used_requests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from autoctrl.operations.deployment.journal import Entry

REQUESTS = "requests"
BACK = "--back"  # what is asked for when an environment is to go back
VALID_FOR = timedelta(minutes=30)
NAME = re.compile(r"[0-9a-f]{16}")
BUILD_VARIABLES = ("JENKINS_URL", "BUILD_TAG", "BUILD_URL")


class DeployRequest(NamedTuple):
    """One request.

    id           its name, which cannot be guessed
    environment  where to deploy
    ref          what, as it was said; ``BACK`` to go back
    actor        who asked
    reason       why
    time         when, aware UTC
    """

    id: str
    environment: str
    ref: str
    actor: Actor
    reason: str
    time: datetime

    def is_valid(self, now: datetime) -> bool:
        """Say whether it is not too old."""
        return timedelta() <= now - self.time <= VALID_FOR


def ask(  # noqa: PLR0917 - a sentence: there, this, by whom, why, when
    root: Path, environment: str, ref: str, actor: Actor, reason: str, now: datetime
) -> DeployRequest:
    """Write a request down, and return it; the next deployment of that ref there consumes it.

    Raises ``DeploymentError`` if it cannot be written.
    """
    request = DeployRequest(secrets.token_hex(8), environment, ref, actor, reason, now)
    folder = root / environment / REQUESTS
    values = {
        **request._asdict(),
        "schema": 1,
        "actor": actor.name,
        "via": actor.via,
        "time": now.isoformat(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_old(folder, now)
        content = json.dumps(values, sort_keys=True).encode()
        write_whole(folder / f"{request.id}.json", content, is_durable=True, mode=0o644)
    except OSError as error:
        message = f"The request cannot be written in {folder}: {error.strerror}."
        raise DeploymentError(
            message, hint="See who may write there, and whether there is room."
        ) from error
    return request


class Asked(NamedTuple):
    """What a deployment is about to do, as it was said; ``name`` is the request's id if given."""

    environment: str
    ref: str
    name: str = ""


def find_request(
    root: Path, environment: str, ref: str, now: datetime, name: str = ""
) -> DeployRequest | None:
    """Return the oldest request for a ref that is valid and that no deployment has consumed.

    ``name`` narrows that to the request of this id.
    """
    folder = root / environment
    used = used_requests(read_entries(folder / "deployments.jsonl"))
    known = [_read(path) for path in (folder / REQUESTS).glob("*.json")]
    fitting = [
        one
        for one in known
        if one is not None
        and (one.environment, one.ref) == (environment, ref)
        and _is_open(one, used, now)
        and name in {"", one.id}
    ]
    return min(fitting, key=lambda one: one.time, default=None)


def require_request(
    root: Path, asked: Asked, now: datetime, *, is_needed: bool
) -> DeployRequest | None:
    """Return the request that a deployment fulfils, None if it fulfils none and needs none.

    Raises ``UsageError`` if there is none although it is needed, or was named.
    """
    if not is_needed and not asked.name:
        return None
    found = find_request(root, asked.environment, asked.ref, now, asked.name)
    if found is None:
        what = f"{asked.ref} in {asked.environment}"
        minutes = int(VALID_FOR.total_seconds() // 60)
        message = (
            f"Nobody has asked to deploy {what} in the last {minutes} minutes, or it was done "
            "already; a build alone must not."
        )
        raise UsageError(message, hint="Ask for it where verbs are taken, such as in chat.")
    return found


def refuse_used(request: DeployRequest | None, entries: Iterable[Entry]) -> None:
    """Raise ``UsageError`` if another deployment has consumed a request since it was found."""
    if request is not None and request.id in used_requests(entries):
        message = "What was asked for has just been done by another deployment."
        raise UsageError(message, hint="Ask for it again if it is still wanted.")


def withdraw(root: Path, request: DeployRequest) -> None:
    """Take a request back of which nothing will come, so that nobody else makes use of it."""
    path = root / request.environment / REQUESTS / f"{request.id}.json"
    with suppress(OSError):  # it ends by itself
        path.unlink()


def _is_open(request: DeployRequest, used: Collection[str], now: datetime) -> bool:
    return request.is_valid(now) and request.id not in used


def is_build(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether we run in a build of Jenkins."""
    return any(environ.get(name) for name in BUILD_VARIABLES)


def _read(path: Path) -> DeployRequest | None:
    try:
        values = json.loads(path.read_bytes())
        actor = Actor(values["actor"], values["via"])
        when = datetime.fromisoformat(values["time"])
        texts = {name: str(values[name]) for name in ("environment", "ref", "reason")}
        return DeployRequest(id=path.stem, actor=actor, time=when, **texts)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _forget_old(folder: Path, now: datetime) -> None:
    """Remove the requests that nobody can consume any more."""
    for path in folder.glob("*.json"):
        request = _read(path)
        if NAME.fullmatch(path.stem) and request is not None and now - request.time > 2 * VALID_FOR:
            path.unlink(missing_ok=True)
