"""What a deployment asks of an environment's records, as the user whose they are.

Run as a program, this module is the child that answers: records of another user must not come to
belong to us, nor what branches wrote there be opened by us.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.errors import AutoctrlError, DeploymentError
from autoctrl.files import is_shared
from autoctrl.model.actor import Actor
from autoctrl.operations.deployment.branch_campaign import close, follow, request_of
from autoctrl.operations.deployment.trial import last_words, run_limited
from autoctrl.operations.deployment.usage import find_unneeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.operations.deployment.trial import User

LIMIT_S = 300.0


def ask_records(project: Path, user: User, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of the records of a project's environment.

    ``question`` says what to ``do``: ``find_unused`` among ``releases``; or, with ``campaign``,
    ``actor``, ``via`` and ``reason``: ``follow`` a branch's ``code`` with its ``modules``, or
    ``close`` its campaign. Raises ``AutoctrlError``.
    """
    if not user.is_other:
        return answer(project, question)
    words = [sys.executable, "-P", "-m", __name__, str(project), json.dumps(question)]
    said = run_limited(words, user.variables(), user, LIMIT_S)
    try:
        found: dict[str, Any] = json.loads(said.stdout)
    except ValueError as error:
        message = f"The records of {project} could not be asked as {user.name}: {last_words(said)}."
        raise DeploymentError(message) from error
    if "error" in found:
        raise DeploymentError(found["error"], hint=found["hint"])
    return found


def answer(project: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a question of ``ask_records``."""
    if question["do"] == "find_unused":
        return {"unused": find_unused(project, question["releases"])}
    with Project(load_settings(project)) as opened:
        actor = Actor(question["actor"], question["via"])
        request = request_of(opened, question["campaign"], actor, question["reason"])
        if question["do"] == "close":
            return {"closed": close(opened, request)}
        followed = follow(opened, request, question["code"], question["modules"])
        return followed._asdict()


def find_unused(project: Path, releases: Iterable[str]) -> list[str]:
    """Return those of these folders that no job, no campaign and no living process needs."""
    with Project(load_settings(project)) as opened:
        found = find_unneeded(opened.store, releases)
    return [release for release in found if not is_shared(Path(release))]


def main(project: Path, question: str) -> int:
    """Be the child: print the answer to a question, or what went wrong."""
    try:
        found = answer(project, json.loads(question))
    except AutoctrlError as error:
        found = {"error": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
