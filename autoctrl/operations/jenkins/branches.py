"""Builds of the mirror: one job for each branch that has a Jenkinsfile, made by Jenkins itself."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

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
NEWEST = "lastBuild[number,queueId]"


def trigger_branch(
    settings: Settings, branch: str, *, pause: Callable[[float], None] = time.sleep
) -> Triggered:
    """Let the mirror look for new commits, and ask for a build of a branch.

    Whoever has pushed it a moment ago need not wait for Jenkins to look by itself. A build that has
    begun because of that look is joined.

    Raises ``UsageError`` for a branch that the mirror does not take, ``SettingsError``, and
    ``JenkinsError``, also if there is no job for it after a minute.
    """
    _check_branch(settings.jenkins, branch)
    server = Server.of(settings)
    mirror = mirror_name(settings.jenkins)
    name = f"{mirror}/{branch_item(branch)}"
    before = server.find_item(name, NEWEST) or {}
    server.look_for_branches(mirror)
    for _ in range(int(PATIENCE_S / ASK_EVERY_S)):
        found = server.find_item(name, NEWEST)
        if found is not None:
            newest = found.get("lastBuild")
            if not newest or newest == before.get("lastBuild"):
                return start(server, name, {})
            queue_id = int(newest["queueId"])
            return Triggered(name, queue_id, server.address(name), is_folded=True)
        pause(ASK_EVERY_S)
    message = f"Jenkins finds no branch '{branch}' with a Jenkinsfile in its repository."
    hint = f"Was it pushed? Look at {server.address(mirror)}"
    raise JenkinsError(message, hint=hint)


def _check_branch(wanted: JenkinsSettings, branch: str) -> None:
    """Raise ``UsageError`` unless the mirror takes a branch of this name."""
    if not wanted.mirror_branches:
        message = "There is no mirror: [jenkins] mirror_branches is empty."
        raise UsageError(message, hint="See docs/howto/run-by-jenkins.md.")
    if not re.fullmatch(wanted.mirror_branches, branch):
        message = f"The mirror does not take branch '{branch}'."
        raise UsageError(message, hint=f"It takes those that match {wanted.mirror_branches}")
