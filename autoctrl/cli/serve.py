"""The verb serve: the web page, and the listener for what other services send."""

from __future__ import annotations

import importlib
import signal
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

from autoctrl.cli.output import warn
from autoctrl.cli.session import verb
from autoctrl.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from autoctrl.cli.session import Session
    from autoctrl.config import Settings
    from autoctrl.hooks.exchange import Hook


@verb("serve --port 8080", formats=("text",))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--hooks",
    metavar="HOST:PORT",
    help="Also listen there to what other services send, below /hooks/ alone.",
)
@click.option("--no-page", is_flag=True, help="With --hooks: without the web page.")
def serve(session: Session, port: int, host: str, hooks: str | None, no_page: bool) -> int:
    """Serve the web page: overview, runs, tasks, health.

    With --hooks other services are listened to as well: a data acquisition that tells of runs.
    """
    if no_page and not hooks:
        message = "Without the web page there is nothing to serve."
        raise UsageError(message, hint="Say where to listen: --hooks 127.0.0.1:8443.")
    web = None if no_page else _import("autoctrl.web", "The web page")
    settings = session.settings()
    with _listening(settings, hooks) if hooks else nullcontext():
        if web is None:
            _wait()
        else:
            web.serve(settings, host=host, port=port, campaign=session.campaign, tell=_tell)
    return 0


def list_hooks(settings: Settings) -> dict[str, Hook]:
    """Return the hooks of a project by path, from all that has some.

    Raises ``SettingsError`` if a key that they need cannot be read.
    """
    from autoctrl.compose import open_inboxes
    from autoctrl.hooks.keys import read_keys
    from autoctrl.hooks.ledger import FILE_NAME, Ledger
    from autoctrl.hooks.source import source_hooks
    from autoctrl.hooks.waking import choose_wake

    inboxes = open_inboxes(settings)
    for inbox in inboxes:
        read_keys(inbox.secret_file)
    ledger = Ledger(settings.state_folder / FILE_NAME)
    wake = choose_wake(settings, partial(_trigger_job, settings), warn)
    return source_hooks(inboxes, ledger, wake)


def _trigger_job(settings: Settings, job: str) -> None:
    """Ask Jenkins for a build. Raises ``AutoctrlError``."""
    from autoctrl.operations.jenkins import trigger_job

    trigger_job(settings, job, {})


@contextmanager
def _listening(settings: Settings, text: str) -> Iterator[None]:
    """Listen while the block runs; hooks at work may finish, also when the process is told to end.

    Raises ``UsageError`` if the address cannot be used, or there is nothing to listen for.
    """
    from autoctrl.hooks.address import Address, listen, parse_address

    server = _import("autoctrl.hooks.server", "The listener")
    hooks = list_hooks(settings)
    if not hooks:
        message = "No service has anything to send to this project."
        raise UsageError(message, hint='Declare a source that is told: type = "hook".')
    wanted = parse_address(text)
    with listen(wanted, "The listener", "Choose another --hooks address.") as listener:
        address = Address(wanted.host, listener.getsockname()[1])
        signal.signal(signal.SIGTERM, _end)
        with server.answering(hooks, listener, warn):
            paths = " ".join(sorted(hooks))
            _tell(f"Listening at http://{address} to {paths} (Ctrl-C ends it)")
            if not address.is_loopback:
                _tell("What is sent there can be read on its way: put a proxy with TLS before it.")
            yield


def _wait() -> None:
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)


def _tell(text: str) -> None:
    """Print a line now: who serves may print nothing more for long."""
    click.echo(text)


def _import(name: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(what, "web") from error
