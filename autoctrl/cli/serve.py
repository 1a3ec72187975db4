"""The verb serve: the web page, and the listener for what other services send."""

from __future__ import annotations

import importlib
import signal
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say_now
from autoctrl.cli.session import verb
from autoctrl.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import ModuleType

    from autoctrl.cli.session import Session
    from autoctrl.config import Settings


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
            web.serve(settings, host=host, port=port, campaign=session.campaign, tell=say_now)
    return 0


def _listening(settings: Settings, address: str) -> AbstractContextManager[None]:
    """Return what listens while it is entered. Raises ``MissingExtra``."""
    found: AbstractContextManager[None] = _import(
        "autoctrl.cli.listening", "The listener"
    ).listening(settings, address)
    return found


def _wait() -> None:
    """Wait until the process is told to end."""
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _import(name: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(what, "web") from error
