"""What `doctor` says of a release before it is used, compared with the one that is used now."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DeploymentError
from autoctrl.operations.deployment.limited import last_words, run_limited
from autoctrl.operations.deployment.standing_in import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_S = 300.0
# What a ref has a say in, by the beginning of its line; all else is the administrator's.
OF_REF = ("settings", "executor ", "source ", "workflow modules")


def examine(project: Path, before: Path | None) -> list[str]:
    """Let doctor look at a project, and return as remarks what is wrong although the ref has no say
    in it, or with the one before, too.

    Raises ``DeploymentError`` with what else is wrong: the ref is to blame.
    """
    wrong = ask_doctor(project)
    if not wrong:
        return []
    known = _ask_of_current(before)
    fresh = [
        text
        for service, text in wrong.items()
        if service.startswith(OF_REF) and service not in known
    ]
    if fresh:
        message = f"Doctor says: {' '.join(fresh)}"
        raise DeploymentError(message, hint="Nothing was switched.")
    return [
        f"Doctor says{', as before' if service in known else ''}: {text}"
        for service, text in wrong.items()
    ]


def _ask_of_current(project: Path | None) -> frozenset[str]:
    """Return the services that do not work in what is used now; none if doctor cannot tell, which
    must not hinder what comes in its place.
    """
    if project is None:
        return frozenset()
    try:
        return frozenset(ask_doctor(project))
    except DeploymentError:
        return frozenset()


def ask_doctor(project: Path) -> dict[str, str]:
    """Return what does not work, by service. Raises ``DeploymentError`` if doctor says nothing."""
    words = [*PROGRAM, "doctor", "--project", str(project), "--format", "json"]
    said = run_limited(words, os.environ, LIMIT_S)
    try:
        services: list[dict[str, Any]] = json.loads(said.out)["services"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"Doctor could not look at {project}; it said: {last_words(said)}."
        raise DeploymentError(message) from error
    return {
        one["service"]: f"{one['service']}: {one['text']} {one['hint']}".rstrip()
        for one in services
        if not one["ok"]
    }
