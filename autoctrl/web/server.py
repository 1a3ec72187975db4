"""Serves the web page: opens the port, then the project, then waits for readers."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import uvicorn

from autoctrl.campaigns import find_lineage
from autoctrl.compose import Project
from autoctrl.hooks.address import Address
from autoctrl.hooks.address import listen as open_socket
from autoctrl.web.app import create_app
from autoctrl.web.connection import Patience, limit_connections, patient_protocol
from autoctrl.web.gate import check_exposure
from autoctrl.web.turnstile import Turnstile

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from autoctrl.config import Settings

GRACE_S, CONNECTIONS, BACKLOG = 5, 4096, 1024


def serve(
    settings: Settings, *, host: str, port: int, campaign: str, tell: Callable[[str], None]
) -> None:
    """Serve the page until the process is interrupted; ``tell`` gets a line for the person who
    started it.

    Port 0 takes a free one. Raises ``UsageError`` if the address cannot be used, if nobody would
    ask there who people are, or if the campaign is unknown.
    """
    check_exposure(settings.web, host)
    with listen(host, port) as listener, Project(settings) as project:
        find_lineage(project.store, campaign)
        address = Address(host, listener.getsockname()[1])
        tell(f"Serving {settings.folder} at http://{address}/ (Ctrl-C ends it)")
        app = create_app(project, campaign, host)
        config = uvicorn.Config(
            Turnstile(app),
            http=patient_protocol(Patience(connections=limit_connections(CONNECTIONS))),
            backlog=BACKLOG,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is judged by the address that it really comes from
            timeout_graceful_shutdown=GRACE_S,
        )
        with closing(app), suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    Raises ``UsageError`` if it is taken or not of this machine.
    """
    hint = "Choose another --port, or 0 for a free one."
    return open_socket(Address(host, port), "The web page", hint)
