"""The hooks of the chat, by the path under which Mattermost calls them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from autoctrl.chat.click import take_click
from autoctrl.chat.command import take_command
from autoctrl.chat.desk import Desk
from autoctrl.chat.dialog import DIALOG_PATH
from autoctrl.chat.submission import take_submission
from autoctrl.mattermost.buttons import ACTION_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.chat.deployment import Deploy
    from autoctrl.chat.desk import Nonces
    from autoctrl.chat.workers import Workers
    from autoctrl.compose import Project
    from autoctrl.hooks.exchange import Hook

COMMAND_PATH = "/hooks/mattermost/command"


def list_hooks(
    project: Project,
    nonces: Nonces,
    *,
    workers: Workers | None = None,
    deploy: Deploy | None = None,
    complain: Callable[[str], None] | None = None,
) -> Mapping[str, Hook]:
    """Return the hooks that the settings ask for: those of the slash command and of the buttons.

    Without ``[chat] notifier`` there are none. ``workers`` do what takes long; whoever hands them
    in can wait for them in the end. ``deploy`` carries out deployments, without it there are none.
    Raises ``SettingsError``.
    """
    if not project.settings.chat.notifier:
        return {}
    given = {} if complain is None else {"complain": complain}
    desk = Desk(project, nonces, workers=workers, deploy=deploy, **given)
    hooks: dict[str, Hook] = {}
    if desk.has_command:
        hooks[COMMAND_PATH] = partial(take_command, desk)
    if desk.has_buttons:
        hooks[ACTION_PATH] = partial(take_click, desk)
        hooks[DIALOG_PATH] = partial(take_submission, desk)
    return hooks
