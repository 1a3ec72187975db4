"""Builds of the mirror: one job for each branch that has a Jenkinsfile, made by Jenkins itself."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from autoctrl.errors import JenkinsError, UsageError
from autoctrl.operations.jenkins.jobs import mirror_name
from autoctrl.operations.jenkins.place import branch_item
from autoctrl.operations.jenkins.server import Server
from autoctrl.operations.jenkins.triggering import Triggered, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.config import JenkinsSettings, Settings

ASK_EVERY_S = 1.0
PATIENCE_S = 60.0
LOOK_TAKES_S = 10.0
STATE = "lastBuild[number,queueId],queueItem[id]"


def trigger_branch(
    settings: Settings, branch: str, *, pause: Callable[[float], None] = time.sleep
) -> Triggered:
    """Let the mirror look for new commits, and see to it that the branch is built.

    Whoever has pushed it a moment ago need not wait for Jenkins to look by itself. Jenkins builds
    what it finds in such a look, so a build that waits or begins meanwhile is joined; only if there
    is none ten seconds later, because the branch has not moved, one is asked for.

    Raises ``UsageError`` for a branch that the mirror does not take, ``SettingsError``, and
    ``JenkinsError``, also if there is no job for it after a minute.
    """
    _check_branch(settings.jenkins, branch)
    server = Server.of(settings)
    mirror = mirror_name(settings.jenkins)
    name = f"{mirror}/{branch_item(branch)}"
    before = server.find_item(name, STATE) or {}
    server.look_for_branches(mirror)
    _await_job(server, name, branch, pause)
    for _ in range(int(LOOK_TAKES_S / ASK_EVERY_S)):
        queue_id = _find_new(server.read_item(name, STATE), before)
        if queue_id is not None:
            return Triggered(name, queue_id, server.address(name), is_folded=True)
        pause(ASK_EVERY_S)
    return start(server, name, {})


def _await_job(server: Server, name: str, branch: str, pause: Callable[[float], None]) -> None:
    """Return once Jenkins has a job for the branch. Raises ``JenkinsError`` if it gets none."""
    for _ in range(int(PATIENCE_S / ASK_EVERY_S)):
        if server.find_item(name, "name") is not None:
            return
        pause(ASK_EVERY_S)
    mirror = name.partition("/")[0]
    message = f"Jenkins finds no branch '{branch}' with a Jenkinsfile in its repository."
    hint = f"Was it pushed? Look at {server.address(mirror)}"
    raise JenkinsError(message, hint=hint)


def _find_new(state: dict[str, Any], before: dict[str, Any]) -> int | None:
    """Return the number in the queue of a build that waits, or has begun since ``before``.

    Both are told in one answer: what has left the queue is a build.
    """
    newest, waiting = state.get("lastBuild"), state.get("queueItem")
    if waiting:
        return int(waiting["id"])
    if newest and newest != before.get("lastBuild"):
        return int(newest["queueId"])
    return None


def _check_branch(wanted: JenkinsSettings, branch: str) -> None:
    """Raise ``UsageError`` unless the mirror takes a branch of this name."""
    if not wanted.mirror_branches:
        message = "There is no mirror: [jenkins] mirror_branches is empty."
        raise UsageError(message, hint="See docs/howto/run-by-jenkins.md.")
    if not re.fullmatch(wanted.mirror_branches, branch):
        message = f"The mirror does not take branch '{branch}'."
        raise UsageError(message, hint=f"It takes those that match {wanted.mirror_branches}")
