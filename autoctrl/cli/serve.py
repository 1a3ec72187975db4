"""The verb serve: the web page."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say
from autoctrl.cli.session import verb
from autoctrl.errors import MissingExtra

if TYPE_CHECKING:
    from autoctrl.cli.session import Session


@verb("serve --port 8080", formats=("text",))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def serve(session: Session, port: int, host: str) -> int:
    """Serve the web page: overview, runs, tasks, health."""
    try:
        web = importlib.import_module("autoctrl.web")
    except ImportError as error:
        what = "The web page"
        raise MissingExtra(what, "web") from error
    web.serve(session.settings(), host=host, port=port, campaign=session.campaign, tell=say)
    return 0
