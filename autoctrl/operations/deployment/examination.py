"""What `doctor` says of a release before it is used, compared with the one that is used now."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DeploymentError
from autoctrl.operations.deployment.trial import last_words, run_limited

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.operations.deployment.trial import User

LIMIT_S = 300.0
# What a ref has a say in, by the beginning of its line; all else is the administrator's.
OF_REF = ("settings", "executor ", "source ", "workflow modules")
PROGRAM = (sys.executable, "-P", "-m", "autoctrl.cli")


def examine(project: Path, before: Path | None, user: User) -> list[str]:
    """Let doctor look at a project, and return as remarks what is wrong although the ref has no say
    in it, or with the one before, too.

    Raises ``DeploymentError`` with what else is wrong: the ref is to blame.
    """
    wrong = ask_doctor(project, user)
    if not wrong:
        return []
    known = ask_doctor(before, user).keys() if before is not None else frozenset[str]()
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


def ask_doctor(project: Path, user: User) -> dict[str, str]:
    """Return what does not work, by service. Raises ``DeploymentError`` if doctor says nothing."""
    words = [*PROGRAM, "doctor", "--project", str(project), "--format", "json"]
    said = run_limited(words, user.variables(), user, LIMIT_S)
    try:
        services: list[dict[str, Any]] = json.loads(said.stdout)["services"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"Doctor could not look at {project}; it said: {last_words(said)}."
        raise DeploymentError(message) from error
    return {
        one["service"]: f"{one['service']}: {one['text']} {one['hint']}".rstrip()
        for one in services
        if not one["ok"]
    }
