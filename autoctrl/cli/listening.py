"""Listens to what other services send to a project: what ``autoctrl serve --hooks`` does."""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from autoctrl.chat.hooks import list_hooks as list_chat_hooks
from autoctrl.chat.workers import Workers
from autoctrl.cli.chat_deployments import choose_deploy
from autoctrl.cli.output import say_now, warn
from autoctrl.compose import Project, open_inboxes
from autoctrl.errors import UsageError
from autoctrl.hooks.address import Address, listen, parse_address
from autoctrl.hooks.keys import read_keys
from autoctrl.hooks.ledger import FILE_NAME, Ledger
from autoctrl.hooks.server import answering
from autoctrl.hooks.source import source_hooks
from autoctrl.hooks.waking import choose_wake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.config import Settings
    from autoctrl.hooks.exchange import Hook


@contextmanager
def listening(settings: Settings, text: str) -> Iterator[None]:
    """Listen at the address ``text`` while the block runs.

    When the process is told to end, hooks that are at work may finish. Raises ``UsageError`` if the
    address cannot be used, or there is nothing to listen for.
    """
    wanted, workers = parse_address(text), Workers()
    with Project(settings) as project:
        hooks = list_hooks(project, workers)
        if not hooks:
            message = "No service has anything to send to this project."
            raise UsageError(message, hint='Declare a source that is told: type = "hook".')
        with listen(wanted, "The listener", "Choose another --hooks address.") as listener:
            address = Address(wanted.host, listener.getsockname()[1])
            signal.signal(signal.SIGTERM, _end)
            try:
                with answering(hooks, listener, _complain):
                    _announce(address, hooks)
                    yield
            finally:
                workers.finish()


def list_hooks(project: Project, workers: Workers) -> dict[str, Hook]:
    """Return the hooks of a project by path; ``workers`` do for them what takes long.

    Raises ``SettingsError`` if a key that they need cannot be read.
    """
    settings = project.settings
    inboxes = open_inboxes(settings)
    for inbox in inboxes:
        read_keys(inbox)
    ledger = Ledger(settings.state_folder / FILE_NAME)
    wake = choose_wake(settings, partial(_trigger_job, settings), _complain)
    deploy = choose_deploy(settings)
    chat = list_chat_hooks(project, ledger, workers=workers, deploy=deploy, complain=_complain)
    return {**source_hooks(inboxes, ledger, wake), **chat}


def _announce(address: Address, hooks: dict[str, Hook]) -> None:
    say_now(f"Listening at http://{address} to {' '.join(sorted(hooks))} (Ctrl-C ends it)")
    if not address.is_loopback:
        say_now("What is sent there can be read on its way: put a proxy with TLS before it.")


def _trigger_job(settings: Settings, job: str) -> None:
    """Ask Jenkins for a build. Raises ``AutoctrlError``."""
    from autoctrl.operations.jenkins import trigger_job

    trigger_job(settings, job, {})


def _complain(text: str) -> None:
    """Print a line on stderr, if anybody reads it still."""
    with suppress(OSError, ValueError):
        warn(text)


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)
